"""What is set and not made: compared first, written where it differs, and compared again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import DataRobotError


class SettingsNotSeen(DataRobotError):
    """The service accepted values, and has others."""


def differing(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What of the wanted values is not so now."""
    return {name: value for name, value in wanted.items() if now.get(name) != value}
