"""Retraining: which runs a policy has, which of them a start has made, and what became of one.

The POST that starts a run answers with nothing (wire.md G, seed 002:6313), so the run is found afterwards: it is in
the list and was not there before, and it did not begin before the POST by the service's own clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider.api import moments
from airflow_provider.api.errors import DataRobotError, JobFailed, OutcomeUnknown

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

PAGE = 100
SKEW = 2.0  # seconds: a Date header has whole ones, and a service has more than one machine
DAY = 86400.0
CANCELLED = ("cancelled", "canceled")
NOT_STOPPED = (
    "a run can be cancelled only before it creates its challenger or replaces the model, and not when it is over"
)
# wire.md G; which id a good run has by then
PROMISES: Mapping[str, Sequence[str]] = {
    "create_challenger": ("challengerId",),
    "create_model_package": ("modelPackageId",),
    "model_replacement": ("modelPackageId",),
}
OUTCOMES = {
    "create_challenger": "challenger_created",
    "create_model_package": "package_created",
    "model_replacement": "replaced",
}
ANY_PROMISE = ("challengerId", "modelPackageId")  # of an action that we do not know
Run = Mapping[str, Any]


class RunInProgress(DataRobotError):
    """A run of the policy is going on, and the author wants none then."""


class RunNotSeen(DataRobotError):
    """The service accepted the start of a run, and none appeared."""


class RunVanished(DataRobotError):
    """A run that was waited for is not there any more."""


class RetrainingCancelled(DataRobotError):
    """Somebody cancelled the run."""


class CancelRefused(DataRobotError):
    """The service does not cancel the run any more."""


def promises_of(action: Any) -> list[str]:
    """The ids of which a good run has one when it is over, by the action of its policy."""
    return list(PROMISES.get(str(action), ANY_PROMISE))


def run_path(deployment_id: str, policy_id: str, run_id: str) -> str:
    """Where a run is read, relative to the API."""
    return f"deployments/{deployment_id}/retrainingPolicies/{policy_id}/runs/{run_id}/"


def moment(value: Any) -> float | None:
    """A time of the service in seconds since 1970; None for none. A time without zone is UTC."""
    try:
        return moments.read(value).timestamp()
    except ValueError:
        return None


def started(run: Run) -> float | None:
    """When a run began; None while the service does not say it."""
    return moment(run.get("startTime"))


def is_over(run: Run) -> bool:
    """Whether a run has ended, well or not: only its finishTime tells (its status words are not documented)."""
    return bool(run.get("finishTime"))


def went_well(run: Run, action: Any) -> bool:
    """Whether a run is over and has made what its policy promises."""
    if not is_over(run) or run.get("errorMessage") or was_cancelled(run):
        return False
    return any(run.get(name) for name in promises_of(action))


def was_cancelled(run: Run) -> bool:
    """Whether the word of the run is the one that is documented."""
    return str(run.get("status")).lower() in CANCELLED


@dataclass(frozen=True, slots=True)
class Listing:
    """A policy and all its runs. ``at``: the service's clock just before, in seconds since 1970 (None: not told)."""

    policy: Mapping[str, Any]
    runs: list[dict[str, Any]]
    at: float | None

    @property
    def active(self) -> dict[str, Any] | None:
        """The run that goes on; of several the last that began."""
        going = [one for one in self.runs if not is_over(one)]
        return max(going, key=lambda one: started(one) or float("inf"), default=None)


def listing(client: Client, deployment_id: str, policy_id: str) -> Listing:
    """The policy first, for the service's clock, then all pages of its runs."""
    where: dict[str, Any] = {"deploymentId": deployment_id, "retrainingPolicyId": policy_id}
    answer = client.call("getDeploymentRetrainingPolicy", **where)
    runs = list(client.iterate("listDeploymentRetrainingPolicyRuns", limit=PAGE, **where))
    return Listing(answer.object(), runs, answer.date.timestamp() if answer.date else None)


