"""The association id of a deployment: which column carries it, and when it can no longer be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import refuse_by_switch
from airflow_provider.emulator.behaviour.deployments import settings_of
from airflow_provider.emulator.behaviour.predictions import used_association_ids

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

FIXED = "The association ID cannot be changed: predictions were made with it."


def association_columns(deployment: Record) -> list[str]:
    """Names of the columns that carry the association id; empty when none is configured."""
    return list(settings_of(deployment)["associationId"]["columnNames"] or ())


def check_change(service: Service, deployment: Record, settings: Any) -> str | None:
    """Refuse other columns once predictions have used the old ones.

    The documentation says that an error is returned, not which: switch ``association_id_change``.

    :returns: a text when the job shall fail instead
    """
    wanted = (settings.get("associationId") or {}).get("columnNames")
    before = association_columns(deployment)
    if wanted is None or not before or wanted == before or not used_association_ids(service, deployment["id"]):
        return None
    value = service.switches["association_id_change"]
    if value == "job_error":
        return FIXED
    raise refuse_by_switch(value, FIXED)
