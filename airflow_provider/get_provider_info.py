"""What Airflow asks at every start. Reads data and lists folders; imports no operator, no hook and nothing heavy."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from airflow_provider import provider_info

INTEGRATION = "DataRobot MLOps"
MODULE_KINDS = ("operators", "sensors", "hooks", "triggers")


def get_provider_info() -> dict[str, Any]:
    """The provider's description in the form of Airflow's ``provider_info.schema.json``.

    Joins the parts in ``airflow_provider/provider_info/`` (one file an area) with the names of the modules in the
    folders of operators, sensors, hooks and triggers.
    """
    info: dict[str, Any] = {
        "package-name": "airflow-provider-datarobot-mlops",
        "name": INTEGRATION,
        "description": "Model replacement behind a governance approval, and every other operation of DataRobot MLOps.",
        "integrations": [{"integration-name": INTEGRATION, "tags": ["service", "ai"]}],
    }
    for kind in MODULE_KINDS:
        modules = _modules(kind)
        if modules:
            info[kind] = [{"integration-name": INTEGRATION, "python-modules": modules}]
    for name in _names(Path(provider_info.__file__).parent):
        part = importlib.import_module(f"{provider_info.__name__}.{name}")
        for key, entries in part.INFO.items():
            info.setdefault(key, []).extend(entries)
    return info


def _modules(kind: str) -> list[str]:
    return [f"airflow_provider.{kind}.{name}" for name in _names(Path(__file__).parent / kind)]


def _names(folder: Path) -> list[str]:
    """Modules in a folder, by name, without importing any; private ones are left out."""
    return sorted(module.name for module in pkgutil.iter_modules([str(folder)]) if not module.name.startswith("_"))
