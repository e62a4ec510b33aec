"""Watching a deployment for a while after a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.api.waits import Failed, WatchWait
from airflow_provider.mlops.replacement import champion_of
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

FAILED_CHECK = "failed_check"
HEALTHS = ("failing", "warning", "unknown", "notStarted", "unavailable", "passing")


class PostCheckFailed(DataRobotError):
    """The deployment did not stay as it should be."""


@contextmanager
def _told(context: Context) -> Iterator[None]:
    """Leaves what a check says for the tasks behind it: an exception is not seen there."""
    try:
        yield
    except AirflowException as error:
        if isinstance(error.__cause__, PostCheckFailed):
            context["ti"].xcom_push(key=FAILED_CHECK, value=str(error.__cause__))
        raise


class DataRobotWatchDeploymentOperator(DataRobotBaseOperator):
    """Succeeds when a deployment stays well for a while: the champion is the right one, it is active, it is healthy.

    :param deployment_id: the deployment.
    :param model_package_id: the model package that must be the champion; None: any.
    :param watch: seconds or a timedelta to watch for; 0 is one look.
    :param unhealthy: words of service health that fail the check: one, a list, or a text with commas. ``failing`` alone
        by default, because a deployment without predictions has the health ``notStarted`` or ``unknown``.
    :param timeout: none by default: ``watch`` ends the task.

    Returns ``deployment_id``, ``champion`` (model_package_id, model_id, name, deployed_at), ``status``,
    ``service_health`` and ``watched`` (seconds). Fails with PostCheckFailed, which names what is wrong, at the first
    look that shows it, and leaves its text in XCom under ``failed_check``; with WaitTimedOut when ``timeout`` or
    ``execution_timeout`` ends the watch too early; and with the errors of the service. Operation: getDeployment.
    Memory: from Airflow 3.3 on, a retry watches for what is left of the time; before, for all of it.
    """

    operation = "getDeployment"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "model_package_id",
        "watch",
        "unhealthy",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        model_package_id: str | None = None,
        watch: float | timedelta | str = timedelta(minutes=10),
        unhealthy: str | Sequence[str] = "failing",
        timeout: float | timedelta | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.deployment_id = deployment_id
        self.model_package_id = model_package_id
        self.watch = watch
        self.unhealthy = unhealthy

    def execute(self, context: Context) -> Any:
        """Watches; what is wrong stands in XCom too."""
        with _told(context):
            return super().execute(context)

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Goes on after the trigger fired; what is wrong stands in XCom too."""
        with _told(context):
            return super().resume(context, event)

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.model_package_id = arguments.optional_identifier("model_package_id", self.model_package_id)
        self._seconds = arguments.seconds("watch", self.watch) or 0.0
        if isinstance(self.timeout, float) and self._seconds > self.timeout:
            raise InvalidCall(f"watch ({self._seconds:.0f} s) must not be longer than timeout ({self.timeout:.0f} s)")
        self.unhealthy = arguments.some_of("unhealthy", self.unhealthy, HEALTHS)

    def identity(self) -> dict[str, Any]:
        """The deployment and what it must look like."""
        return {"deployment_id": self.deployment_id, "model_package_id": self.model_package_id}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Watches from now on."""
        run.adopt("watch")
        return Await(self._wait(), f"watching for {self._seconds:.0f} s", limit=self._seconds)

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """Something was wrong at a look."""
        run.memory.settle()
        raise PostCheckFailed(f"deployment {self.deployment_id}: {reason}")

    def timed_out(self, run: Run, note: str | None) -> Step:
        """The time is over and nothing was wrong: one look at the truth, then success."""
        watched = run.clock() - run.handle.at if run.handle is not None else 0.0
        if watched < self._seconds:
            return super().timed_out(run, f"watched for {watched:.0f} s of {self._seconds:.0f} s; {note}")
        answer = run.client.call("getDeployment", deploymentId=self.deployment_id)
        verdict = self._wait().receive(answer)
        if isinstance(verdict, Failed):
            return self.failed(run, verdict.reason, verdict.result)
        deployment = answer.json()
        return {
            "deployment_id": self.deployment_id,
            "champion": champion_of(deployment),
            "status": deployment.get("status"),
            "service_health": (deployment.get("serviceHealth") or {}).get("status"),
            "watched": self._seconds,
        }

    def _wait(self) -> WatchWait:
        expect = {"status": "active"}
        if self.model_package_id:
            expect["modelPackage.id"] = self.model_package_id
        return WatchWait(f"deployments/{self.deployment_id}/", expect, {"serviceHealth.status": list(self.unhealthy)})
