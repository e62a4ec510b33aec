"""Rows for monitoring tests: one day of March 2025 at the ungoverned deployment, written out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import OTHER_CHAMPION, UNGOVERNED

DAY = "start=2025-03-01T00:00:00Z&end=2025-03-02T00:00:00Z"
MODEL = "64a100000000000000000002"
PERIOD = {"start": "2025-03-01T00:00:00Z", "end": "2025-03-02T00:00:00Z"}


def stop_the_clock(emulator: EmulatorDoor) -> None:
    """The service's clock stands at 2025-03-02 00:30 UTC; the limits are off."""
    clock = emulator.clock(speed=0)
    emulator.clock(offset=1_740_875_400 - clock["epoch"] + clock["offset"])
    emulator.switches(quota_rows="off", post_rate="off")


def path(name: str, deployment: str = UNGOVERNED) -> str:
    return f"deployments/{deployment}/{name}/"


def rows(emulator: EmulatorDoor, *given: dict[str, Any], deployment: str = UNGOVERNED, **more: Any) -> None:
    """These predictions, made at 12:00 unless they say otherwise, each with an association id of its number."""
    data = [
        {"associationId": f"row-{n}", "predicted": 0.5, "timestamp": "2025-03-01T12:00:00Z", **one}
        for n, one in enumerate(given)
    ]
    emulator.predictions(deployment, data=data, **more)


def requests(emulator: EmulatorDoor, *given: dict[str, Any]) -> None:
    """These prediction requests, without rows."""
    emulator.predictions(UNGOVERNED, requests=[{"timestamp": "2025-03-01T12:00:00Z", **one} for one in given])


def track(emulator: EmulatorDoor, *attributes: str, **settings: Any) -> None:
    """Let the deployment track these features for segmented analysis."""
    wanted = {"segmentAnalysis": {"enabled": True, "attributes": list(attributes)}, **settings}
    emulator.change("deployments", UNGOVERNED, settings=wanted)


OPERATIONS = {
    "getDeploymentAccuracyMetrics": "accuracyMetrics",
    "getDeploymentAccuracyOverBatch": "accuracyOverBatch",
    "getDeploymentAccuracyOverSpace": "accuracyOverSpace",
    "getDeploymentBatchServiceStats": "batchServiceStats",
    "getDeploymentDataQualityView": "dataQualityView",
    "getDeploymentFairnessScoresOverTime": "fairnessScoresOverTime",
    "getDeploymentFeatureDrift": "featureDrift",
    "getDeploymentFeatureDriftOverBatch": "featureDriftOverBatch",
    "getDeploymentFeatureDriftOverSpace": "featureDriftOverSpace",
    "getDeploymentFeatureDriftOverTime": "featureDriftOverTime",
    "getDeploymentHealthSettings": "healthSettings",
    "getDeploymentHealthSettingsDefaults": "healthSettings/defaults",
    "getDeploymentHumilityStats": "humilityStats",
    "getDeploymentHumilityStatsOverTime": "humilityStatsOverTime",
    "getDeploymentPredictionsOverBatch": "predictionsOverBatch",
    "getDeploymentPredictionsOverSpace": "predictionsOverSpace",
    "getDeploymentPredictionsOverTime": "predictionsOverTime",
    "getDeploymentPredictionsVsActualsOverBatch": "predictionsVsActualsOverBatch",
    "getDeploymentPredictionsVsActualsOverSpace": "predictionsVsActualsOverSpace",
    "getDeploymentServiceStatsOverBatch": "serviceStatsOverBatch",
    "getDeploymentServiceStatsOverTime": "serviceStatsOverTime",
    "getDeploymentTargetDrift": "targetDrift",
    "listDeploymentFeatures": "features",
    "listDeploymentSegmentAttributes": "segmentAttributes",
    "listDeploymentSegmentValues": "segmentValues",
}
QUERIES = (
    f"featureNames=contract&offset=0&limit=5&{DAY}",
    "featureNames=contract",
    "featureNames=plan&batchId=x&segmentAttribute=x&metric=x",
)


def answers(emulator: EmulatorDoor, client: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    """Each monitoring operation, without rows and with some, well asked and badly."""
    for _ in ("without rows", "with rows"):
        for operation_id, name in OPERATIONS.items():
            for query in QUERIES:
                yield operation_id, client.get(f"{path(name)}?{query}")
        features = [{"name": "place", "featureType": "Location"}]
        emulator.change("packages", OTHER_CHAMPION, features=features)
        track(emulator, "place", biasAndFairness={"protectedFeatures": ["contract"]})
        values = {"place": "8928308280fffff", "contract": "one year"}
        row = {"predicted": 0.5, "batchId": "x", "features": values, "humilityRules": ["64b200000000000000000001"]}
        emulator.predictions(UNGOVERNED, data=[row])
        for names in (["AUC", "LogLoss"], ["RMSE"]):
            answer = client.put(path("accuracyMetrics"), json={"data": names})
            yield "updateDeploymentAccuracyMetrics", answer
        health = path("healthSettings")
        yield "updateDeploymentHealthSettings", client.patch(health, json={"service": {"batchCount": "5"}})
