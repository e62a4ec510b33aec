"""Fairness scores over time."""

from __future__ import annotations

from typing import Any

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.fairness import Fairness
from airflow_provider.emulator.behaviour.matching import split
from airflow_provider.emulator.behaviour.scope import scope_of
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

FIELD = {"absoluteFairnessScore": "absoluteValue", "relativeFairnessScore": "value"}


@serves("getDeploymentFairnessScoresOverTime", how="computed")
def get_fairness_scores(call: Call) -> Answer:
    """Of all protected features, or of the classes of one (seed 002:2996)."""
    scope = scope_of(call)
    fairness = Fairness(scope)
    rows = scope.rows(features=True)
    buckets = [
        {"metricName": fairness.metric, "period": bucket.view(), "scores": _shown(call, fairness.scores(part))}
        for bucket, _, part in split(call, scope.period, scope.models[:1], rows)
    ]
    body: dict[str, Any] = {
        "fairnessThreshold": fairness.threshold,
        "favorableTargetOutcome": fairness.favorable,
        "modelId": scope.models[0],
        "modelPackageId": scope.deployment["modelPackageId"],
        "protectedFeature": fairness.feature,
        "buckets": buckets,
        "summary": {
            "metricName": fairness.metric,
            "period": scope.period.view(),
            "scores": _shown(call, fairness.scores(rows)),
        },
    }
    return Answer(200, body)


def _shown(call: Call, scores: list[Record]) -> list[Record]:
    """As the call filters, orders and pages them."""
    given = call.arguments
    if _said(given.get("includePrivilegedClass")) is False:
        scores = [one for one in scores if one["label"] != one["privilegedClass"]]
    if _said(given.get("onlyStatisticallySignificant")):
        scores = [one for one in scores if one["isStatisticallySignificant"]]
    order = given.get("orderBy")
    if order is not None:
        field = FIELD[order.removeprefix("-")]
        scores = sorted(scores, key=lambda one: one[field] or 0.0, reverse=order.startswith("-"))
    offset, limit = max(given.get("offset") or 0, 0), given.get("limit") or len(scores)
    return scores[offset : offset + max(limit, 0)]


def _said(word: Any) -> bool | None:
    return None if word is None else str(word).lower() == "true"
