"""Health statuses that follow health settings.

What the world or the control door says of a deployment's health stays until its health settings are written for the
first time. From then on every look at the deployment judges its stored rows by the settings, and a status that has
changed is committed: notifications see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.behaviour.accuracy import Accuracy, summed_up
from airflow_provider.emulator.behaviour.baselines import baseline_of, expected, observed
from airflow_provider.emulator.behaviour.matching import champion_model, predictions_in, target_of
from airflow_provider.emulator.behaviour.periods import DAY, HOUR, Period
from airflow_provider.emulator.metrics import ERRORS
from airflow_provider.emulator.metrics.drift import score

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

AREAS = ("accuracy", "actualsTimeliness", "customMetrics", "dataDrift", "fairness", "predictionsTimeliness", "service")
SPANS = {"T2H": 2 * HOUR, "PT2H": 2 * HOUR, "P1D": DAY, "P7D": 7 * DAY, "P30D": 30 * DAY, "P90D": 90 * DAY}
WEEK = 7 * DAY
SERVER_ERRORS, USER_ERRORS = 0.05, 0.05  # shares of requests from which health suffers (switch service_health)


def defaults(target: Record) -> Record:
    """Health settings of a deployment whose owner never wrote any."""
    return {
        "accuracy": {
            "batchCount": "1",
            "failingThreshold": 10,
            "measurement": "percent",
            "metric": "RMSE" if target["type"] == "Regression" else "LogLoss",
            "warningThreshold": 5,
        },
        "actualsTimeliness": {"enabled": False, "expectedFrequency": "P1D"},
        "customMetrics": {"failingConditions": [], "warningConditions": []},
        "dataDrift": {
            "batchCount": "1",
            "driftThreshold": 0.15,
            "excludedFeatures": [],
            "highImportanceFailingCount": 1,
            "highImportanceWarningCount": 0,
            "importanceThreshold": 0.5,
            "lowImportanceFailingCount": 5,
            "lowImportanceWarningCount": 1,
            "starredFeatures": [],
            "timeInterval": "P7D",
        },
        "fairness": {"protectedClassFailingCount": 1, "protectedClassWarningCount": 1},
        "predictionsTimeliness": {"enabled": False, "expectedFrequency": "P1D"},
        "service": {"batchCount": "1"},
    }


def settings_of(service: Service, deployment: Record) -> Record:
    """The health settings, with the defaults of what was never written."""
    return {**defaults(target_of(service, deployment)), **(deployment.get("healthSettings") or {})}


def put(service: Service, deployment: Record, wanted: Mapping[str, Any]) -> None:
    """Commit health settings; within an area, keys that are not named stay, or by ``health_patch`` are reset."""
    first, now = defaults(target_of(service, deployment)), settings_of(service, deployment)
    whole = service.switches["health_patch"] == "replaces_area"
    areas = {
        name: {**(first if whole else now)[name], **value}
        for name, value in wanted.items()
        if name in AREAS and isinstance(value, dict)
    }
    stored = {**(deployment.get("healthSettings") or {}), **areas}
    service.store.change("deployments", deployment["id"], {"healthSettings": stored}, "healthSettingsUpdated")
    refresh(service, deployment)


def refresh(service: Service, deployment: Record) -> None:
    """Judge anew, if health settings were ever written, and commit what has changed."""
    if deployment.get("healthSettings") is None:
        return
    settings = settings_of(service, deployment)
    found = {name: judge(service, deployment, settings) for name, judge in JUDGES.items()}
    if any(deployment["health"].get(name) != status for name, status in found.items()):
        service.store.change("deployments", deployment["id"], {"health": {**deployment["health"], **found}})


def _service(service: Service, deployment: Record, _: Record) -> str:
    rows, now = service.rows, service.clock.now()
    codes = [
        status
        for (status,) in rows.db.execute(
            "SELECT status FROM requests WHERE deployment = ? AND moment >= ? AND moment <= ?",
            (rows.number(deployment["id"]), now - WEEK, now),
        )
    ]
    if not codes:
        return "unknown"
    server = sum(code >= 500 for code in codes) / len(codes)
    user = sum(400 <= code < 500 for code in codes) / len(codes)
    strict = service.switches["service_health"] == "any_error"
    if server >= SERVER_ERRORS or (strict and server):
        return "failing"
    return "warning" if server or user >= USER_ERRORS or (strict and user) else "passing"


def _model(service: Service, deployment: Record, settings: Record) -> str:
    drift, model = settings["dataDrift"], champion_model(service, deployment)
    now = service.clock.now()
    period = Period(now - SPANS.get(str(drift.get("timeInterval")), WEEK), now + 1)
    rows = list(predictions_in(service, deployment, [model], period, features=True))
    features = baseline_of(service, model)["features"]
    high = low = seen = 0
    for name, feature in features.items():
        values = [row.features.get(name) for row in rows if row.features is not None]
        found = score("psi", expected(feature), observed(feature, values))
        if found is None or name in (drift.get("excludedFeatures") or ()):
            continue
        seen += 1
        if found > _number(drift.get("driftThreshold"), 0.15):
            starred = name in (drift.get("starredFeatures") or ())
            important = (feature.get("importance") or 0) >= _number(drift.get("importanceThreshold"), 0.5)
            high, low = (high + 1, low) if starred or important else (high, low + 1)
    if not seen:
        return "unknown"
    for status, word in (("failing", "Failing"), ("warning", "Warning")):
        limits = (drift.get(f"highImportance{word}Count"), drift.get(f"lowImportance{word}Count"))
        if any(_reached(count, limit) for count, limit in zip((high, low), limits, strict=True)):
            return status
    return "passing"


def _accuracy(service: Service, deployment: Record, settings: Record) -> str:
    wanted, target = settings["accuracy"], target_of(service, deployment)
    model, now = champion_model(service, deployment), service.clock.now()
    accuracy = Accuracy(service, deployment, target, [model])
    rows = accuracy.rows(Period(now - WEEK, now + 1))
    found = next((one for one in summed_up(accuracy, model, rows) if one["metricName"] == wanted.get("metric")), None)
    if found is None or not accuracy.enough(rows):
        return "unknown"
    name, percent = str(found["metricName"]), wanted.get("measurement") == "percent"
    value = found["percentChange"] if percent else found["value"]
    if value is None:
        return "unknown"
    worse = -value if percent or name not in ERRORS else value
    for status in ("failing", "warning"):
        limit = wanted.get(f"{status}Threshold")
        if isinstance(limit, (int, float)) and worse >= (limit if percent or name in ERRORS else -limit):
            return status
    return "passing"


def _number(value: Any, default: float) -> float:
    return value if isinstance(value, (int, float)) else default


def _reached(count: int, limit: Any) -> bool:
    """Whether so many features are too many; 0 means that the rule is off."""
    return isinstance(limit, int) and 0 < limit <= count


JUDGES: Mapping[str, Callable[[Service, Record, Record], str]] = {
    "service": _service,
    "model": _model,
    "accuracy": _accuracy,
}
