"""What Airflow is told about the provider is right, and everything that it names exists."""

from __future__ import annotations

import dataclasses
import importlib
import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest

from airflow_provider.api.settings import Settings
from airflow_provider.get_provider_info import get_provider_info
from airflow_provider.provider_info.connection import FIELDS, form_behaviour

INFO = get_provider_info()
MODULES = [name for kind in ("operators", "sensors", "hooks", "triggers") for name in INFO[kind][0]["python-modules"]]


def airflows_schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((Path(airflow.__file__).parent / name).read_text())
    return schema


def test_it_follows_airflows_schema() -> None:
    jsonschema.validate(INFO, airflows_schema("provider_info.schema.json"))


def test_its_connection_follows_the_stricter_schema_of_provider_files() -> None:
    rules = airflows_schema("provider.yaml.schema.json")["properties"]["connection-types"]
    jsonschema.validate(INFO["connection-types"], rules)


def test_airflow_finds_it_by_entry_point() -> None:
    (found,) = [
        one for one in entry_points(group="apache_airflow_provider") if one.value.startswith("airflow_provider.")
    ]
    assert found.load()() == INFO


@pytest.mark.parametrize("name", MODULES)
def test_each_module_it_names_exists(name: str) -> None:
    importlib.import_module(name)


def test_each_class_it_names_exists() -> None:
    classes = [one["hook-class-name"] for one in INFO["connection-types"]] + INFO["extra-links"]
    for path in classes:
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name), path


def test_the_hook_says_the_same() -> None:
    from airflow_provider.hooks.datarobot import DataRobotHook

    (told,) = INFO["connection-types"]
    assert (told["connection-type"], told["hook-name"]) == (DataRobotHook.conn_type, DataRobotHook.hook_name)
    assert DataRobotHook.get_ui_field_behaviour() == form_behaviour()


def test_each_declared_field_is_read_by_the_hook() -> None:
    """A field that the form shows and the hook ignores would be a promise not kept."""
    from airflow_provider.hooks import connection

    source = Path(connection.__file__).read_text()
    assert [name for name in FIELDS if f'"{name}"' not in source] == []


def test_the_form_shows_the_defaults_of_the_settings() -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    other_names = {"auth_scheme": "scheme", "verify_tls": "verify"}
    shown = {other_names.get(name, name): field["schema"].get("default") for name, field in FIELDS.items()}
    assert {name: shown[name] for name in shown if shown[name] is not None} == {
        name: default
        for name, default in defaults.items()
        if name in shown and default not in (None, (), dataclasses.MISSING)
    }
