"""Actuals: accepted as a batch, applied by its job, matched with predictions when somebody asks.

::

    POST --accept--> batch "accepted" --job ends well--> "applied" (one stored value per association id)
                                      --job ends badly-> "failed"

The last value applied for an id is the stored one. Metrics keep the value that they have seen first: an overwritten
actual does not change metrics computed already (wire.md D; switch ``overwritten_actual``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.agenda import due
from airflow_provider.emulator.jobs import WORKS, Work, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

MATCHED = "EXISTS (SELECT 1 FROM predictions p WHERE p.deployment = :deployment AND p.association = s.association)"
APPLY = f"""
INSERT INTO actuals(deployment, association, value, scored, acted, moment, received)
SELECT :deployment, s.association, s.value, CASE WHEN {MATCHED} THEN s.value END, s.acted, s.moment, :now
FROM (SELECT association, value, acted, moment, MAX(number) FROM sent
      WHERE number BETWEEN :first AND :last GROUP BY association) s
WHERE :keep OR {MATCHED}
ON CONFLICT(deployment, association) DO UPDATE SET
  value = excluded.value, scored = COALESCE(actuals.scored, excluded.scored), acted = excluded.acted,
  moment = excluded.moment, received = excluded.received
"""  # noqa: S608 - put together from constants; of rows with one id in one batch the last one counts
LAG = 60.0  # service seconds, switch actuals_visible; a public application waits as long (wire.md D)

Row = tuple[str, Any, int | None, float | None]  # association id, value, acted on, moment


def accept(service: Service, deployment: Record, rows: Iterable[Row], count: int, charged: int, *, keep: bool) -> int:
    """Note a batch of rows; with the switch ``sink`` they are counted and forgotten.

    :param count: how many rows these are
    :param charged: what the batch costs of the hourly limit
    :param keep: whether rows without a prediction are kept
    :returns: the number of the batch
    """
    db = service.rows.db
    before = db.execute("SELECT COALESCE(MAX(number), 0) FROM sent").fetchone()[0]
    after = before
    if service.switches["sink"] == "off":
        db.executemany("INSERT INTO sent(association, value, acted, moment) VALUES (?, ?, ?, ?)", rows)
        after = db.execute("SELECT COALESCE(MAX(number), 0) FROM sent").fetchone()[0]
    cursor = db.execute(
        "INSERT INTO batches(deployment, moment, rows, charged, keep, first, last, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'accepted')",
        (service.rows.number(deployment["id"]), service.clock.now(), count, charged, keep, before + 1, after),
    )
    service.store.change("deployments", deployment["id"], {}, "actualsAccepted")
    return int(cursor.lastrowid or 0)


def start_submission(service: Service, deployment: Record, batch: int, kind: str, work: str, **more: Any) -> Record:
    """The job that applies a batch; it points to the deployment's accuracy (wire.md A.4)."""
    arguments = {"deploymentId": deployment["id"], "batch": batch, **more}
    return start(service, kind, work, arguments, f"deployments/{deployment['id']}/accuracy/")


def apply_batch(service: Service, job: Record) -> None:
    """The job is over: what it carried is stored, or by the switch ``actuals_visible`` a minute later."""
    if service.switches["actuals_visible"] == "a_minute_later":
        service.store.plan(service.clock.now() + LAG, "storeActuals", batch=job["arguments"]["batch"])
    else:
        store_batch(service, job["arguments"]["batch"])


@due("storeActuals")
def store_batch(service: Service, batch: int) -> None:
    """Store the rows of a batch."""
    deployment, keep, first, last = _batch(service, batch)
    if service.lies("actuals_lost"):
        last = _half(first, last)
    _apply(service, deployment, first, last, keep=bool(keep))
    service.rows.db.execute("UPDATE batches SET state = 'applied' WHERE number = ?", (batch,))
    deployment_id = service.rows.name(deployment)
    if service.store.get("deployments", deployment_id) is not None:
        service.store.change("deployments", deployment_id, {}, "actualsApplied")


def give_up_batch(service: Service, job: Record) -> None:
    """The job has failed: nothing of it is stored, or by the switch ``failed_actuals`` its first half."""
    batch = job["arguments"]["batch"]
    if service.switches["failed_actuals"] == "half_stored":
        deployment, keep, first, last = _batch(service, batch)
        _apply(service, deployment, first, _half(first, last), keep=bool(keep))
    service.rows.db.execute("UPDATE batches SET state = 'failed' WHERE number = ?", (batch,))


def _batch(service: Service, batch: int) -> tuple[int, int, int, int]:
    found: tuple[int, int, int, int] = service.rows.db.execute(
        "SELECT deployment, keep, first, last FROM batches WHERE number = ?", (batch,)
    ).fetchone()
    return found


def _half(first: int, last: int) -> int:
    """The last row of the first half."""
    return first + (last - first + 1) // 2 - 1


def _apply(service: Service, deployment: int, first: int, last: int, *, keep: bool) -> None:
    now = service.clock.now()
    arguments = {"deployment": deployment, "first": first, "last": last, "keep": keep, "now": now}
    service.rows.db.execute(APPLY, arguments)


WORKS["storeActuals"] = Work(apply_batch, give_up_batch)
