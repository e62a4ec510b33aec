"""Creating a deployment, under an approval policy too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.creation import ROUTES
from airflow_provider.mlops.naming import mark_of, marked
from airflow_provider.operators.deployments import IMPORTANCES
from airflow_provider.operators.model_packages import MARK_ROOM
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.created import Created
from airflow_provider.tasks.creating import Creating
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.memory import Handle
from airflow_provider.tasks.run import Run

MONTH = timedelta(days=30)
LABEL_LENGTH, DESCRIPTION_LENGTH = 512, 10_000  # the page of createDeploymentFromLearningModel
CHOICES = {
    "on_changes_requested": ("fail", "skip", "wait"),
    "on_cancelled": ("fail", "skip"),
    "on_new_version": ("fail", "skip", "wait"),
}


class DataRobotCreateDeploymentOperator(DataRobotBaseOperator):
    """Creates a deployment of a model package or a model; waits until it is launched, and approved where it must be.

    Under an approval policy on creation the service opens an ``approve`` request by itself. The deployment serves
    predictions meanwhile; the task waits until people have decided.

    :param deployment_label: its label, at most 512 characters.
    :param model_package_id: what is deployed; or
    :param model_id: a model of a project. Exactly one of the two.
    :param route: for a model: ``learning_model`` or ``leaderboard``, the two ways that the service knows.
    :param description: at most 9,968 characters.
    :param importance: CRITICAL, HIGH, MODERATE or LOW (None: the service's default).
    :param prediction_server: id, URL or host name of a prediction server; never "the first".
    :param prediction_environment: id or name of a prediction environment.
    :param prediction_threshold: for a model and a binary target, 0 to 1.
    :param marked: add a mark to the description (made of DAG, task and run). By it a deployment whose answer was lost
        is found again, and an attempt or rerun of the same DAG run takes the deployment that is there. Without a mark a
        lost answer ends in OutcomeUnknown, and nothing is sent twice.
    :param if_label_taken: ``fail``, or ``create`` a second deployment of a label that another one has.
    :param if_building: ``fail`` or ``wait`` while the package is being built.
    :param wait_for_approval: wait for the decision; else the task ends when the deployment is launched.
    :param on_changes_requested: ``fail``, ``skip`` or ``wait`` when reviewers ask for changes.
    :param on_cancelled: ``fail`` or ``skip`` when the request is cancelled.
    :param on_new_version: ``fail``, ``skip`` or ``wait`` when somebody edits the request.
    :param require_reviews: refuse an approval that has fewer approving reviews than it needs.
    :param launch_timeout: seconds or a timedelta for the launch alone.
    :param timeout: for everything, approval included; default 30 days.

    Returns ``deployment_id``, ``label``, ``model_package_id``, ``model_id``, ``status``, ``approval_status`` (APPROVED,
    or PENDING where the task does not wait), ``change_request`` (who decided and when; None where none was needed),
    ``duplicates`` (ids of others with the same mark: a lost request that was carried out very late) and ``sent_twice``.

    Fails with LabelTaken, NotOne (server or environment), NotBuilt, JobFailed (the launch), NotLaunched and NotApproved
    (done by word, not in fact), OutcomeUnknown, WaitTimedOut and the errors of the service (409 at the quota of the
    organisation). Operations: listDeployments, getModelPackage, listPredictionServers, listPredictionEnvironments,
    createDeploymentFromModelPackage, createDeploymentFromLearningModel or createDeploymentFromLeaderboard, getStatus,
    getDeployment, listChangeRequests, getChangeRequest, updateChangeRequestStatus. Memory before Airflow 3.3: the mark.
    """

    operation = "createDeploymentFromModelPackage"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_label",
        "model_package_id",
        "model_id",
        "route",
        "description",
        "importance",
        "prediction_server",
        "prediction_environment",
        "prediction_threshold",
        "marked",
        "if_label_taken",
        "if_building",
        "wait_for_approval",
        "on_changes_requested",
        "on_cancelled",
        "on_new_version",
        "require_reviews",
        "launch_timeout",
    )

    def __init__(
        self,
        *,
        deployment_label: str,
        model_package_id: str | None = None,
        model_id: str | None = None,
        route: str = "learning_model",
        description: str = "",
        importance: str | None = None,
        prediction_server: str | None = None,
        prediction_environment: str | None = None,
        prediction_threshold: float | str | None = None,
        marked: bool | str = True,
        if_label_taken: str = "fail",
        if_building: str = "fail",
        wait_for_approval: bool | str = True,
        on_changes_requested: str = "fail",
        on_cancelled: str = "fail",
        on_new_version: str = "fail",
        require_reviews: bool | str = False,
        launch_timeout: float | timedelta | str | None = timedelta(hours=2),
        timeout: float | timedelta | str | None = MONTH,
        on_timeout: str = "leave",
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, on_timeout=on_timeout, **kwargs)
        self.deployment_label = deployment_label
        self.model_package_id = model_package_id
        self.model_id = model_id
        self.route = route
        self.description = description
        self.importance = importance
        self.prediction_server = prediction_server
        self.prediction_environment = prediction_environment
        self.prediction_threshold = prediction_threshold
        self.marked = marked
        self.if_label_taken = if_label_taken
        self.if_building = if_building
        self.wait_for_approval = wait_for_approval
        self.on_changes_requested = on_changes_requested
        self.on_cancelled = on_cancelled
        self.on_new_version = on_new_version
        self.require_reviews = require_reviews
        self.launch_timeout = launch_timeout

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_label = arguments.named("deployment_label", self.deployment_label, LABEL_LENGTH)
        self.model_package_id = arguments.optional_identifier("model_package_id", self.model_package_id)
        self.model_id = arguments.optional_identifier("model_id", self.model_id)
        if (self.model_package_id is None) == (self.model_id is None):
            given = "neither" if self.model_id is None else "both"
            raise InvalidCall(f"give exactly one of model_package_id and model_id, not {given}")
        self.route = arguments.one_of("route", self.route, ("learning_model", "leaderboard"))
        self.marked = arguments.flag("marked", self.marked)
        self.launch_timeout = arguments.seconds("launch_timeout", self.launch_timeout)
        deployed = str(self.model_package_id or self.model_id)
        mark = mark_of(self._instance, deployed, self.deployment_label) if self.marked else None
        route = "model_package" if self.model_package_id else self.route
        self._steps = Creating(
            route=route,
            deployed=deployed,
            created=Created(self.deployment_label, mark, ROUTES[route][0]),
            body=self._body(mark),
            server=arguments.optional_name("prediction_server", self.prediction_server, LABEL_LENGTH),
            environment=arguments.optional_name("prediction_environment", self.prediction_environment, LABEL_LENGTH),
            if_building=arguments.one_of("if_building", self.if_building, ("fail", "wait")),
            if_label_taken=arguments.one_of("if_label_taken", self.if_label_taken, ("fail", "create")),
            wait_for_approval=arguments.flag("wait_for_approval", self.wait_for_approval),
            gate=self._gate(),
            launch_seconds=self.launch_timeout,
            extra_body=self.extra_body,
        )

    def identity(self) -> dict[str, Any]:
        """The label, and what is deployed."""
        return {"label": self.deployment_label, "package": self.model_package_id, "model": self.model_id}

    def start(self, run: Run) -> Step:
        """Takes the deployment that carries our mark, or creates one."""
        return self._steps.start(run)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """A request that was being applied is asked; everything else is waited for or looked for again."""
        return self._steps.take_up(run, handle) or super().take_up(run, handle)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """After a wait: decides by the stage what the service's truth is now."""
        step = self._steps.proceed(run, result)
        if isinstance(step, dict):
            self.web_link = deployment_url(run.client.settings.web_url, step["deployment_id"])
        return step

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """A job that failed, or whose record is lost: the deployment tells what really happened."""
        return self._steps.failed(run, reason) or super().failed(run, reason, result)

    def _body(self, mark: str | None) -> dict[str, Any]:
        """What of the body is known before anything is looked up."""
        text = arguments.text("description", self.description, DESCRIPTION_LENGTH - MARK_ROOM)
        body: dict[str, Any] = {"description": marked(text, mark)}
        if not arguments.unset(self.importance):
            body["importance"] = arguments.one_of("importance", self.importance, IMPORTANCES)
        if not arguments.absent(self.prediction_threshold):
            threshold = arguments.number("prediction_threshold", self.prediction_threshold)
            if self.model_package_id is not None or not 0 <= threshold <= 1:
                raise InvalidCall(f"prediction_threshold must be from 0 to 1, and is for a model_id, not {threshold}")
            body["predictionThreshold"] = threshold
        return body

    def _gate(self) -> dict[str, Any]:
        """How decisions are taken; ``ChangeGate`` has the same words."""
        chosen = {name: arguments.one_of(name, getattr(self, name), allowed) for name, allowed in CHOICES.items()}
        return {**chosen, "require_reviews": arguments.flag("require_reviews", self.require_reviews)}
