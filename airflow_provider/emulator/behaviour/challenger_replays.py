"""Replays: what was predicted by the champion is predicted by the challengers too; settings that allow and plan it.

One replay runs at a time. It scores from the creation of the deployment until a timestamp (public API page "Challenger
models"); what a challenger has scored already is not scored again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import Answer, Refusal, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.challenger_scores import score
from airflow_provider.emulator.behaviour.challengers import are_off, challengers_of, is_on
from airflow_provider.emulator.behaviour.deployments import settings_of
from airflow_provider.emulator.jobs import WORKS, JobFails, Work, nothing, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

KIND = "challengerReplay"
DAILY = {"minute": [0], "hour": [0], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": ["*"]}


def replay_settings(deployment: Record) -> Record:
    """Whether and when replays start by themselves: off until somebody sets it."""
    return {"enabled": False, "schedule": DAILY, **deployment.get("challengerReplay", {})}


def running_replay(service: Service, deployment: Record) -> Record | None:
    """The replay of this deployment that runs now."""
    for job in service.store.rows("jobs"):
        if job["kind"] == KIND and job["state"] == "running" and job["arguments"]["deploymentId"] == deployment["id"]:
            return job
    return None


def start_replay(service: Service, deployment: Record, until: float) -> Record:
    """Begin a replay: the job; a refusal where the settings do not allow one, or there is nobody to replay for."""
    reason, value = are_off(deployment), service.switches["challengers_off"]
    if reason is not None and value == "job_error":
        service.request_plan["failsWith"] = reason
    elif reason is not None:
        raise refuse_by_switch(value, reason)
    elif not challengers_of(service, deployment["id"]) and service.switches["replay_nothing"] == "refuse_422":
        raise refuse(422, "The deployment has no challengers.")
    arguments = {"deploymentId": deployment["id"], "until": until}
    return start(service, KIND, "replayChallengers", arguments, f"deployments/{deployment['id']}/challengers/")


def busy(service: Service, job: Record, location: str) -> Refusal:
    """429 with the Location of the replay that runs (seed 002:1411), and how long it still takes (wire.md B)."""
    left = job["created"] + float(job["plan"].get("seconds") or 0) - service.clock.now()
    headers = {"Retry-After": str(max(1, math.ceil(service.clock.real_seconds(max(left, 0)))))}
    if service.switches["replay_running"] == "location":
        headers["Location"] = location
    return Refusal(Answer(429, {"message": "Another challenger scoring job is running."}, headers))


def with_row_storage(settings: Any) -> Any:
    """Enabling challenger models enables the storage of prediction rows (help page "Challengers")."""
    if is_on(settings, "challengerModels") and "predictionsDataCollection" not in settings:
        return {**settings, "predictionsDataCollection": {"enabled": True}}
    return settings


def check_settings(service: Service, deployment: Record, settings: Any) -> str | None:
    """Refuse challenger models that lack what they need, and to take stored rows from them.

    The help page says that both are so; with which answer is the switch ``challenger_settings``.

    :returns: a text when the job shall fail instead
    """
    after = {**settings_of(deployment), **{area: value for area, value in settings.items() if value is not None}}
    reason = are_off({"settings": after}) if is_on(after, "challengerModels") else None
    touched = "predictionsDataCollection" in settings or "challengerModels" in settings
    if reason is None or not touched:
        return None
    value = service.switches["challenger_settings"]
    if value == "job_error":
        return reason
    raise refuse_by_switch(value, reason)


def _replay(service: Service, job: Record) -> None:
    deployment = service.store.get("deployments", job["arguments"]["deploymentId"])
    if deployment is None:
        raise JobFails("The deployment was deleted meanwhile.")
    for challenger in challengers_of(service, deployment["id"], ready=True):
        package = service.store.tables["packages"][challenger["modelPackageId"]]
        if not service.lies("replayed_nothing"):
            score(service, deployment, package, job["arguments"]["until"])
    changes = {"replayedUntil": job["arguments"]["until"]}
    service.store.change("deployments", deployment["id"], changes, "challengersReplayed")


WORKS["replayChallengers"] = Work(_replay, nothing)
