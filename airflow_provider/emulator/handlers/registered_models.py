"""Registered models and their versions, which are model packages: list and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import Answer, refuse
from airflow_provider.emulator.behaviour.packages import (
    deployments_of,
    package_of,
    package_view,
    person,
    similar,
    stage_of,
)
from airflow_provider.emulator.behaviour.registry_roles import registered_model
from airflow_provider.emulator.behaviour.rights import role_on
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.handlers.model_packages import filtered, matches_search
from airflow_provider.emulator.store import Record

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service

Filter = Callable[[Call, Record, Any], bool]


def _versions(call: Call, model: Record) -> list[Record]:
    return [one for one in call.service.store.rows("packages") if one["registeredModelId"] == model["id"]]


def _compatible(call: Call, model: Record, package_id: str) -> bool:
    wanted = package_of(call.service, package_id)
    return any(similar(version, wanted) for version in _versions(call, model))


MODEL_FILTERS: Mapping[str, Filter] = {
    "search": lambda _, one, text: text.lower() in f"{one['name']} {one['description']}".lower(),
    "createdAtStartTs": lambda _, one, moment: one["createdAt"] >= moment,
    "createdAtEndTs": lambda _, one, moment: one["createdAt"] < moment,
    "modifiedAtStartTs": lambda _, one, moment: one["modifiedAt"] >= moment,
    "modifiedAtEndTs": lambda _, one, moment: one["modifiedAt"] < moment,
    "targetName": lambda _, one, name: one["target"]["name"] == name,
    "targetType": lambda _, one, name: one["target"]["type"] == name,
    "createdBy": lambda call, one, text: text in (one["createdBy"], person(call.service, one["createdBy"])["email"]),
    "compatibleWithModelPackageId": _compatible,
    "isGlobal": lambda _, one, wanted: one["isGlobal"] == wanted,
    "buildStatus": lambda call, one, word: any(version["buildStatus"] == word for version in _versions(call, one)),
    "stage": lambda call, one, word: any(stage_of(version) == word for version in _versions(call, one)),
}
VERSION_FILTERS: Mapping[str, Filter] = {
    "search": lambda _, one, text: matches_search(one, text),
    "targetName": lambda _, one, name: one["target"]["name"] == name,
    "targetType": lambda _, one, name: one["target"]["type"] == name,
    "compatibleWithModelPackageId": lambda call, one, other: similar(one, package_of(call.service, other)),
    "imported": lambda _, one, wanted: not wanted,
    "buildStatus": lambda _, one, word: one["buildStatus"] == word,
    "stage": lambda _, one, word: stage_of(one) == word,
    "createdBy": lambda call, one, email: person(call.service, one["createdBy"])["email"] == email,
}


FIELD_OF_SORT_KEY = {
    "version": "registeredModelVersion",
    "modelType": "modelName",
    "status": "buildStatus",
    "updatedAt": "createdAt",
}  # a version's sort keys that are called otherwise here; the others are fields


@serves("listRegisteredModels")
def list_registered_models(call: Call) -> Answer:
    """Registered models that are not archived."""
    models = [one for one in call.service.store.rows("registeredModels") if not one["isArchived"]]
    rows = _sorted(call, call.service.listed(filtered(call, models, MODEL_FILTERS)))
    return call.page([model_view(call, one) for one in rows])


@serves("getRegisteredModel")
def get_registered_model(call: Call) -> Answer:
    """One registered model; ``description`` is never null (wire.md K.1)."""
    return Answer(200, model_view(call, _model(call)))


@serves("listRegisteredModelVersions")
def list_versions(call: Call) -> Answer:
    """The versions of a registered model, without archived ones."""
    versions = [one for one in _versions(call, _model(call)) if not one["isArchived"]]
    rows = call.service.listed(filtered(call, versions, VERSION_FILTERS))
    return call.page([package_view(call.service, one) for one in _sorted(call, rows)])


@serves("getRegisteredModelVersion")
def get_version(call: Call) -> Answer:
    """One version, by the id of its package."""
    return Answer(200, package_view(call.service, version_of(call)))


@serves("listRegisteredModelDeployments")
def list_deployments_of_model(call: Call) -> Answer:
    """Deployments whose champion or challenger is a version of the model."""
    return _deployments(call, _versions(call, _model(call)))


@serves("listRegisteredModelVersionDeployments")
def list_deployments_of_version(call: Call) -> Answer:
    """Deployments whose champion or challenger is this version."""
    return _deployments(call, [version_of(call)])


def _deployments(call: Call, versions: list[Record]) -> Answer:
    uses = [use for version in versions for use in _uses(call.service, version)]
    rows = call.service.listed([use for use in uses if role_on(call.service, call.user, use)])
    text = call.arguments.get("search")
    if text is not None:
        rows = [one for one in rows if text.lower() in one["label"].lower()]
    return call.page([_deployment(call, one) for one in _sorted(call, rows)])


def _uses(service: Service, version: Record) -> Iterator[Record]:
    """The deployments of a version, each with what the version is there (seed 004:2146)."""
    for one in deployments_of(service, version):
        yield {**one, "version": version, "isChallenger": False}
    for challenger in service.store.rows("challengers"):
        deployment = service.store.get("deployments", challenger["deploymentId"])
        if deployment is not None and challenger["modelPackageId"] == version["id"] and challenger["state"] == "ready":
            yield {**deployment, "version": version, "isChallenger": True}


def _deployment(call: Call, one: Record) -> Record:
    return {
        "id": one["id"],
        "label": one["label"],
        "status": one["status"],
        "createdAt": one["createdAt"],
        "createdBy": person(call.service, one["createdBy"]),
        "currentlyDeployed": not one["isChallenger"],
        "firstDeployedAt": None if one["isChallenger"] else one["deployedAt"],
        "firstDeployedBy": person(call.service, one["createdBy"]),
        "isChallenger": one["isChallenger"],
        "registeredModelVersion": one["version"]["registeredModelVersion"],
    }


def _sorted(call: Call, rows: list[Record]) -> list[Record]:
    key = call.arguments.get("sortKey")
    if key is None:
        return rows
    field = FIELD_OF_SORT_KEY.get(key, key)
    return sorted(
        rows, key=lambda one: (one[field] is None, one[field]), reverse=call.arguments.get("sortDirection") == "desc"
    )


def _model(call: Call) -> Record:
    return registered_model(call.service, call.arguments["registeredModelId"])


def version_of(call: Call) -> Record:
    """The version that a call names, by the id of its package; 404 when it is none of the model."""
    model = _model(call)
    key = call.arguments["versionId"]
    for version in _versions(call, model):
        if version["id"] == key:
            return version
    raise refuse(404, f"Version {key} of registered model {model['id']} not found.")


def model_view(call: Call, model: Record) -> Record:
    """A registered model as the service shows it."""
    versions = _versions(call, model)
    return {
        "id": model["id"],
        "name": model["name"],
        "description": model["description"] or "",
        "createdAt": model["createdAt"],
        "createdBy": person(call.service, model["createdBy"]),
        "modifiedAt": model["modifiedAt"],
        "modifiedBy": person(call.service, model["modifiedBy"]),
        "target": model["target"],
        "isArchived": model["isArchived"],
        "isGlobal": model["isGlobal"],
        "lastVersionNum": max((one["registeredModelVersion"] for one in versions), default=0),
    }
