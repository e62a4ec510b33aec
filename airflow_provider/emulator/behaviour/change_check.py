"""Whether a change object is one that its action takes: the tables of seed 000 from line 1146 on."""

from __future__ import annotations

from typing import Any

from airflow_provider.contract import check_value, contract
from airflow_provider.emulator.answers import invalid

IMPORTANCE = ("CRITICAL", "HIGH", "MODERATE", "LOW")  # the page's list is blank; these are those of DeploymentUpdate


def check_change(action: str, change: Any) -> None:
    """422 with the faulty field below ``change``."""
    name = f"ChangeRequestCreate{action[0].upper()}{action[1:]}"
    schema = contract().schemas[name]["properties"]["change"]
    faults = [] if action == "delete" and change is None else check_value(schema, change, contract(), "change")
    if not faults and action == "changeImportance" and change["importance"] not in IMPORTANCE:
        faults = [f"must be one of {', '.join(IMPORTANCE)}, not {change['importance']!r} @ $.change.importance"]
    if faults:
        raise invalid(faults)
