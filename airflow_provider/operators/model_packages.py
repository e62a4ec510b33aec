"""Registering a model of the Leaderboard: a model package, which is a version of a registered model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall, NotUnderstood, OutcomeUnknown
from airflow_provider.api.waits import EntityWait, JobWait
from airflow_provider.mlops import registry
from airflow_provider.mlops.naming import NotOne, mark_of, marked
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow_provider.api.once import Sent
    from airflow_provider.tasks.memory import Handle

BUILD, ANSWER = "build", "answer"
MARK_ROOM = 32  # characters of a description that the mark may need
SEEN_LOOKS, SEEN_PAUSE = 5, 3.0  # a new package may be missing from its list


class DataRobotRegisterModelOperator(DataRobotBaseOperator):
    """Registers a model of the Leaderboard as a version of a registered model, and waits until it is built.

    :param model_id: the model of a project.
    :param registered_model_id: the registered model that gets the version; or
    :param registered_model_name: the one of this name; a new one where there is none. Without both the service makes a
        new registered model, called after the version.
    :param name: of the version (None: the service's choice).
    :param description: of the version, at most 2,016 characters.
    :param prediction_threshold: for a binary target, 0 to 1 (None: the model's own).
    :param marked: add a mark to the description (made of DAG, task and run). By it a version whose answer was lost is
        found again, and an attempt or rerun of the same DAG run takes the version that is there, unless its build
        failed. Without a mark a lost answer ends in OutcomeUnknown, and nothing is sent twice.

    Returns ``model_package_id``, ``registered_model_id``, ``version``, ``name``, ``model_id``, ``target``,
    ``target_type``, ``build_status`` (None: the service tells of no build), ``adopted`` (it was there already),
    ``duplicates`` (ids of others with the same mark: a lost request that was carried out very late) and
    ``sent_twice``.

    Fails with NotOne (several registered models of the name), JobFailed (the build, with its last words),
    OutcomeUnknown, WaitTimedOut and the errors of the service. Operations: listRegisteredModels, listModelPackages,
    createModelPackageFromLeaderboard, getModelPackage, listModelPackageModelLogs. Memory before Airflow 3.3: the mark.
    """

    operation = "createModelPackageFromLeaderboard"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "model_id",
        "registered_model_id",
        "registered_model_name",
        "name",
        "description",
        "prediction_threshold",
        "marked",
    )

    def __init__(
        self,
        *,
        model_id: str,
        registered_model_id: str | None = None,
        registered_model_name: str | None = None,
        name: str | None = None,
        description: str = "",
        prediction_threshold: float | str | None = None,
        marked: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.model_id = model_id
        self.registered_model_id = registered_model_id
        self.registered_model_name = registered_model_name
        self.name = name
        self.description = description
        self.prediction_threshold = prediction_threshold
        self.marked = marked

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.model_id = arguments.identifier("model_id", self.model_id)
        self.registered_model_id = arguments.optional_identifier("registered_model_id", self.registered_model_id)
        self.registered_model_name = arguments.optional_name(
            "registered_model_name", self.registered_model_name, registry.NAME_LENGTH
        )
        if self.registered_model_id and self.registered_model_name:
            raise InvalidCall("give registered_model_id or registered_model_name, not both")
        self.name = arguments.optional_name("name", self.name, registry.NAME_LENGTH)
        self.description = arguments.text("description", self.description, registry.DESCRIPTION_LENGTH - MARK_ROOM)
        self.marked = arguments.flag("marked", self.marked)
        if arguments.absent(self.prediction_threshold):
            self.prediction_threshold = None
        else:
            self.prediction_threshold = arguments.number("prediction_threshold", self.prediction_threshold)
            if not 0 <= self.prediction_threshold <= 1:
                raise InvalidCall(f"prediction_threshold must be from 0 to 1, not {self.prediction_threshold}")
        self._mark = mark_of(self._instance, self.model_id) if self.marked else None

    def identity(self) -> dict[str, Any]:
        """The model, and what it shall be a version of."""
        registered = {"id": self.registered_model_id, "name": self.registered_model_name}
        return {"model_id": self.model_id, "registered": registered, "version": self.name}

    # --- the steps --------------------------------------------------------------------------------------------

    def start(self, run: Run) -> Step:
        """Takes the version that carries our mark, or registers."""
        found = self._found(run, failed=False)
        if found is not None:
            run.log.info("Model package %s was made by an earlier attempt; it is taken.", found["id"])
            run.adopt(BUILD, id=str(found["id"]))
            return self._build(str(found["id"]))
        body = registry.creation(
            self.model_id,
            registered_model_name=self.registered_model_name,
            registered_model_id=self.registered_model_id,
            name=self.name,
            description=marked(self.description, self._mark),
            prediction_threshold=self.prediction_threshold,  # type: ignore[arg-type]
        )
        body |= self._registered(run)
        if "registeredModelId" in body:
            body.pop("registeredModelName", None)
        look = (lambda: self._found(run)) if self._mark else None
        sent = run.submit(self.operation, body, stage=ANSWER, look=look, extra_body=self.extra_body)
        return self._sent(run, sent)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on with what an earlier attempt sent; what it did not note and carries no mark is not sent again."""
        if handle.state == "submitted" and not handle.wait and handle.id:
            return self._build(handle.id)
        if handle.state == "submitted" and not handle.wait and not self._mark:
            run.memory.settle()
            raise OutcomeUnknown(
                f"an earlier attempt registered model {self.model_id} and ended before it noted what; check with "
                "listModelPackages, then clear the task to register it again, or do not",
                operation=self.operation,
            )
        return super().take_up(run, handle)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job of an answer without a body is over, or the package is built."""
        handle = run.handle
        assert handle is not None, "something was waited for"
        if handle.stage == ANSWER:
            return self._noted(run, self._seen(run))
        package = run.read("getModelPackage", modelPackageId=handle.id)
        others = [one["id"] for one in self._all(run) if one["id"] != handle.id and one.get("buildStatus") != "failed"]
        described = str((package.get("modelDescription") or {}).get("description"))
        if self._mark and self._mark not in described:
            run.log.warning("Model package %s does not show its mark: after a lost answer none is found.", handle.id)
        if others:
            run.log.error("Model package %s has duplicates with the same mark: %s", handle.id, ", ".join(others))
        return {
            **registry.told(package),
            "adopted": handle.owner == "adopted",
            "duplicates": sorted(others),
            "sent_twice": handle.sent_twice,
        }

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """The build failed: its log has the last words. A lost record of a job says nothing about the package."""
        handle = run.handle
        assert handle is not None, "something was waited for"
        if handle.stage == ANSWER:
            found = self._found(run)
            if found is not None:
                return self._noted(run, found)
            return super().failed(run, reason, result)
        words = registry.last_words(run.client, str(handle.id))
        told = f"model package {handle.id} was not built: {reason}"
        return super().failed(run, f"{told}: {words}" if words else told, result)

    # --- small things -----------------------------------------------------------------------------------------

    def _registered(self, run: Run) -> dict[str, str]:
        """The id of the registered model of the wished name, where there is one."""
        if self.registered_model_name is None:
            return {}
        found = registry.models_named(run.client, self.registered_model_name)
        if len(found) > 1:
            ids = ", ".join(sorted(str(one["id"]) for one in found))
            raise NotOne(f"{len(found)} registered models are named {self.registered_model_name!r}: {ids}")
        return {"registeredModelId": str(found[0]["id"])} if found else {}

    def _sent(self, run: Run, sent: Sent) -> Step:
        if sent.answer is None:
            return self._noted(run, sent.found)
        body = sent.answer.json()
        if isinstance(body, dict) and body.get("id"):
            return self._noted(run, body)
        path = run.path_of(sent.answer)
        if path is None:
            return self._noted(run, self._seen(run))
        return Await(JobWait(path), f"model {self.model_id} is being registered")

    def _noted(self, run: Run, package: dict[str, Any]) -> Await:
        run.memory.update(id=str(package["id"]), stage=BUILD)
        run.log.info("Model package %s is version %s.", package["id"], package.get("registeredModelVersion"))
        return self._build(str(package["id"]))

    def _build(self, package_id: str) -> Await:
        return Await(EntityWait(f"modelPackages/{package_id}/", "package"), f"model package {package_id} is built")

    def _all(self, run: Run) -> list[dict[str, Any]]:
        return registry.packages_marked(run.client, self.model_id, self._mark) if self._mark else []

    def _found(self, run: Run, *, failed: bool = True) -> dict[str, Any] | None:
        """The version with our mark, the first that was made; ``failed``: also one whose build failed."""
        fitting = [one for one in self._all(run) if failed or one.get("buildStatus") != "failed"]
        return min(fitting, key=lambda one: int(one.get("registeredModelVersion") or 0), default=None)

    def _seen(self, run: Run) -> dict[str, Any]:
        for _ in range(SEEN_LOOKS):
            found = self._found(run)
            if found is not None:
                return found
            run.sleep(SEEN_PAUSE)
        raise NotUnderstood("accepted, and neither the answer nor the lists name the package", operation=self.operation)
