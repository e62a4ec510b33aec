"""Challengers of a deployment: create one, list them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall, OutcomeUnknown
from airflow_provider.api.waits import JobWait, dig
from airflow_provider.mlops import challengers
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow_provider.api.client import Client
    from airflow_provider.tasks.memory import Handle

SEEN_LOOKS, SEEN_PAUSE = 5, 3.0  # a list may lag behind the end of the job
FIELDS = ("challenger_id", "name", "model_id", "model_name", "model_package_id", "prediction_environment_id")


class DataRobotCreateChallengerOperator(DataRobotBaseOperator):
    """Makes a model package a challenger of a deployment, and waits until it is there.

    A challenger of the same package that is there already is taken: a rerun makes no second one. What the service
    demands is checked before anything is sent: challenger models, stored prediction rows and target drift tracking are
    on, fewer than five challengers, the champion's target type, a build that is complete, a model that is neither the
    champion nor in another challenger.

    :param deployment_id: the deployment.
    :param model_package_id: the package (the version of a registered model).
    :param name: what the challenger shall be called; default: the name of the package.
    :param prediction_environment_id: where it shall score; default: the deployment's own prediction environment.
    :param if_exists: ``adopt`` a challenger of this package that is there already, or ``fail``.

    Returns ``deployment_id``, ``challenger_id``, ``name``, ``model_id``, ``model_name``, ``model_package_id``,
    ``prediction_environment_id``, ``adopted`` (whether it was there already, or was found after a lost answer) and
    ``duplicates`` (ids of further challengers of this package, which a commit that came late may have made).

    Fails with ChallengersOff, ChallengerRefused, JobFailed (in the words of the service), ChallengerNotSeen (done by
    word, not in fact), OutcomeUnknown (the answer was lost, and the challenger does not show), WaitTimedOut and the
    errors of the service. Operations: getDeployment, getModelPackage, listDeploymentChallengers, getDeploymentSettings,
    createDeploymentChallenger, getStatus, getDeploymentChallenger. Memory before Airflow 3.3: the list of challengers.
    """

    operation = "createDeploymentChallenger"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "model_package_id",
        "name",
        "prediction_environment_id",
        "if_exists",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        model_package_id: str,
        name: str | None = None,
        prediction_environment_id: str | None = None,
        if_exists: str = "adopt",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.model_package_id = model_package_id
        self.name = name
        self.prediction_environment_id = prediction_environment_id
        self.if_exists = if_exists

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.model_package_id = arguments.identifier("model_package_id", self.model_package_id)
        if not arguments.absent(self.name):
            self.name = arguments.named("name", self.name, challengers.NAME_LENGTH)
        self.prediction_environment_id = arguments.optional_identifier(
            "prediction_environment_id", self.prediction_environment_id
        )
        self.if_exists = arguments.one_of("if_exists", self.if_exists, ("adopt", "fail"))

    def identity(self) -> dict[str, Any]:
        """The deployment and the package: a package is a challenger once."""
        return {"deployment_id": self.deployment_id, "model_package_id": self.model_package_id}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def findable(self) -> bool:
        """Whether an attempt without a memory takes the challenger that an earlier one made."""
        return self.if_exists == "adopt"

    def start(self, run: Run) -> Step:
        """Takes the challenger that is there, or checks what the service demands and makes one."""
        there = challengers.listed(run.client, self.deployment_id)
        ours = challengers.of_package(there, self.model_package_id)
        if ours and self.if_exists == "adopt":
            self.log.info("Challenger %s is of this package already; it is taken.", ours[0].get("id"))
            return self._result(ours[0], there, adopted=True)
        deployment = run.read("getDeployment", deploymentId=self.deployment_id)
        package = run.read("getModelPackage", modelPackageId=self.model_package_id)
        challengers.refuse_off(run.client, self.deployment_id)
        challengers.refuse_unfit(deployment, package, there)
        sent = run.submit(
            self.operation,
            self._body(deployment, package),
            stage="create",
            look=lambda: self._found(run),
            extra_body=self.extra_body,
            deploymentId=self.deployment_id,
        )
        if sent.answer is None:
            return self._result(sent.found, challengers.listed(run.client, self.deployment_id), adopted=True)
        path = run.path_of(sent.answer)
        if path is None:
            return self._seen(run, None)
        return Await(JobWait(path), f"a challenger of deployment {self.deployment_id} is being made")

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on with what an earlier attempt sent; what does not show is not sent again."""
        if handle.state == "submitted" and handle.wait:
            return super().take_up(run, handle)
        run.outwait(handle)
        found = self._found(run)
        run.memory.settle()
        if found is None:
            raise OutcomeUnknown(
                "an earlier attempt ended while it made this challenger, and none of this package is there; check with "
                "listDeploymentChallengers, then clear the task to send it again, or do not",
                operation=self.operation,
            )
        return self._result(found, challengers.listed(run.client, self.deployment_id), adopted=True)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over: the challenger itself tells."""
        return self._seen(run, challengers.id_in(result.get("location"), self.deployment_id))

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """The job ended badly, or its record is gone: a challenger that is there counts all the same."""
        found = self._found(run)
        if found is None:
            return super().failed(run, reason, result)
        self.log.warning("The job ended badly (%s), and yet the challenger is there.", reason)
        return self._result(found, challengers.listed(run.client, self.deployment_id), adopted=False)

    def _body(self, deployment: Mapping[str, Any], package: Mapping[str, Any]) -> dict[str, Any]:
        place = self.prediction_environment_id or dig(deployment, "predictionEnvironment.id")
        if not place:
            raise InvalidCall(
                f"deployment {self.deployment_id} names no prediction environment: give prediction_environment_id"
            )
        name = package.get("name") if arguments.absent(self.name) else self.name
        body = {"modelPackageId": self.model_package_id, "name": name or self.model_package_id}
        return {**body, "predictionEnvironmentId": place}

    def _found(self, run: Run) -> dict[str, Any] | None:
        """The challenger of our package, as the list has it."""
        there = challengers.listed(run.client, self.deployment_id)
        return next(iter(challengers.of_package(there, self.model_package_id)), None)

    def _seen(self, run: Run, challenger_id: str | None) -> dict[str, Any]:
        """The challenger that was made: by its id, else by its package in the list, which may lag for some looks."""
        for look in range(SEEN_LOOKS):
            if look:
                run.sleep(SEEN_PAUSE)
            found = challengers.get(run.client, self.deployment_id, challenger_id) if challenger_id else None
            found = found or self._found(run)
            if found is not None:
                there = challengers.listed(run.client, self.deployment_id)
                return self._result(self._as_asked(run, found), there, adopted=False)
        run.memory.settle()
        raise challengers.ChallengerNotSeen(
            f"the service says that it is done, and deployment {self.deployment_id} has no challenger of model package "
            f"{self.model_package_id}",
            operation=self.operation,
        )

    def _as_asked(self, run: Run, found: dict[str, Any]) -> dict[str, Any]:
        given = dig(found, "modelPackage.id")
        if given == self.model_package_id:
            return found
        run.memory.settle()
        raise challengers.ChallengerNotSeen(
            f"challenger {found.get('id')} was made of model package {given}, not of {self.model_package_id}",
            operation=self.operation,
        )

    def _result(self, found: Mapping[str, Any], there: Sequence[Mapping[str, Any]], *, adopted: bool) -> dict[str, Any]:
        ours = [one.get("id") for one in challengers.of_package(there, self.model_package_id)]
        duplicates = sorted(str(one) for one in ours if one != found.get("id"))
        if duplicates:
            self.log.warning("Further challengers of this package: %s.", ", ".join(duplicates))
        return {
            "deployment_id": self.deployment_id,
            **challengers.told(found),
            "adopted": adopted,
            "duplicates": duplicates,
        }


class DataRobotListChallengersOperator(DataRobotBaseReadOperator):
    """Lists the challengers of a deployment, for ``.expand()`` for example.

    :param deployment_id: the deployment.
    :param fields: what to tell of each: challenger_id, name, model_id, model_name, model_package_id,
        prediction_environment_id (default: all). Exactly ``challenger_id`` gives a list of ids.

    Returns a list in the order of the ids. Fails with the errors of the service. Operation:
    listDeploymentChallengers.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, "deployment_id", "fields")

    def __init__(self, *, deployment_id: str, fields: str | Sequence[str] = FIELDS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.fields = fields

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.fields = arguments.some_of("fields", self.fields, FIELDS)
        if not self.fields:
            raise InvalidCall("fields must name at least one field of a challenger")

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def read(self, client: Client) -> list[Any]:
        """The challengers."""
        found = [challengers.told(one) for one in challengers.listed(client, self.deployment_id)]
        found.sort(key=lambda one: str(one["challenger_id"]))
        if self.fields == ["challenger_id"]:
            return [one["challenger_id"] for one in found]
        return [{name: one[name] for name in self.fields} for one in found]
