"""The task group in tests: its arguments, its steps, and how a run of it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.tasks import UNGOVERNED, V2, V3

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.tasks import Performed


def promotion(**arguments: Any) -> Any:
    """The group on the ungoverned deployment with one look as post-check, unless the arguments say otherwise."""
    from airflow_provider.task_groups.promotion import promote_model

    given = {"deployment_id": UNGOVERNED, "model_package_id": V3, "watch": 0}
    return promote_model("promotion", **{**given, **arguments})


def states(done: Performed) -> dict[str, str]:
    """How each step ended."""
    return {name.removeprefix("promotion."): one.state for name, one in done.ended.items()}


def ill(service: EmulatorDoor, deployment: str = UNGOVERNED) -> None:
    """The service health of a deployment is failing, whatever serves it."""
    service.change("deployments", deployment, health={"service": "failing", "model": "passing", "accuracy": "passing"})


def champion(service: EmulatorDoor, deployment: str = UNGOVERNED) -> str:
    """What serves, by the emulator's own store."""
    return str(service.world("deployments")[deployment]["modelPackageId"])


VALIDATION = "validateDeploymentModelReplacement"  # a POST that changes nothing
FORTH = ("before", "validate", "apply", "watch")
WELL = {**dict.fromkeys((*FORTH, "promoted"), "success"), "roll_back": "skipped"}
BACK = {**WELL, "watch": "failed", "roll_back": "success", "promoted": "upstream_failed"}
__all__ = ["BACK", "FORTH", "V2", "V3", "VALIDATION", "WELL", "champion", "ill", "promotion", "states"]
