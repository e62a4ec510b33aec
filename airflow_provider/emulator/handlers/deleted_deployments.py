"""Deployments that were deleted: the list, and erasing them for good."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour.rights import is_admin
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.jobs import WORKS, Work, nothing, start
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.store import Record


@serves("listDeletedDeployments")
def list_deleted(call: Call) -> Answer:
    """Deleted deployments, for administrators (seed 002:11)."""
    _check_admin(call)
    return call.page(call.service.listed(call.service.store.rows("deletedDeployments")))


@serves("eraseDeletedDeployments")
def erase(call: Call) -> Answer:
    """202 and a job that erases them (seed 002:52); ids that are not there: switch ``erase_unknown``."""
    _check_admin(call)
    ids = call.body["deploymentIds"]
    unknown = [one for one in ids if call.service.store.get("deletedDeployments", one) is None]
    value = call.service.switches["erase_unknown"]
    if unknown and value != "ignores":
        raise refuse_by_switch(value, f"Not among the deleted deployments: {', '.join(unknown)}.")
    return call.accepted(start(call.service, "deploymentErasure", "erase", {"ids": ids}, "deletedDeployments/"))


def _check_admin(call: Call) -> None:
    if not is_admin(call.user):
        raise refuse(403, "You do not have permission to see deleted deployments.")


def _erase(service: Service, job: Record) -> None:
    for key in job["arguments"]["ids"]:
        if service.store.get("deletedDeployments", key) is not None:
            service.store.remove("deletedDeployments", key, "deploymentErased")


WORKS["erase"] = Work(_erase, nothing)
