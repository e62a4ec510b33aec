"""Watching a deployment for a while after a change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.api.waits import WatchWait
from airflow_provider.mlops.replacement import champion_of
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run


class PostCheckFailed(DataRobotError):
    """The deployment did not stay as it should be."""


class DataRobotWatchDeploymentOperator(DataRobotBaseOperator):
    """Succeeds when a deployment stays well for a while: the champion is the right one, it is active, it is healthy.

    :param deployment_id: the deployment.
    :param model_package_id: the model package that must be the champion; None: any.
    :param watch: seconds or a timedelta to watch for; 0 is one look.
    :param unhealthy: health words that fail the check, of service health. ``failing`` alone by default, because a
        deployment without predictions has the health ``notStarted`` or ``unknown``.

    Returns ``deployment_id``, ``champion``, ``status``, ``service_health``, ``watched`` (seconds). Fails at the first
    look that shows something wrong, with PostCheckFailed that names it. Operation: getDeployment.
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
        unhealthy: list[str] | str = "failing",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.model_package_id = model_package_id
        self.watch = watch
        self.unhealthy = unhealthy

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.model_package_id = arguments.optional_identifier("model_package_id", self.model_package_id)
        self.watch = arguments.seconds("watch", self.watch) or 0.0
        if isinstance(self.timeout, float) and self.watch > self.timeout:
            raise InvalidCall(f"watch ({self.watch:.0f} s) must not be longer than timeout ({self.timeout:.0f} s)")
        words = self.unhealthy if isinstance(self.unhealthy, list) else str(self.unhealthy).split(",")
        allowed = ("failing", "warning", "unknown", "notStarted", "unavailable", "passing")
        self.unhealthy = [arguments.one_of("unhealthy", word, allowed) for word in words]

    def identity(self) -> dict[str, Any]:
        """The deployment and what it must look like."""
        return {"deployment_id": self.deployment_id, "model_package_id": self.model_package_id}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Watches from now on."""
        run.adopt("watch")
        expect = {"status": "active"}
        if self.model_package_id:
            expect["modelPackage.id"] = self.model_package_id
        wait = WatchWait(f"deployments/{self.deployment_id}/", expect, {"serviceHealth.status": self.unhealthy})
        return Await(wait, f"watching for {self.watch:.0f} s", limit=float(self.watch))  # type: ignore[arg-type]

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """Something was wrong at a look."""
        run.memory.settle()
        raise PostCheckFailed(f"deployment {self.deployment_id}: {reason}")

    def timed_out(self, run: Run, note: str | None) -> Step:
        """The time is over and nothing was wrong: one look at the truth, then success."""
        deployment = run.read("getDeployment", deploymentId=self.deployment_id)
        return {
            "deployment_id": self.deployment_id,
            "champion": champion_of(deployment),
            "status": deployment.get("status"),
            "service_health": (deployment.get("serviceHealth") or {}).get("status"),
            "watched": self.watch,
        }
