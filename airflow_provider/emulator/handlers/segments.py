"""What segmented analysis can be asked about, and which features a deployment has."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.baselines import baseline_of
from airflow_provider.emulator.behaviour.matching import champion_model, watched
from airflow_provider.emulator.behaviour.segments import OF_REQUESTS, tracked
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

FEATURES_TOO = ("dataDrift", "accuracy", "customMetrics")  # service health and humility know requests only


@serves("listDeploymentSegmentAttributes", how="computed")
def list_segment_attributes(call: Call) -> Answer:
    """Attributes of requests, and tracked features where the kind of monitoring knows them (seed 002:6735)."""
    deployment = watched(call)
    kind = call.arguments.get("monitoringType") or "serviceHealth"
    features = tracked(deployment) if kind in FEATURES_TOO else []
    return Answer(200, {"monitoringType": kind, "data": [*OF_REQUESTS, *features]})


@serves("listDeploymentSegmentValues", how="computed")
def list_segment_values(call: Call) -> Answer:
    """The values that rows have of one attribute, or of all (seed 002:6780)."""
    deployment = watched(call)
    wanted = call.arguments.get("segmentAttribute")
    text = str(call.arguments.get("search") or "").lower()
    known = [*OF_REQUESTS, *tracked(deployment)]
    rows = [
        {"segmentAttribute": attribute, "value": value}
        for attribute in known
        if wanted in (None, attribute)
        for value in _values(call, deployment, attribute)
        if text in value.lower()
    ]
    return call.page(rows)


def _values(call: Call, deployment: Record, attribute: str) -> list[str]:
    rows = call.service.rows
    number = rows.number(deployment["id"])
    if attribute in OF_REQUESTS:
        column = OF_REQUESTS[attribute]
        found = rows.db.execute(f"SELECT DISTINCT {column} FROM requests WHERE deployment = ?", (number,))  # noqa: S608
    else:
        found = rows.db.execute(
            """SELECT DISTINCT CAST(f.value AS TEXT) FROM predictions p, json_each(p.features) f
               WHERE p.deployment = ? AND f.key = ? AND f.value IS NOT NULL""",
            (number, attribute),
        )
    return sorted(str(value) for (value,) in found)


@serves("listDeploymentFeatures")
def list_deployment_features(call: Call) -> Answer:
    """The features that predictions need, most important first unless asked otherwise (seed 002:3352)."""
    deployment = watched(call)
    package = call.service.store.tables["packages"][deployment["modelPackageId"]]
    baseline = baseline_of(call.service, champion_model(call.service, deployment))["features"]
    text = str(call.arguments.get("search") or "").lower()
    features = [
        {
            "name": one["name"],
            "featureType": one["featureType"],
            "importance": one.get("importance", baseline.get(one["name"], {}).get("importance")),
            "dateFormat": None,
            "knownInAdvance": False,
        }
        for one in package["features"]
        if text in one["name"].lower()
    ]
    order = call.arguments.get("orderBy") or "-importance"
    field = order.removeprefix("-")
    features.sort(key=lambda one: one[field] or (0.0 if field == "importance" else ""), reverse=order.startswith("-"))
    if str(call.arguments.get("forSegmentedAnalysis")).lower() == "true":
        features = [one for one in features if one["featureType"] in ("Categorical", "Boolean", "Location")]
    return call.page(features)
