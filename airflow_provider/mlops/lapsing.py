"""Change requests that wait for a decision, and when each of them lapses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import NotUnderstood
from airflow_provider.api.waits import canonical
from airflow_provider.mlops import retraining
from airflow_provider.mlops.windows import service_time, stamp

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


@dataclass(frozen=True, slots=True)
class Lapsing:
    """A request that nobody has decided; moments in seconds since 1970, of the service's clock."""

    entity: Mapping[str, Any]
    lapses: float
    left: float

    @property
    def lapses_at(self) -> str:
        """When it lapses, as the API writes moments."""
        return stamp(datetime.fromtimestamp(self.lapses, UTC))


def lapsing(
    client: Client, deployment_id: str | None, *, mine: bool, after: timedelta, within: timedelta
) -> list[Lapsing]:
    """Undecided requests that lapse soon, or have lapsed, the next one first (operation listChangeRequests).

    :param after: how long after it was opened a request lapses
    :param within: what is soon
    """
    now = service_time(client).timestamp()
    filters = {"entityId": deployment_id, "myRequests": "true" if mine else None}
    found = []
    for entity in client.iterate("listChangeRequests", entityType="deployment", **filters):
        if canonical(str(entity.get("status"))) not in ("pending", "changesRequested"):
            continue
        opened = retraining.moment(entity.get("createdAt"))
        if opened is None:
            raise NotUnderstood(
                f"change request {entity.get('id')} was created at {entity.get('createdAt')!r}, which is no moment",
                operation="listChangeRequests",
            )
        lapses = opened + after.total_seconds()
        if lapses - now <= within.total_seconds():
            found.append(Lapsing(entity, lapses, lapses - now))
    return sorted(found, key=lambda one: one.lapses)
