"""Runtime parameters of a deployment: what its model declares, and what was set instead of the defaults.

What PUT sends is one text that holds a JSON array of ``{fieldName, type, value}`` (wire.md E).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import invalid, refuse_by_switch

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

FIELD = "$.runtimeParameterValues"
KINDS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "numeric": (int, float),
    "string": (str,),
    "credential": (str,),
}


def declared(service: Service, deployment: Record) -> list[Record]:
    """The parameters that the deployment's model declares."""
    return [one for one in service.store.rows("runtimeParameters") if one["deploymentId"] == deployment["id"]]


def view(one: Record) -> Record:
    """A parameter as the page shows it: values are texts."""
    override = one["overrideValue"]
    shown = {name: value for name, value in one.items() if name not in ("id", "deploymentId", "createdAt")}
    current = one["defaultValue"] if override is None else override
    return {**shown, **_texts(defaultValue=one["defaultValue"], overrideValue=override, currentValue=current)}


def _texts(**values: Any) -> Record:
    return {
        name: "" if value is None else value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


def put(service: Service, deployment: Record, text: str) -> None:
    """Set the values; 422 for what does not fit, and by the switch ``runtime_parameters_while_active``."""
    value = service.switches["runtime_parameters_while_active"]
    if deployment["status"] != "inactive" and value != "works":
        raise refuse_by_switch(value, "Runtime parameters can be changed only while the deployment is inactive.")
    known = {one["fieldName"]: one for one in declared(service, deployment)}
    for number, given in enumerate(_entries(text)):
        one = known.get(given.get("fieldName"))
        if one is None:
            raise invalid([f"no such runtime parameter {given.get('fieldName')!r} @ {FIELD}"])
        _check(one, given, number)
        service.store.change(
            "runtimeParameters", one["id"], {"overrideValue": given["value"]}, "runtimeParameterChanged"
        )


def _entries(text: str) -> list[Record]:
    try:
        entries = json.loads(text)
    except ValueError:
        entries = None
    if not isinstance(entries, list) or not all(isinstance(one, dict) and "value" in one for one in entries):
        raise invalid([f"must be a JSON array of objects with fieldName, type and value @ {FIELD}"])
    return entries


def _check(one: Record, given: Record, number: int) -> None:
    value = given["value"]
    if given.get("type") != one["type"]:
        raise invalid([f"{one['fieldName']} is of type {one['type']}, not {given.get('type')!r} @ {FIELD}"])
    if value is None:  # back to the default
        return
    if not isinstance(value, KINDS[one["type"]]) or (one["type"] == "numeric" and isinstance(value, bool)):
        raise invalid([f"number {number} is no {one['type']} value @ {FIELD}"])
    if one["type"] == "numeric" and not one["minValue"] <= value <= one["maxValue"]:
        raise invalid([f"{one['fieldName']} must be {one['minValue']} to {one['maxValue']} @ {FIELD}"])
