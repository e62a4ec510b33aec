"""Making model packages and registered models, changing, sharing and archiving them."""

from __future__ import annotations

from typing import Any

from airflow_provider.emulator.answers import Answer, empty
from airflow_provider.emulator.behaviour import registering, registry_roles
from airflow_provider.emulator.behaviour.packages import package_of, package_view
from airflow_provider.emulator.behaviour.shared_roles import asked_for, shown
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.handlers.registered_models import model_view, version_of
from airflow_provider.emulator.store import Record


@serves("createModelPackageFromLeaderboard")
def create_from_leaderboard(call: Call) -> Answer:
    """202; the whole version, or less, by the switch ``package_created_answer`` (wire.md I)."""
    return _created(call, registering.leaderboard_model(call.service, call.body["modelId"]), 202)


@serves("createModelPackageFromLearningModel")
def create_from_learning_model(call: Call) -> Answer:
    """The deprecated way: 201 (wire.md I)."""
    return _created(call, registering.leaderboard_model(call.service, call.body["modelId"]), 201)


@serves("createModelPackageFromCustomModelVersion")
def create_from_custom_model_version(call: Call) -> Answer:
    """201 with the version (wire.md I); there is nothing to build."""
    model = registering.custom_model_version(call.service, call.body["customModelVersionId"])
    package, _ = registering.register(call.service, call.user, model, call.body)
    return Answer(201, package_view(call.service, package))


@serves("createModelPackageFromJson")
def create_from_json(call: Call) -> Answer:
    """201 with the version of an external model (wire.md I)."""
    package, _ = registering.register(call.service, call.user, registering.external_model(call.body), call.body)
    if package["modelId"] is None:
        call.service.store.change("packages", package["id"], {"modelId": package["id"]})
    return Answer(201, package_view(call.service, package))


def _created(call: Call, model: Record, status: int) -> Answer:
    package, job = registering.register(call.service, call.user, model, call.body)
    value = call.service.switches["package_created_answer"]
    body = package_view(call.service, package) if value.startswith("version") else None
    if job is not None and value.endswith("location"):
        return call.accepted(job, body, status)
    return Answer(status, body) if body is not None else empty(status)


@serves("archiveModelPackage")
def archive_package(call: Call) -> Answer:
    """204; archived packages stay readable by id."""
    package = package_of(call.service, call.arguments["modelPackageId"])
    registry_roles.owned_model(call.service, call.user, package["registeredModelId"])
    registering.archive_package(call.service, package)
    return empty(204)


@serves("updateRegisteredModel")
def update_registered_model(call: Call) -> Answer:
    """Name, description, isGlobal; answers the model, or nothing (switch ``registered_model_updated_answer``)."""
    model = registry_roles.owned_model(call.service, call.user, call.arguments["registeredModelId"])
    body: dict[str, Any] = call.body or {}
    changes = {name: body[name] for name in ("name", "description", "isGlobal") if name in body}
    stamp = {"modifiedAt": call.service.clock.iso(), "modifiedBy": call.user["id"]}
    call.service.store.change("registeredModels", model["id"], changes | stamp, "registeredModelUpdated")
    if call.service.switches["registered_model_updated_answer"] == "empty":
        return empty(200)
    return Answer(200, model_view(call, model))


@serves("updateRegisteredModelVersion")
def update_version(call: Call) -> Answer:
    """Name and description of a version (wire.md I: the operation exists; which keys it takes is assumed)."""
    version = version_of(call)
    registry_roles.owned_model(call.service, call.user, version["registeredModelId"])
    changes = {name: call.body[name] for name in ("name", "description") if name in call.body}
    call.service.store.change("packages", version["id"], changes, "packageUpdated")
    return Answer(200, package_view(call.service, version))


@serves("deleteRegisteredModel")
def delete_registered_model(call: Call) -> Answer:
    """204: archives the model and every version."""
    model = registry_roles.owned_model(call.service, call.user, call.arguments["registeredModelId"])
    registering.archive_model(call.service, model, call.user)
    return empty(204)


@serves("listRegisteredModelSharedRoles")
def list_roles_of_model(call: Call) -> Answer:
    """Who has which role on a registered model."""
    return _roles(call, registry_roles.registered_model(call.service, call.arguments["registeredModelId"]))


@serves("listModelPackageSharedRoles")
def list_roles_of_package(call: Call) -> Answer:
    """The same for a package, whose registered model is shared (deprecated)."""
    package = package_of(call.service, call.arguments["modelPackageId"])
    return _roles(call, registry_roles.registered_model(call.service, package["registeredModelId"]))


def _roles(call: Call, model: Record) -> Answer:
    rows = asked_for(shown(call.service, registry_roles.roles_of(model)), call.arguments)
    return call.page(call.service.listed(rows))


@serves("updateRegisteredModelSharedRoles")
def update_roles(call: Call) -> Answer:
    """204; roles that are not named stay."""
    model = registry_roles.owned_model(call.service, call.user, call.arguments["registeredModelId"])
    registry_roles.put_roles(call.service, model, call.body["roles"])
    return empty(204)


@serves("listModelPackageFeatures")
def list_features(call: Call) -> Answer:
    """The features that predictions need; nothing is known of the others."""
    package = package_of(call.service, call.arguments["modelPackageId"])
    text = call.arguments.get("search", "").lower()
    features = [
        {
            "name": one["name"],
            "featureType": one["featureType"],
            "importance": one.get("importance"),
            "dateFormat": None,
            "knownInAdvance": False,
        }
        for one in package["features"]
        if text in one["name"].lower()
    ]
    order = call.arguments.get("orderBy")
    if order is not None:
        field = order.removeprefix("-")
        features.sort(key=lambda one: one[field] or 0, reverse=order.startswith("-"))
    return call.page(features)


@serves("listModelPackageModelLogs")
def list_logs(call: Call) -> Answer:
    """What was written while the package was built."""
    return call.page(package_of(call.service, call.arguments["modelPackageId"]).get("logs", []))
