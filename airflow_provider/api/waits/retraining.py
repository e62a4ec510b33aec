"""Runs of retraining policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_provider.api import moments
from airflow_provider.api.endings import Ending
from airflow_provider.api.waits.verdicts import Done, Failed, Pending, Verdict, WaitAnswer


@dataclass(frozen=True, slots=True)
class RunWait:
    """A retraining run (operation getDeploymentRetrainingPolicyRun), whose status words are not documented.

    Without ``finishTime`` it runs, whatever its word. With it: an ``errorMessage`` or a cancelled word means failed,
    one of the ids in ``promises`` (what the policy's action makes) means done, neither means that nobody knows.
    """

    kind: ClassVar[str] = "retraining_run"
    absent: ClassVar[Ending] = "failed"
    path: str
    promises: Sequence[str]

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        return _by_finish(answer.json(), self.promises)


@dataclass(frozen=True, slots=True)
class LatestRunWait:
    """The latest run of a retraining policy (operation getDeploymentRetrainingPolicy), until it is over.

    Read as :class:`RunWait` does. No run yet, or only one that began before ``since`` (seconds since 1970; None: any),
    is pending; a run that does not say when it began counts as new.
    """

    kind: ClassVar[str] = "latest_retraining_run"
    absent: ClassVar[Ending] = "failed"
    path: str
    promises: Sequence[str]
    since: float | None = None

    def request(self) -> str:
        return self.path

    def receive(self, answer: WaitAnswer) -> Verdict:
        run = answer.json().get("latestRun")
        if not run:
            return Pending("the policy has no run yet")
        began = _seconds(run.get("startTime"))
        if self.since is not None and began is not None and began < self.since:
            return Pending(f"the latest run began at {run['startTime']}, a later one is waited for")
        return _by_finish(run, self.promises)


def _by_finish(run: Mapping[str, Any], promises: Sequence[str]) -> Verdict:
    """What a retraining run says, whatever its word."""
    word = str(run.get("status"))
    if not run.get("finishTime"):
        return Pending(f"run is {word}")
    if word.lower() in ("cancelled", "canceled"):
        return Failed("run was cancelled", {"entity": run})
    if run.get("errorMessage"):
        return Failed(str(run["errorMessage"]), {"entity": run})
    if any(run.get(name) for name in promises):
        return Done({"entity": run})
    return Failed(f"unknown outcome: finished as {word} without {' or '.join(promises)}", {"entity": run})


def _seconds(text: Any) -> float | None:
    """A moment of the service in seconds since 1970; None where it is none, without a zone it is UTC."""
    try:
        return moments.read(text).timestamp() if isinstance(text, str) else None
    except ValueError:
        return None
