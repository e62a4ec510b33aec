"""Model packages: list, read, capabilities, features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.packages import CAPABILITIES, package_of, package_view, similar
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

KINDS_OF_MODEL: tuple[str, ...] = ()  # nothing here is a time series, multiseries, unsupervised or combined model
Filter = Callable[[Call, Record, Any], bool]


def matches_search(package: Record, text: str) -> bool:
    """``search``: in package name, model name or description (seed 004:26)."""
    return text.lower() in f"{package['name']} {package['modelName']} {package['description'] or ''}".lower()


FILTERS: Mapping[str, Filter] = {
    "modelId": lambda _, one, model_id: one["modelId"] == model_id,
    "similarTo": lambda call, one, other: similar(one, package_of(call.service, other)),
    "search": lambda _, one, text: matches_search(one, text),
    "imported": lambda _, one, wanted: not wanted,
    "modelKind": lambda _, one, words: any(word in KINDS_OF_MODEL for word in words),
    "buildStatus": lambda _, one, word: one["buildStatus"] == word,
}  # predictionThreshold, predictionEnvironmentId and forChallenger leave the list as it is


def filtered(call: Call, packages: list[Record], filters: Mapping[str, Filter]) -> list[Record]:
    """The packages that fit every filter of the query."""
    for name, fits in filters.items():
        if name in call.arguments:
            packages = [one for one in packages if fits(call, one, call.arguments[name])]
    return packages


@serves("listModelPackages")
def list_model_packages(call: Call) -> Answer:
    """All packages; archived ones are left out."""
    packages = [one for one in call.service.store.rows("packages") if not one["isArchived"]]
    rows = call.service.listed(filtered(call, packages, FILTERS))
    return call.page([package_view(call.service, one) for one in rows])


@serves("getModelPackage")
def get_model_package(call: Call) -> Answer:
    """One package."""
    return Answer(200, package_view(call.service, package_of(call.service, call.arguments["modelPackageId"])))


@serves("getModelPackageCapabilities", how="shaped")
def get_model_package_capabilities(call: Call) -> Answer:
    """What a deployment of the package would support."""
    package_of(call.service, call.arguments["modelPackageId"])
    data = [{"name": name, "supported": supported, "messages": []} for name, supported in CAPABILITIES.items()]
    return Answer(200, {"data": data})
