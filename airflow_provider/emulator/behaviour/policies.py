"""Approval policies: which one an action falls under, and how long their periods are.

What the pages say (seed 000): entity type, action, ``equals`` as the only condition, ``values: null`` for any value,
``filterGroups`` for members of these groups only, paused while not active. Which action of a change request asks for
which trigger is assumed: :data:`TRIGGER_OF`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import invalid
from airflow_provider.emulator.behaviour.rights import CLOSED, group_ids

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

TRIGGER_OF = {
    "replaceModel": ("deploymentModel", "update"),
    "replaceModelPackage": ("deploymentModel", "update"),
    "approve": ("deployment", "create"),
    "delete": ("deployment", "delete"),
    "changeImportance": ("deployment", "update"),
    "changeStatus": ("deploymentStatus", "update"),
    "updateSecondaryDatasetConfigs": ("deploymentConfig", "update"),
    "cleanupStats": ("deploymentMonitoringData", "delete"),
}
DURATION = re.compile(
    r"P(?!$)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?!$)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?$"
)
DAY = 86_400
UNITS = {
    "years": 365 * DAY,
    "months": 30 * DAY,
    "weeks": 7 * DAY,
    "days": DAY,
    "hours": 3_600,
    "minutes": 60,
    "seconds": 1,
}  # seconds; years and months as whole days is our choice


def canonical(word: str) -> str:
    """The camelCase spelling of a word that may come in camel, Pascal or UPPER_SNAKE (seed 000)."""
    if word.isupper() or "_" in word:
        first, *others = word.lower().split("_")
        return first + "".join(part.capitalize() for part in others)
    return word[:1].lower() + word[1:]


def seconds_of(duration: str) -> float | None:
    """Length of an ISO 8601 duration, or None where it is none."""
    found = DURATION.match(duration)
    if found is None:
        return None
    return sum(float(value) * UNITS[unit] for unit, value in found.groupdict().items() if value)


def check_periods(body: Record) -> None:
    """422 for a period that is no duration (seed 000: ``string(duration)``)."""
    periods = {
        "automaticAction.period": (body.get("automaticAction") or {}).get("period"),
        "review.reminderPeriod": (body.get("review") or {}).get("reminderPeriod"),
    }
    wrong = [name for name, value in periods.items() if value is not None and seconds_of(value) is None]
    if wrong:
        raise invalid([f"must be an ISO 8601 duration @ $.{name}" for name in wrong])


def matching(
    service: Service, user: Record, entity_type: str, action: str, field: str | None, value: str | None
) -> Record | None:
    """The first active policy that this action of this user falls under.

    :param field: name of the entity's field that is asked about, or None for a query without it
    """
    for policy in service.store.rows("policies"):
        trigger = policy["trigger"]
        intended = trigger["intendedAction"]
        wanted = (trigger["entityType"], intended["action"]) == (entity_type, action)
        condition = intended.get("condition")
        if (
            policy["active"]
            and wanted
            and _meant(service, trigger, user)
            and _fulfilled(service, condition, field, value)
        ):
            return policy
    return None


def _meant(service: Service, trigger: Record, user: Record) -> bool:
    groups = trigger.get("filterGroups")
    return groups is None or bool({group["id"] for group in groups} & group_ids(service, user))


def _fulfilled(service: Service, condition: Record | None, field: str | None, value: str | None) -> bool:
    if condition is None:
        return True
    if field is None:
        return service.switches["match_without_field"] == "any"
    if condition["fieldName"] != field:
        return False
    return condition["values"] is None or value in condition["values"]


def policy_for(service: Service, user: Record, action: str, deployment: Record, change: Record | None) -> Record | None:
    """The policy under which a change of this deployment by this user falls, or None."""
    entity_type, trigger_action = TRIGGER_OF[action]
    for importance in _importances(service, action, deployment, change):
        policy = matching(service, user, entity_type, trigger_action, "importance", importance)
        if policy is not None:
            return policy
    return None


def _importances(service: Service, action: str, deployment: Record, change: Record | None) -> Sequence[str]:
    if action != "changeImportance" or change is None:
        return [deployment["importance"]]
    by_switch = {
        "new": [change["importance"]],
        "old": [deployment["importance"]],
        "either": [change["importance"], deployment["importance"]],
    }
    return by_switch[service.switches["importance_policy_looks_at"]]


def open_requests_under(service: Service, policy: Record) -> list[Record]:
    """Change requests under the policy that are neither resolved nor cancelled."""
    rows = service.store.rows("changeRequests")
    return [one for one in rows if one["policyId"] == policy["id"] and one["status"] not in CLOSED]
