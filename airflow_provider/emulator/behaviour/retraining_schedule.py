"""Retraining runs that start by themselves: a policy's trigger of type ``schedule``, five lists as in cron, in UTC.

They go as the retraining user of the settings (help page "Configure retraining"); without one, nothing starts. A run
that would begin while another of the policy goes on is left out.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_provider.emulator.agenda import due
from airflow_provider.emulator.answers import Refusal
from airflow_provider.emulator.behaviour.replay_schedule import next_moment
from airflow_provider.emulator.behaviour.retraining import begin

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record


def plan_next(service: Service, policy: Record) -> None:
    """Put the next run on the agenda; one that was planned by another trigger is not carried out."""
    trigger = policy["trigger"]
    if isinstance(trigger, dict) and trigger.get("type") == "schedule":
        moment = next_moment(trigger.get("schedule"), service.clock.now())
        if moment is not None:
            service.store.plan(moment, "scheduledRetraining", policy_id=policy["id"], trigger=trigger)


@due("scheduledRetraining")
def scheduled_retraining(service: Service, *, policy_id: str, trigger: Record) -> None:
    """Start a run, unless the trigger has changed, and plan the next."""
    policy = service.store.get("retrainingPolicies", policy_id)
    if policy is None or policy["trigger"] != trigger:
        return
    settings = service.store.tables["retrainingSettings"].get(policy["deploymentId"], {})
    user = service.store.get("users", settings.get("retrainingUserId"))
    if user is not None and service.store.get("deployments", policy["deploymentId"]) is not None:
        before, service.store.actor = service.store.actor, user["username"]
        with suppress(Refusal):  # nobody is told of a schedule that cannot be kept
            begin(service, user, policy)
        service.store.actor, service.request_plan = before, {}
    plan_next(service, policy)
