"""getDeploymentAccuracy: one metric of a deployment over a window.

Two forms of the answer are understood, and both at once (wire.md K.1): ``metrics``, an object by metric name with
``value``, ``baselineValue`` and ``percentChange``, of the pages; and the newer ``data``, a list that also has
``sampleSize``. Where only the first is there, ``of["sample_path"]`` (getDeploymentPredictionsVsActualsOverTime over the
same window) tells how many rows have an actual.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.judging import Reading
from airflow_provider.api.readings import More
from airflow_provider.api.readings.coverage import rows_of

OPERATION = "getDeploymentAccuracy"
# The sample of the pages (002:611) calls a LogLoss above its baseline negative, and a higher Rate@Top10% positive.
LESS_IS_BETTER = ("Deviance", "FPR", "LogLoss", "MAD", "MAE", "MAPE", "RMSE", "RMSLE")


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading | More:
    """The metric ``of["metric"]``, of the model ``of["model_id"]`` where several answer."""
    if kept:
        return Reading(**{**kept, "sample": rows_of(body)[1]})
    found = _entry(body, str(of["metric"]), of.get("model_id"))
    reading = {
        "value": found.get("value"),
        "sample": found.get("sampleSize") if isinstance(found.get("sampleSize"), int) else None,
        "baseline": found.get("baselineValue"),
        "improvement": found.get(
            "percentChange", improvement(str(of["metric"]), found.get("value"), found.get("baselineValue"))
        ),
        "details": {"metric": of["metric"], "model_id": found.get("modelId") or body.get("modelId")},
    }
    if reading["sample"] is None and reading["value"] is not None and of.get("sample_path"):
        return More(of["sample_path"], reading)
    return Reading(**reading)


def less_is_better(metric: str) -> bool:
    """Whether a smaller value of a metric is the better one; of a metric that nobody knows it is not."""
    return metric.split()[-1] in LESS_IS_BETTER


def improvement(metric: str, value: Any, baseline: Any) -> float | None:
    """By how many percent a value is better than another, as the service counts percentChange; negative is worse."""
    if not isinstance(value, (int, float)) or not isinstance(baseline, (int, float)) or not baseline:
        return None
    change = 100 * (value - baseline) / abs(baseline)
    return -change if less_is_better(metric) else change


def _entry(body: Mapping[str, Any], metric: str, model_id: str | None) -> Mapping[str, Any]:
    """What the answer has on the metric; nothing while the service has computed no metric at all."""
    entries = list(_entries(body))
    if not entries:
        return {}
    named = [one for one in entries if one["metricName"] == metric]
    if not named:
        known = ", ".join(sorted({str(one["metricName"]) for one in entries}))
        raise KeyMissing(f"the answer has no metric {metric!r}; it has {known}", operation=OPERATION)
    found = [one for one in named if model_id is None or one.get("modelId") in (None, model_id)]
    models = sorted({str(one.get("modelId")) for one in found})
    if len(found) > 1:
        raise KeyMissing(f"several models answer: say which with model_id ({', '.join(models)})", operation=OPERATION)
    return found[0] if found else {}


def _entries(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """One object a metric and model, in the newer form."""
    data = body.get("data")
    if isinstance(data, list) and data:
        yield from (one for one in data if isinstance(one, Mapping) and "metricName" in one)
        return
    for name, entry in _metrics(body.get("metrics")).items():
        yield {**(entry if isinstance(entry, Mapping) else {"value": entry}), "metricName": name}


def _metrics(given: Any) -> Mapping[str, Any]:
    """The object by metric name; the page's sample shows it as text, and once more below ``metrics``."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise KeyMissing("metrics is a text that is no JSON", operation=OPERATION) from None
    if isinstance(given, Mapping) and set(given) == {"metrics"} and isinstance(given["metrics"], Mapping):
        given = given["metrics"]
    return given if isinstance(given, Mapping) else {}
