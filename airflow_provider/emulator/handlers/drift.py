"""Drift: of all features, of the target, and of some features over time, batches and space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_provider.emulator.answers import Answer, invalid, page
from airflow_provider.emulator.behaviour.drifting import Drift, line
from airflow_provider.emulator.behaviour.matching import Row, split
from airflow_provider.emulator.behaviour.scope import over_batches, scope_of
from airflow_provider.emulator.behaviour.space import cells, geo_feature
from airflow_provider.emulator.calls import Call, serves

FEATURES = 25  # a page (seed 002:3127)
MOST_NAMES = 2  # "limited to two per request" (seed 002:3187)


@serves("getDeploymentFeatureDrift", how="computed")
def get_feature_drift(call: Call) -> Answer:
    """A score for each feature of the training data, the most important first (seed 002:3103)."""
    scope = scope_of(call)
    drift = Drift(scope, call.arguments.get("metric"))
    rows = scope.rows(features=True)
    lines = [line(name, feature, drift.of_feature(name, rows)) for name, feature in drift.features().items()]
    names = {one.name for one in call.operation.parameters if one.where == "query"}
    query = {name: value for name, value in call.arguments.items() if name in names}
    body = page(lines, call.url(call.operation.path.format(**call.arguments)), query, FEATURES)
    del body["totalCount"]
    body |= {
        "period": scope.period.view(),
        "metric": drift.measure,
        "modelId": scope.models[0],
        "batchId": list(scope.only.batches),
        **scope.only.segment(),
    }
    return Answer(200, body)


@serves("getDeploymentTargetDrift", how="computed")
def get_target_drift(call: Call) -> Answer:
    """The score of what was predicted; ``segmentValue`` is always there (wire.md K.1)."""
    scope = scope_of(call)
    drift = Drift(scope, call.arguments.get("metric"))
    target = scope.target
    body = {
        "period": scope.period.view(),
        "metric": drift.measure,
        "modelId": scope.models[0],
        "targetName": target["name"],
        "type": "numeric" if target["type"] == "Regression" else "categorical",
        "batchId": list(scope.only.batches),
        "segmentValue": None,
        **drift.of_target(scope.rows()),
        **scope.only.segment(),
    }
    return Answer(200, body)


@serves("getDeploymentFeatureDriftOverTime", how="computed")
def get_feature_drift_over_time(call: Call) -> Answer:
    """At most two features, bucket by bucket (seed 002:3283)."""
    scope = scope_of(call)
    drift = Drift(scope, call.arguments.get("metric"))
    names = _names(call, drift)
    rows = scope.rows(features=True)
    buckets = [
        {"period": bucket.view(), "featureName": name, **_impact(drift, name), **drift.of_feature(name, part)}
        for bucket, _, part in split(call, scope.period, scope.models, rows)
        for name in names
    ]
    features = drift.features()
    body = {
        "metric": drift.measure,
        "buckets": buckets,
        "features": [{"featureName": name, "featureType": features[name]["type"]} for name in names],
        "summaries": [{"featureName": name, **_impact(drift, name)} for name in names],
    }
    return Answer(200, body)


@serves("getDeploymentFeatureDriftOverBatch", how="computed")
def get_feature_drift_over_batch(call: Call) -> Answer:
    """At most two features, batch by batch (seed 002:3167)."""
    scope, batches = over_batches(call)
    drift = Drift(scope, call.arguments.get("driftMetric"))
    names = _names(call, drift)
    found = [(batch, scope.of_batch(batch).rows(features=True)) for batch in batches]
    buckets = [
        {"batch": batch.view(), "featureName": name, **_impact(drift, name), **drift.of_feature(name, rows)}
        for batch, rows in found
        for name in names
    ]
    return Answer(200, {"driftMetric": drift.measure, "buckets": buckets})


@serves("getDeploymentFeatureDriftOverSpace", how="computed")
def get_feature_drift_over_space(call: Call) -> Answer:
    """One feature, or the target, cell by cell; the default is the target (seed 002:3236)."""
    scope = scope_of(call)
    drift = Drift(scope, call.arguments.get("metric"))
    geo = geo_feature(scope)
    name = call.arguments.get("featureName") or scope.target["name"]
    if name != scope.target["name"]:
        _refuse_unknown([name], drift, "featureName")
    lines = [
        {"hexagon": cell, **_of(drift, name, part)} for cell, part in cells(geo, scope.rows(features=True)).items()
    ]
    body = {"period": scope.period.view(), "geoFeatureName": geo, "featureName": name, "data": lines}
    return Answer(200, body)


def _of(drift: Drift, name: str, rows: list[Row]) -> dict[str, Any]:
    return drift.of_target(rows) if name == drift.scope.target["name"] else drift.of_feature(name, rows)


def _impact(drift: Drift, name: str) -> dict[str, Any]:
    return {"featureImpact": drift.baseline["features"][name].get("importance")}


def _names(call: Call, drift: Drift) -> list[str]:
    given = call.arguments["featureNames"]
    names = [given] if isinstance(given, str) else list(dict.fromkeys(given))
    if not 1 <= len(names) <= MOST_NAMES:
        raise invalid([f"must name one or two features, not {len(names)} @ $.featureNames"])
    _refuse_unknown(names, drift, "featureNames")
    return names


def _refuse_unknown(names: Iterable[str], drift: Drift, argument: str) -> None:
    unknown = [name for name in names if name not in drift.baseline["features"]]
    if unknown:
        raise invalid([f"drift of {', '.join(map(repr, unknown))} is not tracked @ $.{argument}"])