@dataclass(frozen=True, slots=True)
class Before:
    """What was there just before a start: ids of runs, and the service's clock.

    Runs that were over for a day are left out: their end tells that they are no new ones.
    """

    ids: list[str] = field(default_factory=list)
    at: float | None = None

    @classmethod
    def of(cls, listed: Listing) -> Before:
        """What this listing shows."""
        kept = [one for one in listed.runs if not _long_over(one, listed.at)]
        return cls(sorted(str(one["id"]) for one in kept), listed.at)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Before:
        """As :meth:`to_json` wrote it."""
        return cls(list(data.get("ids") or ()), data.get("at"))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"ids": self.ids, "at": self.at}

    def new(self, runs: Iterable[Run], since: float | None = None) -> list[Run]:
        """The runs that were not there before and did not begin before the start.

        :param since: the service's clock before a later sending of the same start.
        """
        since = self.at if since is None else since
        known = set(self.ids)
        return [
            one for one in runs if one["id"] not in known and not _long_over(one, self.at) and not _earlier(one, since)
        ]


def _long_over(run: Run, at: float | None) -> bool:
    end = moment(run.get("finishTime"))
    return end is not None and at is not None and end < at - DAY


def _earlier(run: Run, since: float | None) -> bool:
    began = started(run)
    return began is not None and since is not None and began < since - SKEW


def the_one(candidates: Sequence[Run]) -> Run | None:
    """The run that a start has made: of several the first that began. None where there is none.

    :raises OutcomeUnknown: names the candidates, when their times do not tell.
    """
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    times = [started(one) for one in candidates]
    known = [one for one in times if one is not None]
    if len(known) < len(times) or known.count(min(known)) > 1:
        raise unclear(candidates)
    return candidates[known.index(min(known))]


def begun_since(listed: Listing, moment: float) -> Run | None:
    """The run that began at this moment of the service or later, and goes on or went well; None where there is none.

    :raises OutcomeUnknown: names them, when there are several.
    """
    later = Before(at=moment).new(listed.runs)
    good = [one for one in later if not is_over(one) or went_well(one, listed.policy.get("action"))]
    if len(good) > 1:
        raise unclear(good)
    return good[0] if good else None


def unclear(candidates: Sequence[Run]) -> OutcomeUnknown:
    """The error that names the runs of which one may be ours."""
    told = ", ".join(f"{one['id']} (began {one.get('startTime')}, {one.get('status')})" for one in candidates)
    return OutcomeUnknown(
        f"several runs of the retraining policy may be the one that was started: {told}; nothing tells which. "
        "Look at them, and clear the task only when none of them will do",
        operation="createDeploymentRetrainingPolicyRun",
    )


def told(run: Run) -> dict[str, Any]:
    """A run in the words of our results."""
    return {
        "run_id": run.get("id"),
        "status": run.get("status"),
        "started_at": run.get("startTime"),
        "finished_at": run.get("finishTime"),
        "challenger_id": run.get("challengerId"),
        "model_package_id": run.get("modelPackageId"),
        "project_id": run.get("projectId"),
        "registered_model_id": run.get("registeredModelId"),
    }


def outcome_of(run: Run, action: Any) -> str:
    """``challenger_created``, ``package_created`` or ``replaced``, of a run that went well."""
    known = OUTCOMES.get(str(action))
    return known or ("challenger_created" if run.get("challengerId") else "package_created")


def failure(run_id: Any, reason: str, run: Run | None) -> DataRobotError:
    """The error for a run that ended badly.

    :param reason: what the wait says.
    :param run: the run as it was seen last; None where it could not be read.
    """
    operation = "getDeploymentRetrainingPolicyRun"
    if run is None:
        return RunVanished(f"retraining run {run_id} cannot be read any more: {reason}", operation=operation)
    if was_cancelled(run):
        return RetrainingCancelled(f"retraining run {run_id} was cancelled", operation=operation)
    return JobFailed(f"retraining run {run_id}: {reason}", operation=operation)
