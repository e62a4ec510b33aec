"""Which accuracy metrics a deployment shows: a list that clients read and write."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, invalid
from airflow_provider.emulator.behaviour.matching import target_of, watched
from airflow_provider.emulator.behaviour.rights import owned
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.metrics import BY_TARGET


@serves("getDeploymentAccuracyMetrics")
def get_accuracy_metrics(call: Call) -> Answer:
    """Those that were set, else every metric of the target's type."""
    deployment = watched(call)
    known = list(BY_TARGET.get(target_of(call.service, deployment)["type"], ()))
    return Answer(200, {"data": deployment.get("accuracyMetrics") or known})


@serves("updateDeploymentAccuracyMetrics")
def update_accuracy_metrics(call: Call) -> Answer:
    """Metrics of the target's type, each once; figures of the others are told all the same."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    known = BY_TARGET.get(target_of(call.service, deployment)["type"], ())
    names = list(dict.fromkeys(call.body["data"]))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise invalid([f"must be some of {', '.join(known)}, not {', '.join(unknown) or 'none'} @ $.data"])
    call.service.store.change("deployments", deployment["id"], {"accuracyMetrics": names}, "accuracyMetricsUpdated")
    return Answer(200, {"data": names})
