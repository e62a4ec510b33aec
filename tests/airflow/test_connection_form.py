"""The connection form that Airflow's web UI draws: from the provider info, and on 3.1 from the hook's form methods."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.provider_info.connection import FIELDS


@pytest.fixture(scope="module")
def form(airflow_db: None) -> dict[str, Any]:
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    forms = {one.connection_type: one.model_dump() for one in HookMetaService.hook_meta_data()}
    return forms["datarobot"]


def test_the_type_is_called_datarobot(form: dict[str, Any]) -> None:
    assert form["hook_name"] == "DataRobot"
    assert form["hook_class_name"] == "airflow_provider.hooks.datarobot.DataRobotHook"


def test_standard_fields_are_relabelled_or_hidden(form: dict[str, Any]) -> None:
    fields = form["standard_fields"]
    assert (fields["host"]["title"], fields["password"]["title"]) == ("Endpoint", "API token")
    assert fields["host"]["placeholder"].startswith("https://")
    assert [fields[name]["hidden"] for name in ("login", "port", "url_schema")] == [True, True, True]


def test_declared_fields_are_shown(form: dict[str, Any]) -> None:
    assert set(form["extra_fields"]) == set(FIELDS)
    schemas = {name: field["schema"] for name, field in form["extra_fields"].items()}
    assert schemas["proxy"]["format"] == schemas["client_key_password"]["format"] == "password"
    assert schemas["location"]["enum"] == ["refuse", "rebase"]
    assert "boolean" in schemas["verify_tls"]["type"]
