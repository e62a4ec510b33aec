"""getDeploymentTargetDrift: how far predictions have moved from those of the training, over a window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.judging import Reading

OPERATION = "getDeploymentTargetDrift"


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading:
    """The score, of so many predictions; without a score there is nothing to judge."""
    if "driftScore" not in body:
        raise KeyMissing("the answer has no key 'driftScore'", operation=OPERATION)
    sample = body.get("sampleSize")
    details = {
        "metric": body.get("metric"),
        "target": body.get("targetName"),
        "baseline_sample": body.get("baselineSampleSize"),
        "model_id": body.get("modelId"),
    }
    return Reading(body["driftScore"], sample=sample if isinstance(sample, int) else None, details=details)
