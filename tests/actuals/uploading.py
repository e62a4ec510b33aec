"""Uploads of actuals on the stage, and what the emulator says became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.harness import Ending, Stage, Store, Task

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

LABELLED = "64e000000000000000000002"  # classes yes and no
REGRESSION = "64d000000000000000000006"  # a package that predicts numbers
POST = "submitDeploymentActualsFromJson"
COUNTS = ("read", "sent", "rejected", "skipped", "pending", "repeated")
Pair = tuple[str, str]


@dataclass
class Night(Task):
    """A task that knows its attempts apart, as the ledger wants it."""

    run_id: str = "scheduled__2026-03-02"

    def _context(self) -> dict[str, Any]:
        context = super()._context()
        context["ti"].try_number = len(self.endings) + 1
        context["ti"].run_id = self.run_id
        return context


def pairs(count: int, first: int = 0) -> list[Pair]:
    return [(f"row-{n}", "yes" if n % 3 else "no") for n in range(first, first + count)]


def write(file: Path, rows: Sequence[Sequence[str]], header: str = "id,outcome") -> Path:
    file.write_text("\n".join([header, *(",".join(row) for row in rows), ""]))
    return file


def upload(
    stage: Stage, source: Any, *, retries: int = 0, run_id: str = "run-1", store: bool = True, **more: Any
) -> Night:
    """A task that uploads a source; deferrable unless the arguments say otherwise."""
    from airflow_provider.operators.actuals import DataRobotUploadActualsOperator

    given = {
        "task_id": "upload",
        "deployment_id": LABELLED,
        "source": str(source) if isinstance(source, Path) else source,
        "association_id_column": "id",
        "actual_value_column": "outcome",
        "deferrable": True,
        **more,
    }
    return Night(
        stage, lambda: DataRobotUploadActualsOperator(**given), Store() if store else None, retries, run_id=run_id
    )


def counts(ending: Ending) -> tuple[int, ...]:
    """read, sent, rejected, skipped, pending, repeated"""
    assert ending.state == "success", ending
    found = tuple(ending.result[name] for name in COUNTS)
    assert found[0] == sum(found[1:5])
    return found


def stored(service: EmulatorDoor, deployment: str = LABELLED) -> dict[str, Any]:
    """What the service has: values by association id, when all jobs are over."""
    service.advance(120)
    values: dict[str, Any] = service.actuals(deployment, values=True)["values"]
    return {key: one["actualValue"] for key, one in values.items()}


def accepted(service: EmulatorDoor, deployment: str = LABELLED) -> dict[str, int]:
    """How often each id was accepted, which overwriting hides."""
    found: dict[str, int] = service.actuals(deployment, ids=True)["acceptedPerId"]
    return found


def answers(service: EmulatorDoor) -> list[int]:
    """The statuses of all posts of actuals."""
    return [one["status"] for one in service.log(operationId=POST)]
