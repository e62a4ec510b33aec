"""Deployments: list, read, update, delete, status, settings, capabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider.emulator.answers import Answer, empty, refuse
from airflow_provider.emulator.behaviour import association, challenger_replays, changes, health
from airflow_provider.emulator.behaviour.deployments import DEPLOYMENT_CAPABILITIES, deployment_view, settings_of
from airflow_provider.emulator.behaviour.governing import governed, opened_job
from airflow_provider.emulator.behaviour.rights import owned, role_on, visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

IMPORTANCE = ("LOW", "MODERATE", "HIGH", "CRITICAL")
HEALTH = ("failing", "warning", "unknown", "unavailable", "notStarted", "passing")
Filter = Callable[[Call, Record, Any], bool]


def _daily(deployment: Record) -> float:
    rates = deployment["predictionUsage"]["dailyRates"]
    return sum(rates) / len(rates) if rates else 0.0


def _last(deployment: Record) -> str:
    return deployment["predictionUsage"]["lastTimestamp"] or ""


def _champion(call: Call, deployment: Record) -> Record:
    return call.service.store.tables["packages"][deployment["modelPackageId"]]


def _health_filter(kind: str) -> Filter:
    def fits(_: Call, deployment: Record, words: Any) -> bool:
        wanted = ["notStarted" if word == "not_started" else word for word in words]
        return deployment["health"][kind] in wanted

    return fits


def _tag_filter(part: str) -> Filter:
    return lambda _, deployment, wanted: any(tag[part] in wanted for tag in deployment["tags"])


FILTERS: Mapping[str, Filter] = {
    "search": lambda _, one, text: text.lower() in f"{one['label']} {one['description'] or ''}".lower(),
    "serviceHealth": _health_filter("service"),
    "modelHealth": _health_filter("model"),
    "accuracyHealth": _health_filter("accuracy"),
    "role": lambda call, one, role: role_on(call.service, call.user, one) == role,
    "status": lambda _, one, words: one["status"] in words,
    "importance": lambda _, one, words: one["importance"] in words,
    "lastPredictionTimestampStart": lambda _, one, moment: _last(one) >= moment,
    "lastPredictionTimestampEnd": lambda _, one, moment: bool(_last(one)) and _last(one) < moment,
    "predictionUsageDailyAvgGreaterThan": lambda _, one, number: _daily(one) > number,
    "predictionUsageDailyAvgLessThan": lambda _, one, number: _daily(one) < number,
    "defaultPredictionServerId": lambda _, one, ids: (one.get("defaultPredictionServer") or {}).get("id") in ids,
    "buildEnvironmentType": lambda _, one, words: "DataRobot" in words,
    "executionEnvironmentType": lambda _, one, words: "datarobot" in words,
    "predictionEnvironmentPlatform": lambda _, one, words: one["predictionEnvironment"]["platform"] in words,
    "createdByMe": lambda call, one, word: (one["createdBy"] == call.user["id"]) == (word.lower() == "true"),
    "createdBy": lambda _, one, user_id: one["createdBy"] == user_id,
    "championModelExecutionType": lambda call, one, word: _champion(call, one)["modelExecutionType"] == word,
    "championModelTargetType": lambda call, one, word: _champion(call, one)["target"]["type"] == word,
    "tagKeys": _tag_filter("name"),
    "tagValues": _tag_filter("value"),
}
ORDERS: Mapping[str, Callable[[Record], Any]] = {
    "label": lambda one: one["label"].lower(),
    "serviceHealth": lambda one: HEALTH.index(one["health"]["service"]),
    "modelHealth": lambda one: HEALTH.index(one["health"]["model"]),
    "accuracyHealth": lambda one: HEALTH.index(one["health"]["accuracy"]),
    "recentPredictions": _daily,
    "lastPredictionTimestamp": _last,
    "currentModelDeployedTimestamp": lambda one: one["deployedAt"],
    "createdAtTimestamp": lambda one: one["createdAt"],
    "importance": lambda one: IMPORTANCE.index(one["importance"]),
}  # the orders by fairness, custom metrics and timeliness leave the list as it is: nothing here has these


@serves("listDeployments")
def list_deployments(call: Call) -> Answer:
    """The deployments that the user can view; default order by last prediction, newest first (seed 002:110)."""
    rows = [one for one in call.service.store.rows("deployments") if role_on(call.service, call.user, one)]
    for one in rows:
        health.refresh(call.service, one)
    for name, fits in FILTERS.items():
        if name in call.arguments:
            rows = [one for one in rows if fits(call, one, call.arguments[name])]
    rows = call.service.listed(rows)
    order = call.arguments.get("orderBy", "-lastPredictionTimestamp")
    key = ORDERS.get(order.removeprefix("-"))
    if key is not None:
        rows.sort(key=key, reverse=order.startswith("-"))
    return call.page([deployment_view(call.service, one, call.user) for one in rows])


@serves("getDeployment")
def get_deployment(call: Call) -> Answer:
    """One deployment; 404 without access, 410 after its deletion if the switch says so."""
    deployment = _deployment(call)
    health.refresh(call.service, deployment)
    return Answer(200, deployment_view(call.service, deployment, call.user, look=True))


@serves("updateDeployment")
def update_deployment(call: Call) -> Answer:
    """Label, description and importance; importance may fall under a policy."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    body = dict(call.body or {})
    importance = body.pop("importance", None)
    request = None
    if importance is not None and importance != deployment["importance"]:
        change = {"importance": importance}
        request = governed(call.service, call.user, deployment, "changeImportance", change)
    named = {name: body[name] for name in ("label", "description") if name in body}
    if named.get("label", "") is None:  # the page allows null, a deployment always has a label
        del named["label"]
    if named:
        call.service.store.change("deployments", deployment["id"], named, "deploymentUpdated")
    if importance is not None and request is None:
        changes.put_importance(call.service, deployment["id"], importance)
    return empty(204)


