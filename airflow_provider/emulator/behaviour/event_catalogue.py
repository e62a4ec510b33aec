"""Events that notification policies can name, and their groups.

The ids stand in the contract (seed 001:1990). Which event belongs to which group no page tells: it is read from the
names.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from airflow_provider.contract import contract
from airflow_provider.emulator.store import Record

HEALTH = r"model_deployments\.(service_health|data_drift|accuracy|health\.|\w+_timeliness_health)"
GROUPS: Mapping[str, str] = {
    "secure_config.all": r"secure_config\.",
    "comment.all": r"comment\.",
    "dataset.all": r"dataset(s|relationship)?\.",
    "deployment_prediction_explanations_computation.all": r"prediction_explanations_computation\.",
    "model_deployments.critical_health": HEALTH + r".*(?<!still_)red$",
    "model_deployments.critical_frequent_health_change": HEALTH + r".*still_red$",
    "model_deployments.frequent_health_change": HEALTH + r".*still_",
    "model_deployments.health": HEALTH,
    "inference_endpoints.health": r"model_deployments\.endpoint_update_",
    "model_deployments.management_agent": r"management\.|model_deployments\.management_agent_",
    "model_deployments.management_agent_health": r"model_deployments\.management_agent_service_health_",
    "prediction_request.all": r"prediction_request\.",
    "challenger_management.all": r"model_deployments\.challenger_model_",
    "challenger_replay.all": r"model_deployments\.challenger_scoring_",
    "model_deployments.all": r"model_deployments\.",
    "project.all": r"project\.|autopilot\.|autostart\.",
    "perma_delete_project.all": r"perma_delete_project\.",
    "users_delete.all": r"users_delete\.",
    "applications.all": r"application\.",
    "batch_predictions.all": r"batch_predictions\.",
    "change_requests.all": r"change_request\.",
    "insights_computation.all": r"prediction_explanations_computation\.",
    "notebook_schedule.all": r"notebook_schedule\.",
    "monitoring.all": r"monitoring\.",
}
OF_DEPLOYMENTS = re.compile(r"(model_deployments|prediction_request|monitoring|management|change_request)\.")
FOR_ADMINS = re.compile(r"(users_delete|perma_delete_project|credits_system)\.")


@functools.cache
def event_types() -> tuple[str, ...]:
    """All events, in the order of the page."""
    return tuple(contract().schemas["NotificationPolicyCreate"]["properties"]["eventType"]["enum"])


@functools.cache
def members(group: str) -> tuple[str, ...]:
    """The events of a group."""
    return tuple(one for one in event_types() if re.match(GROUPS[group], one))


def shown(event: str) -> Record:
    """An event with its label."""
    return {"id": event, "label": label_of(event)}


def label_of(event: str) -> str:
    """Words for people; the real ones are not known."""
    area, _, name = event.partition(".")
    return f"{area} {name}".replace("_", " ").replace(".", " ").strip().capitalize()


def listed(*, of_deployments: bool, admin: bool) -> Record:
    """What ``notificationEvents/`` answers: events, and groups with the events that the caller may use."""
    usable = [
        one
        for one in event_types()
        if (OF_DEPLOYMENTS.match(one) or not of_deployments) and (admin or not FOR_ADMINS.match(one))
    ]
    groups = [
        {"id": group, "label": label_of(group), "events": [one for one in members(group) if one in usable]}
        for group in GROUPS
    ]
    return {
        "events": [shown(one) for one in usable],
        "eventGroups": [one for one in groups if one["events"]],
    }
