"""What serves a deployment, and whether it is the model that shall: the truth behind every job, event and request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider.api.waits import EntityWait
from airflow_provider.mlops import replacement
from airflow_provider.tasks.run import Await, Run

SEEN_LOOKS, SEEN_PAUSE = 5, 3.0  # the champion may lag behind the end of the job (wire.md K)
Entity = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Serving:
    """A deployment and the model that shall be its champion."""

    deployment_id: str
    target: replacement.Target

    def look(self, run: Run) -> dict[str, Any]:
        """The deployment as it is now."""
        return run.read("getDeployment", deploymentId=self.deployment_id)

    def is_right(self, deployment: Entity) -> bool:
        """Whether the target serves; a champion of a deployment in error does not."""
        return self.target.serves(replacement.champion_of(deployment)) and deployment.get("status") != "errored"

    def begun(self, run: Run) -> Entity | None:
        """The deployment where it shows the target, or a replacement that is under way; else None."""
        deployment = self.look(run)
        return deployment if replacement.is_being_replaced(deployment) or self.is_right(deployment) else None

    def seen(self, run: Run) -> Entity:
        """The deployment, as soon as it shows the target or is being replaced; after some looks as it is."""
        deployment = self.look(run)
        for _ in range(SEEN_LOOKS - 1):
            if self.is_right(deployment) or replacement.is_being_replaced(deployment):
                break
            run.sleep(SEEN_PAUSE)
            deployment = self.look(run)
        return deployment

    def steady(self, note: str, limit: float | None) -> Await:
        """Waits until no replacement is under way."""
        wait = EntityWait(f"deployments/{self.deployment_id}/", "deployment", want=["active", "inactive"])
        return Await(wait, note, limit=limit)

    def not_seen(self, deployment: Entity, more: str = "") -> replacement.ReplacementNotSeen:
        """The error that says what serves in place of the target."""
        champion = replacement.champion_of(deployment)
        return replacement.ReplacementNotSeen(
            f"{self.target} should serve deployment {self.deployment_id}, and does not: the champion is model package "
            f"{champion['model_package_id']} (model {champion['model_id']}), the status is {deployment.get('status')}"
            + more
        )
