"""Airflow's own list of providers: our hook is in it, and nobody takes its place."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import MagicMock

import pytest

from airflow_provider.get_provider_info import get_provider_info
from airflow_provider.hooks.datarobot import DataRobotHook

OURS = "airflow-provider-datarobot-mlops"
HOOK = "airflow_provider.hooks.datarobot.DataRobotHook"


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A manager that has not looked yet, beside the one of the process."""
    from airflow.providers_manager import ProvidersManager

    # The form of 3.1 leaves stand-ins for modules that are not installed, and the manager then takes them for fields.
    for name in [name for name, module in sys.modules.items() if isinstance(module, MagicMock)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(ProvidersManager, "_initialized", False)
    made = object.__new__(ProvidersManager)
    ProvidersManager.__init__(made)
    return made


def test_our_hook_is_found_and_can_be_made(manager: Any) -> None:
    assert OURS in manager.providers
    found = manager.hooks["datarobot"]
    assert found.hook_class_name == HOOK
    assert found.hook_name == "DataRobot"
    assert found.connection_id_attribute_name == "datarobot_conn_id"
    assert found.connection_testable


@pytest.mark.parametrize("first", ["aaa-earlier-by-name", "zzz-later-by-name"])
def test_a_second_provider_with_the_same_type_does_no_harm(manager: Any, first: str) -> None:
    """The manager keeps the first by name. Our hook is built by its class, whoever that is."""
    from airflow.providers_manager import ProviderInfo

    info = {**get_provider_info(), "package-name": first}
    info["connection-types"] = [{"connection-type": "datarobot", "hook-class-name": "tests.hooks.test_manager.Rival"}]
    manager.initialize_providers_list()
    found = {**manager._provider_dict, first: ProviderInfo("1.0", info)}
    manager._provider_dict.clear()
    manager._provider_dict.update(sorted(found.items()))
    manager.initialize_providers_hooks()
    kept = manager._hook_provider_dict["datarobot"].package_name
    assert kept == min(OURS, first)
    assert DataRobotHook("datarobot_default").conn_type == "datarobot"


class Rival(DataRobotHook):
    """Another vendor's hook of the same type."""
