"""Creating deployments, and where they may stand: prediction servers and environments."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, refuse
from airflow_provider.emulator.behaviour import creating, registering
from airflow_provider.emulator.behaviour.packages import package_of
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record


@serves("createDeploymentFromModelPackage")
def create_from_package(call: Call) -> Answer:
    """202 ``{"id"}`` and the Location of the job that launches it (wire.md A.4)."""
    return _created(call, package_of(call.service, call.body["modelPackageId"]))


@serves("createDeploymentFromLearningModel")
def create_from_learning_model(call: Call) -> Answer:
    """The same from a model of a project; its package is made on the way."""
    return _created(call, _package_for(call))


@serves("createDeploymentFromLeaderboard")
def create_from_leaderboard(call: Call) -> Answer:
    """The same again (wire.md A.4); whether the answer has a body is a switch."""
    return _created(call, _package_for(call), empty=call.service.switches["from_leaderboard_answer"] == "empty")


def _package_for(call: Call) -> Record:
    """The newest package of a model, or a new one; it is built by the time the deployment is launched."""
    model = registering.leaderboard_model(call.service, call.body["modelId"])
    known = [one for one in call.service.store.rows("packages") if one["modelId"] == model["modelId"]]
    if known:
        return known[-1]
    body = {"name": f"{model['modelName']} {model['modelId']}"}
    package, _ = registering.register(call.service, call.user, model, body)
    call.service.store.change("packages", package["id"], {"buildStatus": "complete"})
    return package


def _created(call: Call, package: Record, *, empty: bool = False) -> Answer:
    deployment, job = creating.create(call.service, call.user, package, call.body)
    return call.accepted(job, None if empty else {"id": deployment["id"]})


@serves("listPredictionServers")
def list_servers(call: Call) -> Answer:
    """The prediction servers (seed 002:7541); an installation may have none."""
    rows = call.service.store.rows("predictionServers")
    shown = [{**one, "batchPredictions": {"processing": 0, "queued": 0}} for one in call.service.listed(rows)]
    return call.page(shown)


@serves("listPredictionEnvironments")
def list_environments(call: Call) -> Answer:
    """The prediction environments; public clients know the operation, the pages do not."""
    if call.service.switches["prediction_environments"] == "refuse_404":
        raise refuse(404, "Not found.")
    rows = call.service.listed(call.service.store.rows("predictionEnvironments"))
    wanted = call.arguments.get("supportedModelFormats")
    if wanted is not None:
        rows = [one for one in rows if wanted in one["supportedModelFormats"]]
    return call.page(rows)
