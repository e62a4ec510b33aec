"""getDeploymentFairnessScoresOverTime: the worst relative score among the classes of a protected feature.

Scores are relative to the class that is treated best (1.0). The baseline is the deployment's own fairness threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.judging import Reading

OPERATION = "getDeploymentFairnessScoresOverTime"


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading:
    """The worst score; of classes with enough rows only, if ``of["significant"]``. The sample is its class's."""
    summary = body.get("summary")
    if not isinstance(summary, Mapping) or not isinstance(summary.get("scores"), list):
        raise KeyMissing("the answer has no summary with scores", operation=OPERATION)
    scores = [one for one in summary["scores"] if isinstance(one.get("value"), (int, float))]
    told = [one for one in scores if not of["significant"] or one.get("isStatisticallySignificant") is not False]
    worst = min(told, key=lambda one: float(one["value"]), default=None)
    details = {
        "metric": summary.get("metricName"),
        "protected_feature": body.get("protectedFeature"),
        "scores": {str(one.get("label")): one["value"] for one in told},
        "left_out": sorted(str(one.get("label")) for one in summary["scores"] if one not in told),
    }
    if worst is None:
        return Reading(None, sample=0, details=details)
    sample = worst.get("sampleSize")
    details |= {"worst": worst.get("label"), "privileged_class": worst.get("privilegedClass")}
    return Reading(
        worst["value"],
        sample=sample if isinstance(sample, int) else None,
        baseline=body.get("fairnessThreshold"),
        details=details,
    )
