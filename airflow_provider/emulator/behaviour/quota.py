"""How many actuals an hour, and how many posts a second.

The documentation says 10,000,000 rows an hour; a row of a time series counts once per forecast distance, a row of a
multiclass deployment once per class (seed 002:891, 939). Whose hour it is, and which, it does not say: switches
``quota_scope``, ``quota_window`` and ``repeats_count``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import Answer, Refusal

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

HOUR = 3_600
SECOND = 1.0
DOCUMENTED = "The number of actuals uploaded this hour exceeds the limit of {limit} rows."  # seed 002:939


def weight(service: Service, deployment: Record) -> int:
    """What one row costs: the number of forecast distances or of classes, else 1."""
    package = service.store.tables["packages"][deployment["modelPackageId"]]
    target = package["target"]
    distances = (package.get("timeseries") or {}).get("forecastDistances")
    if distances:
        return len(distances)
    return len(target["classNames"]) if target["type"] == "Multiclass" else 1


def check_quota(service: Service, deployment: Record, charged: int) -> None:
    """429 if the hour has no room for so many rows; all or nothing, and a refused post costs nothing."""
    limit = service.switches["quota_rows"]
    if limit == "off":
        return
    spent = _spent(service, deployment)
    if sum(rows for _, rows in spent) + charged <= int(limit):
        return
    headers = {}
    if service.switches["quota_retry_after"] == "seconds":
        seconds = _until_room(service, spent, int(limit) - charged)
        headers["Retry-After"] = str(max(1, math.ceil(service.clock.real_seconds(seconds))))
    raise Refusal(Answer(429, {"message": DOCUMENTED.format(limit=limit)}, headers))


def _spent(service: Service, deployment: Record) -> list[tuple[float, int]]:
    """What was charged in the hour so far, post by post, oldest first."""
    now = service.clock.now()
    since = now // HOUR * HOUR if service.switches["quota_window"] == "clock_hour" else now - HOUR
    wanted = "moment >= ?" if service.switches["quota_window"] == "clock_hour" else "moment > ?"
    query, arguments = f"SELECT moment, charged FROM batches WHERE {wanted}", [since]  # noqa: S608 - constants
    if service.switches["quota_scope"] == "deployment":
        query, arguments = f"{query} AND deployment = ?", [since, service.rows.number(deployment["id"])]
    return service.rows.db.execute(f"{query} ORDER BY moment", arguments).fetchall()


def _until_room(service: Service, spent: list[tuple[float, int]], room: int) -> float:
    """Seconds until no more than ``room`` rows are charged; the next clock hour, or when old posts leave the window."""
    now = service.clock.now()
    if service.switches["quota_window"] == "clock_hour":
        return HOUR - now % HOUR
    charged = sum(rows for _, rows in spent)
    for moment, rows in spent:
        charged -= rows
        if charged <= room:
            return moment + HOUR - now
    return HOUR


def check_rate(service: Service) -> None:
    """429 beyond 40 posts of actuals in a second of the service's clock (wire.md D; switch ``post_rate``)."""
    limit = service.switches["post_rate"]
    if limit == "off":
        return
    now, posts = service.clock.now(), service.posts
    while posts and not now - SECOND < posts[0] <= now:
        posts.popleft()
    if len(posts) >= int(limit):
        message = f"Too many requests: at most {limit} a second."
        raise Refusal(Answer(429, {"message": message}, {"Retry-After": "1"}))
    posts.append(now)


def counted(service: Service, deployment: Record, ids: Iterable[str]) -> int:
    """How many of these rows the limit counts: all, or by the switch ``repeats_count`` only ids not sent before."""
    found = list(ids)
    if service.switches["repeats_count"] == "yes":
        return len(found)
    db = service.rows.db
    db.execute("CREATE INDEX IF NOT EXISTS sent_by_association ON sent(association)")
    number = service.rows.number(deployment["id"])
    known = """SELECT 1 FROM sent s JOIN batches b ON s.number BETWEEN b.first AND b.last
               WHERE s.association = ? AND b.deployment = ? LIMIT 1"""
    return sum(db.execute(known, (one, number)).fetchone() is None for one in set(found))
