"""Somebody beside the pipeline who works on the same retraining policy, by raw HTTP; and the task that runs it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx

from tests.harness import GOVERNED, UNGOVERNED, Ending, Store, Task

if TYPE_CHECKING:
    from typing import Self

    from tests.harness import Stage

POST = "createDeploymentRetrainingPolicyRun"
LENGTH = 300.0  # seconds of a run


class Trainer:
    """A person with the rights of the requester."""

    def __init__(self, stage: Stage, user: str = "requester") -> None:
        token = stage.service.tokens[user]
        self.stage = stage
        self._http = httpx.Client(
            base_url=f"{stage.service.endpoint}/", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        )
        self.deployment = UNGOVERNED
        self.policy = ""
        self.anew()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def make(self, action: str = "create_challenger", deployment: str | None = None, **more: Any) -> str:
        """A policy; it is the one that is worked on from now on."""
        self.deployment = deployment or self.deployment
        body = {"name": f"Monthly {action}", "action": action, **more}
        answer = self._http.post(f"deployments/{self.deployment}/retrainingPolicies/", json=body)
        self.policy = str(answer.raise_for_status().json()["id"])
        return self.policy

    def anew(self, action: str = "create_challenger", deployment: str = UNGOVERNED, **switches: Any) -> None:
        """Another story with a new policy."""
        self.stage.anew(**{"retraining_unset": "runs", **switches})
        self.stage.service.jobs("retrainingRun", seconds=LENGTH)
        self.make(action, deployment)

    def own(self) -> None:
        """Scheduled runs go as the requester."""
        body = {"retrainingUserId": "64a000000000000000000001"}
        self._http.patch(f"deployments/{self.deployment}/retrainingSettings/", json=body).raise_for_status()

    @property
    def path(self) -> str:
        return f"deployments/{self.deployment}/retrainingPolicies/{self.policy}/"

    def start(self) -> None:
        self._http.post(f"{self.path}runs/").raise_for_status()

    def cancel(self) -> None:
        for run in self.runs.values():
            if run["state"] == "running":
                answer = self._http.patch(f"{self.path}runs/{run['id']}/", json={"status": "cancelled"})
                answer.raise_for_status()

    @property
    def runs(self) -> dict[str, Any]:
        """The runs as they are stored, whatever lists show."""
        found = self.stage.service.world("retrainingRuns")
        return {key: run for key, run in found.items() if run["policyId"] == self.policy}

    @property
    def started(self) -> int:
        return self.stage.service.count("retrainingRunStarted")

    def task(self, *, store: bool = True, retries: int = 2, **arguments: Any) -> RetrainingTask:
        """A task that runs the policy; it is deferred unless the arguments say otherwise."""
        from airflow_provider.operators.retraining import DataRobotRunRetrainingPolicyOperator

        given = {
            "task_id": "retrain",
            "deployment_id": self.deployment,
            "policy_id": self.policy,
            "deferrable": True,
            "retries": retries,
            **arguments,
        }
        return RetrainingTask(
            self.stage, lambda: DataRobotRunRetrainingPolicyOperator(**given), Store() if store else None, retries
        )


@dataclass
class RetrainingTask(Task):
    """A task whose DAG run began when the story did."""

    began: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.began = time.time()

    def _context(self) -> dict[str, Any]:
        began = datetime.fromtimestamp(self.began, UTC)
        return {**super()._context(), "dag_run": SimpleNamespace(start_date=began)}


def succeeded(ending: Ending, outcome: str = "challenger_created") -> dict[str, Any]:
    assert ending.state == "success", str(ending)
    result: dict[str, Any] = ending.result
    assert result["outcome"] == outcome
    return result


def failed(ending: Ending, name: str) -> str:
    assert ending.state == "failed", str(ending)
    assert str(ending.error).startswith(f"{name}:"), str(ending)
    return str(ending.error)


__all__ = ["GOVERNED", "LENGTH", "POST", "UNGOVERNED", "RetrainingTask", "Trainer", "failed", "succeeded"]
