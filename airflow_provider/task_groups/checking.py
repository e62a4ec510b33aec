"""What is wrong with the arguments of a promotion, as far as it can be seen while the DAG is parsed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.replacement import REQUEST_REASONS
from airflow_provider.operators.watch import HEALTHS
from airflow_provider.tasks import arguments

STEPS = (
    "before",
    "validate",
    "challenger",
    "replay",
    "compare",
    "request",
    "approve",
    "apply",
    "watch",
    "roll_back",
    "promoted",
    "record",
)


def checked(given: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Refuses what can be seen to be wrong; gives the arguments of single steps."""
    for name in ("deployment_id", "model_package_id"):
        if _plain(given[name]):
            arguments.identifier(name, given[name])
    if _plain(given["reason"]):
        arguments.one_of("reason", given["reason"], REQUEST_REASONS)
    if _plain(given["on_warning"]):
        arguments.one_of("on_warning", given["on_warning"], ("fail", "allow"))
    if _plain(given["watch"]):
        arguments.seconds("watch", given["watch"])
    if _plain(given["deactivate_meanwhile"]):
        arguments.flag("deactivate_meanwhile", given["deactivate_meanwhile"])
    arguments.one_of("on_rolled_back", given["on_rolled_back"], ("fail", "succeed"))
    for name in ("validate", "approval_steps", "roll_back"):
        if not isinstance(given[name], bool):
            raise InvalidCall(f"{name} chooses a step while the DAG is parsed: True or False, not {given[name]!r}")
    challenger = given["challenger"]
    if challenger is not None and (not isinstance(challenger, Mapping) or "metric" not in challenger):
        raise InvalidCall(f"challenger must be a mapping of what to compare, with metric, not {challenger!r}")
    if not isinstance(given["record"], bool) and arguments.absent(given["record"]):
        raise InvalidCall(f"record must be True, False, or the path or URL of a file, not {given['record']!r}")
    if given["deactivate_meanwhile"] is True and not given["roll_back"]:
        raise InvalidCall("deactivate_meanwhile is about the way back, and roll_back is False")
    return _by_step(given)


def _by_step(given: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    chosen = {
        "validate": given["validate"],
        **dict.fromkeys(("challenger", "replay", "compare"), given["challenger"] is not None),
        "request": given["approval_steps"],
        "approve": given["approval_steps"],
        "watch": given["watch"] is not None,
        "roll_back": given["roll_back"],
        "record": given["record"] is not False,
    }
    there = [name for name in STEPS if chosen.get(name, True)]
    more = dict(given["step_arguments"] or {})
    for name, of_step in more.items():
        if name not in there:
            raise InvalidCall(f"step_arguments names {name!r}; the steps of this group are {', '.join(there)}")
        if not isinstance(of_step, Mapping) or "task_id" in of_step:
            raise InvalidCall(f"step_arguments[{name!r}] must be a mapping of arguments without task_id")
    unhealthy = more.get("watch", {}).get("unhealthy", ())
    if not isinstance(unhealthy, str) or _plain(unhealthy):
        arguments.some_of("unhealthy", unhealthy, HEALTHS)
    return more


def _plain(value: Any) -> bool:
    """Whether the value is what it says: neither a template nor something that is known only at run time."""
    if isinstance(value, str):
        return "{{" not in value and "{%" not in value
    return value is None or isinstance(value, (bool, int, float, timedelta))
