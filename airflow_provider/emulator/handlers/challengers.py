"""Challengers of a deployment, their replay, and its settings (seed 002:1382-1770)."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty, invalid
from airflow_provider.emulator.behaviour import challenger_replays as replays
from airflow_provider.emulator.behaviour import challengers
from airflow_provider.emulator.behaviour.moments import BadMoment, naive_is_utc, seconds
from airflow_provider.emulator.behaviour.packages import package_of
from airflow_provider.emulator.behaviour.replay_schedule import plan_next
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record


@serves("listDeploymentChallengers")
def list_challengers(call: Call) -> Answer:
    """All of them at once: the page has no paging (seed 002:1522)."""
    rows = challengers.shown_challengers(call.service, _seen(call)["id"])
    return Answer(200, {"data": [challengers.view(call.service, one) for one in call.service.listed(rows)]})


@serves("getDeploymentChallenger")
def get_challenger(call: Call) -> Answer:
    """One challenger."""
    found = challengers.shown_challenger(call.service, _seen(call)["id"], call.arguments["challengerId"])
    return Answer(200, challengers.view(call.service, found))


@serves("createDeploymentChallenger")
def create_challenger(call: Call) -> Answer:
    """202 without a body; the job's end points to the challenger (wire.md A.4)."""
    deployment, body = _owned(call), call.body
    package = package_of(call.service, body["modelPackageId"])
    environment = challengers.environment_of(call.service, body["predictionEnvironmentId"])
    job = challengers.start_creation(call.service, deployment, package, body["name"], environment)
    return call.accepted(job)


@serves("updateDeploymentChallenger")
def update_challenger(call: Call) -> Answer:
    """Another name, another prediction environment; 200 with the challenger."""
    deployment, body = _owned(call), call.body or {}
    found = challengers.shown_challenger(call.service, deployment["id"], call.arguments["challengerId"])
    changes = {"name": body["name"]} if "name" in body else {}
    if "predictionEnvironmentId" in body:
        place = challengers.environment_of(call.service, body["predictionEnvironmentId"])
        changes["predictionEnvironment"] = {"id": place["id"], "name": place["name"]}
    call.service.store.change("challengers", found["id"], changes, "challengerUpdated")
    return Answer(200, challengers.view(call.service, found))


@serves("deleteDeploymentChallenger")
def delete_challenger(call: Call) -> Answer:
    """204; what it predicted stays."""
    deployment = _owned(call)
    found = challengers.shown_challenger(call.service, deployment["id"], call.arguments["challengerId"])
    call.service.store.remove("challengers", found["id"], "challengerDeleted")
    return empty(204)


@serves("createDeploymentChallengerPredictions")
def replay(call: Call) -> Answer:
    """202 without a body; 429 with the Location of the replay that runs."""
    service, deployment = call.service, _owned(call)
    until = _until(call)
    running = replays.running_replay(service, deployment)
    if running is not None:
        raise replays.busy(service, running, call.url(f"status/{running['id']}/"))
    return call.accepted(replays.start_replay(service, deployment, until))


@serves("getDeploymentChallengerReplaySettings")
def get_replay_settings(call: Call) -> Answer:
    """Whether and when replays start by themselves."""
    return Answer(200, replays.replay_settings(_seen(call)))


@serves("updateDeploymentChallengerReplaySettings")
def update_replay_settings(call: Call) -> Answer:
    """200 without a body; what is not named stays."""
    deployment = _owned(call)
    settings = {**replays.replay_settings(deployment), **(call.body or {})}
    changes = {"challengerReplay": settings}
    call.service.store.change("deployments", deployment["id"], changes, "challengerReplaySettingsUpdated")
    plan_next(call.service, deployment)
    return empty(200)


def _until(call: Call) -> float:
    given = (call.body or {}).get("timestamp")
    if given is None:
        return call.service.clock.now()
    try:
        return seconds(given, naive_is_utc=naive_is_utc(call.service))
    except BadMoment as fault:
        raise invalid([f"{fault} @ $.timestamp"]) from None


def _seen(call: Call) -> Record:
    return visible(call.service, call.user, call.arguments["deploymentId"])


def _owned(call: Call) -> Record:
    return owned(call.service, call.user, call.arguments["deploymentId"])
