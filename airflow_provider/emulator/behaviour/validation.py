"""Whether a package can replace a deployment's champion: one check per name that the page shows (seed 002:3840).

Computed are target, type, classes, features and their types, the current model, the build and archive state. The
other names are there and pass. The text of the whole and of the target check are those of recorded answers (wire.md E).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

ALWAYS_PASSING = (
    "combinedModelSegments",
    "containsTrackedSegmentAttributes",
    "driftTracking",
    "humilityRules",
    "permission",
    "predictionIntervals",
    "seriesType",
    "timeSeriesCompatibility",
    "validChallenger",
)
FINE = "Model can be used to replace the current model of the deployment."
NOT_FINE = "Model cannot be used to replace the current model of the deployment."
DOUBTFUL = "Model can be used to replace the current model of the deployment, but there are warnings."


def validate(service: Service, deployment: Record, package: Record) -> Record:
    """The validation object: ``status`` is the worst of its ``checks``."""
    champion = service.store.tables["packages"][deployment["modelPackageId"]]
    checks = {name: _check(True, "Check passed.") for name in ALWAYS_PASSING}
    checks |= _target_checks(champion, package)
    checks |= _feature_checks(champion, package, service.switches["new_features"])
    checks |= _state_checks(champion, package)
    found = {check["status"] for check in checks.values()}
    if "failing" in found:
        return {"status": "failing", "message": NOT_FINE, "checks": checks}
    if "warning" in found:
        return {"status": "warning", "message": DOUBTFUL, "checks": checks}
    return {"status": "passing", "message": FINE, "checks": checks}


def _check(passed: bool, message: str, otherwise: str = "failing") -> Record:
    return {"status": "passing" if passed else otherwise, "message": message}


def _target_checks(champion: Record, package: Record) -> Record:
    old, new = champion["target"], package["target"]
    same_name, same_type = old["name"] == new["name"], old["type"] == new["type"]
    same_classes = sorted(old["classNames"]) == sorted(new["classNames"])
    name = "Target name matches." if same_name else f"Target name {new['name']!r} does not match {old['name']!r}."
    kind = "Target type matches." if same_type else f"Target type {new['type']} does not match {old['type']}."
    classes = "Target classes match." if same_classes else "Target classes do not match."
    return {
        "target": _check(same_name, name),
        "targetType": _check(same_type, kind),
        "targetClasses": _check(same_classes, classes),
    }


def _feature_checks(champion: Record, package: Record, new_features: str) -> Record:
    old = {feature["name"]: feature["featureType"] for feature in champion["features"]}
    new = {feature["name"]: feature["featureType"] for feature in package["features"]}
    extra = sorted(set(new) - set(old))
    changed = sorted(name for name in new if name in old and new[name] != old[name])
    features = f"New model needs features that are not in use: {', '.join(extra)}." if extra else "Features match."
    types = f"Feature types differ: {', '.join(changed)}." if changed else "Feature data types match."
    return {
        "features": _check(not extra, features, otherwise=new_features),
        "featureDataTypes": _check(not changed, types),
    }


def _state_checks(champion: Record, package: Record) -> Record:
    other = package["id"] != champion["id"]
    built = package["buildStatus"] == "complete"
    usable = built and package["canBeDeployed"]
    kept, current = not package["isArchived"], not package["isDeprecated"]
    return {
        "notCurrentModel": _check(other, "New model differs." if other else "New model is the current model."),
        "modelCanBeDeployed": _check(usable, "Model can be deployed." if usable else "Model cannot be deployed."),
        "predictionReady": _check(built, "Model is ready." if built else f"Build is {package['buildStatus']}."),
        "supported": _check(kept, "Model is supported." if kept else "Model package is archived."),
        "modelStatus": _check(current, "Model is current." if current else "Model is deprecated.", otherwise="warning"),
    }
