"""A direct write to a deployment that falls under an approval policy.

What the service answers then is not known (wire.md E): the switch ``write_under_policy`` says it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import refuse_by_switch
from airflow_provider.emulator.behaviour.policies import policy_for
from airflow_provider.emulator.behaviour.requests import open_request
from airflow_provider.emulator.jobs import start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record


def governed(service: Service, user: Record, deployment: Record, action: str, change: Record | None) -> Record | None:
    """Let the write pass (None), refuse it, or open a change request for it (the request).

    :param action: the change request action that this write amounts to
    :param change: its change object
    """
    policy = policy_for(service, user, action, deployment, change)
    value = service.switches["write_under_policy"]
    if policy is None or value == "allows":
        return None
    if value != "opens_request":
        raise refuse_by_switch(value, f"This change needs an approval: policy {policy['name']!r}.")
    auto_apply = service.switches["opened_request_auto_apply"] == "yes"
    return open_request(
        service, user, deployment, policy, action=action, change=change, auto_apply=auto_apply, comment=""
    )


def opened_job(service: Service, request: Record) -> Record:
    """The job whose end says only that the request was opened; it points to the deployment."""
    location = f"deployments/{request['entityId']}/"
    return start(service, "changeRequestOpened", "nothing", {"changeRequestId": request["id"]}, location)
