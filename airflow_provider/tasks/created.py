"""A deployment that a task has made: found among others by its label and mark, and looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider.api.errors import NotFound, NotUnderstood
from airflow_provider.mlops import creation
from airflow_provider.tasks.run import Run

LOOKS, PAUSE = 5, 3.0  # lists and new things may lag (wire.md K)
KEY = "deployment_id"  # where a handle notes it


@dataclass(frozen=True, slots=True)
class Created:
    """What is known of ours before its id is; ``mark`` is None for an unmarked one."""

    label: str
    mark: str | None
    operation: str

    def labelled(self, run: Run) -> list[dict[str, Any]]:
        """Deployments of the label, whoever made them."""
        return creation.labelled(run.client, self.label)

    def ours(self, there: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """Of those with our mark the first that was made."""
        marked = [one for one in there if self.mark and creation.is_ours(one, self.mark)]
        return min(marked, key=lambda one: str(one.get("createdAt")), default=None)

    def duplicates(self, run: Run, key: str) -> list[str]:
        """Others with our mark: a commit that came later than ``settle`` makes one, and is told of."""
        there = self.labelled(run) if self.mark else []
        others = sorted(str(one["id"]) for one in there if creation.is_ours(one, str(self.mark)) and one["id"] != key)
        if others:
            run.log.error("Deployment %s has duplicates with the same mark: %s", key, ", ".join(others))
        return others

    def named(self, run: Run, location: Any) -> str:
        """The id of one whose creation was answered without it: where the job points, else by the list."""
        parts = str(location or "").partition("?")[0].strip("/").split("/")
        if len(parts) > 1 and parts[-2] == "deployments":
            return parts[-1]
        for _ in range(LOOKS):
            found = self.ours(self.labelled(run))
            if found is not None:
                return str(found["id"])
            run.sleep(PAUSE)
        raise NotUnderstood("accepted, and neither answer nor lists name the deployment", operation=self.operation)


def key_of(run: Run) -> str | None:
    """The id that the handle has noted."""
    assert run.handle is not None, "a deployment was created"
    found = run.handle.before.get(KEY)
    return None if found is None else str(found)


def look(run: Run) -> dict[str, Any]:
    """The deployment as it is now."""
    return run.read("getDeployment", deploymentId=key_of(run))


def seen(run: Run) -> dict[str, Any] | None:
    """The deployment, which may be missing for a moment; None where there is none after some looks."""
    for number in range(LOOKS if key_of(run) else 0):
        if number:
            run.sleep(PAUSE)
        try:
            return look(run)
        except NotFound:
            continue
    return None


def is_approved(deployment: Mapping[str, Any]) -> bool:
    """Whether it needs no approval, or has it."""
    return creation.approval_of(deployment) == "APPROVED"