@serves("deleteDeployment")
def delete_deployment(call: Call) -> Answer:
    """204; with the switch ``deployment_delete`` the deployment is still seen for a while (wire.md I)."""
    service = call.service
    deployment = _deployment(call)
    owned(service, call.user, deployment["id"])
    request = governed(service, call.user, deployment, "delete", None)
    if request is not None:
        return call.accepted(opened_job(service, request))
    if service.switches["deployment_delete"] == "lingers":
        changes.start_deletion(service, deployment)
    else:
        changes.put_deletion(service, deployment["id"])
    return empty(204)


@serves("updateDeploymentStatus")
def update_deployment_status(call: Call) -> Answer:
    """Activate or deactivate: a job; 409 when one is running or nothing would change."""
    service = call.service
    deployment = owned(service, call.user, call.arguments["deploymentId"])
    status = call.body["status"]
    request = governed(service, call.user, deployment, "changeStatus", {"status": status})
    if request is not None:
        return call.accepted(opened_job(service, request))
    return call.accepted(changes.start_status(service, deployment, status))


@serves("getDeploymentSettings")
def get_settings(call: Call) -> Answer:
    """All settings; ``predictionIntervals`` is always an object (wire.md E)."""
    return Answer(200, settings_of(_deployment(call)))


@serves("updateDeploymentSettings")
def update_settings(call: Call) -> Answer:
    """A job that merges the settings, area by area."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    settings = challenger_replays.with_row_storage(call.body)
    for check in (association.check_change, challenger_replays.check_settings):
        fails = check(call.service, deployment, settings)
        if fails is not None:
            call.service.request_plan["failsWith"] = fails
    return call.accepted(changes.start_settings(call.service, deployment, settings))


@serves("getDeploymentCapabilities", how="shaped")
def get_capabilities(call: Call) -> Answer:
    """What the deployment supports, one entry a capability."""
    _deployment(call)
    data = [
        {"name": name, "supported": supported, "messages": []} for name, supported in DEPLOYMENT_CAPABILITIES.items()
    ]
    return Answer(200, {"data": data})


def _deployment(call: Call) -> Record:
    key = call.arguments["deploymentId"]
    gone = call.service.switches["second_delete"] == "410"
    deleted = [one["id"] for one in call.service.store.rows("deletedDeployments")]
    if gone and key in deleted and call.operation.id == "deleteDeployment":
        raise refuse(410, f"Deployment {key} is deleted already.")
    return visible(call.service, call.user, key)
