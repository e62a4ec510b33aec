"""The ``diff`` of a change request: what really changes on the deployment (recorded forms: wire.md F)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record


def diff_of(service: Service, action: str, change: Record | None, deployment: Record) -> Record:
    """``changesFrom`` and ``changesTo`` for people, ``base`` and ``head`` where fields change."""
    change = change or {}
    match action:
        case "approve":
            before = {"approvalStatus": deployment["approvalStatus"]}
            return _diff(before, {"approvalStatus": "APPROVED"}, [], ["New deployment was created"])
        case "delete":
            return {"changesFrom": [], "changesTo": ["Deployment will be deleted"]}
        case "changeImportance":
            old, new = deployment["importance"], change["importance"]
            before_text, after_text = f"{old.capitalize()} importance", f"{new.capitalize()} importance"
            return _diff({"importance": old}, {"importance": new}, [before_text], [after_text])
        case "changeStatus":
            old, new = deployment["status"], change["status"]
            return _diff({"status": old}, {"status": new}, [f"Status is {old}"], [f"Status will be {new}"])
        case "replaceModelPackage":
            old, new = deployment["modelPackageId"], change["modelPackageId"]
            return _diff({"modelPackageId": old}, {"modelPackageId": new}, *_names(service, old, new))
        case "replaceModel":
            old = service.store.tables["packages"][deployment["modelPackageId"]]["modelId"]
            new = change["modelId"]
            return _diff({"modelId": old}, {"modelId": new}, [f"Model {old}"], [f"Model {new}"])
        case "cleanupStats":
            return {"changesFrom": [], "changesTo": ["Monitoring data will be deleted"]}
    return {"changesFrom": [], "changesTo": ["Secondary dataset configuration will be replaced"]}


def _diff(base: Record, head: Record, before: list[str], after: list[str]) -> Record:
    return {"base": base, "head": head, "changesFrom": before, "changesTo": after}


def _names(service: Service, old: str, new: str) -> tuple[list[str], list[str]]:
    names = [(service.store.get("packages", key) or {"name": key})["name"] for key in (old, new)]
    return [f"Model package {names[0]}"], [f"Model package {names[1]}"]
