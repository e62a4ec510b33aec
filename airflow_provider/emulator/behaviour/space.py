"""Rows by place: the stored value of a location feature is its H3 cell."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider.emulator.answers import invalid
from airflow_provider.emulator.behaviour.matching import Row
from airflow_provider.emulator.behaviour.packages import package_by_model
from airflow_provider.emulator.behaviour.scope import Scope
from airflow_provider.emulator.behaviour.segments import tracked

LOCATION = "Location"  # the feature type of coordinates


def geo_feature(scope: Scope) -> str:
    """The location feature of a call: the one it names, else the model's first; it must be tracked (seed 002:3235)."""
    package = package_by_model(scope.call.service, scope.models[0])
    known = [one["name"] for one in package["features"] if one["featureType"] == LOCATION]
    name = scope.call.arguments.get("geoFeatureName") or next(iter(known), None)
    if name is None or name not in known:
        raise invalid([f"there is no location feature {name or ''} @ $.geoFeatureName"])
    if name not in tracked(scope.deployment):
        raise invalid([f"segmented analysis is not enabled for {name} @ $.geoFeatureName"])
    return str(name)


def cells(feature: str, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows by the cell of this feature; rows without a place are left out."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        cell = (row.features or {}).get(feature)
        if cell is not None:
            found.setdefault(str(cell), []).append(row)
    return found
