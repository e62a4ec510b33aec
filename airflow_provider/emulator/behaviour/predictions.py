"""Stored predictions of a deployment: put in by the world or through the control door, never by the API itself."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider.emulator import seeds
from airflow_provider.emulator.rows import FILLERS

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

PER_REQUEST = 100  # rows of one prediction request, where nothing else is said
MILLISECONDS_A_ROW = 0.4  # what a row costs the made-up prediction server, on top of 20 ms a request
INSERT = """INSERT INTO predictions(
              deployment, model, moment, association, value, classes, distance, batch, features, humility, request)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
INSERT_REQUEST = """INSERT INTO requests(
                      deployment, model, moment, rows, execution, response, status, consumer, cached, remote, host,
                      batch)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


class Prediction(NamedTuple):
    """One row. ``value`` is a number, of a binary target the probability of its positive class.

    ``batch`` is the id of a monitoring batch, ``features`` the values that it was made from, ``humility`` the ids of
    the humility rules that it met.
    """

    moment: float
    association: str | None
    value: float | str | None
    classes: Mapping[str, float] | None = None
    distance: int | None = None
    batch: str | None = None
    features: Mapping[str, Any] | None = None
    humility: tuple[str, ...] = ()


class Asked(NamedTuple):
    """How a prediction request went and who sent it; times in milliseconds, None: made up from its rows."""

    status: int = 200
    execution: float | None = None
    response: float | None = None
    consumer: str = "emulator"
    remote: str = "127.0.0.1"
    host: str = "127.0.0.1"
    cached: bool = False


USUAL = Asked()


def add(
    service: Service,
    deployment_id: str,
    model_id: str,
    rows: Iterable[Prediction],
    per_request: int,
    asked: Asked = USUAL,
) -> int:
    """Store predictions, as many to a request as said; returns how many."""
    count = 0
    for part in _parts(rows, per_request):
        batch = part[0].batch
        request = add_request(service, deployment_id, model_id, part[0].moment, len(part), asked, batch)
        service.rows.db.executemany(INSERT, _columns(service, deployment_id, model_id, part, request))
        count += len(part)
    _score_waiting(service, deployment_id)
    return count


def _parts(rows: Iterable[Prediction], size: int) -> Iterator[list[Prediction]]:
    iterator = iter(rows)
    while part := list(islice(iterator, size)):
        yield part


def _columns(
    service: Service, deployment_id: str, model_id: str, rows: list[Prediction], request: int
) -> Iterator[tuple[Any, ...]]:
    deployment, model = service.rows.number(deployment_id), service.rows.number(model_id)
    for moment, association, value, classes, distance, batch, features, humility in rows:
        documents = (json.dumps(one) if one else None for one in (features, humility))
        shares = json.dumps(classes) if classes else None
        yield deployment, model, moment, association, value, shares, distance, batch, *documents, request


def add_request(
    service: Service, deployment_id: str, model_id: str, moment: float, count: int, asked: Asked, batch: str | None
) -> int:
    """Store one prediction request of so many rows, and return its number."""
    usual = 20 + count * MILLISECONDS_A_ROW
    execution = usual if asked.execution is None else asked.execution
    made = service.rows.db.execute(
        INSERT_REQUEST,
        (
            service.rows.number(deployment_id),
            service.rows.number(model_id),
            moment,
            count,
            execution,
            execution + 5 if asked.response is None else asked.response,
            asked.status,
            asked.consumer,
            int(asked.cached),
            asked.remote,
            asked.host,
            batch,
        ),
    )
    return int(made.lastrowid or 0)


def _score_waiting(service: Service, deployment_id: str) -> None:
    """Actuals that came before their predictions: from now on the metrics have seen them."""
    service.rows.db.execute(
        """UPDATE actuals SET scored = value WHERE deployment = :deployment AND scored IS NULL AND EXISTS
           (SELECT 1 FROM predictions p WHERE p.deployment = :deployment AND p.association = actuals.association)""",
        {"deployment": service.rows.number(deployment_id)},
    )


def fill(service: Service) -> None:
    """Store the predictions of the world."""
    for one in seeds.sets(service.world):
        if one["deploymentId"] not in service.store.tables["deployments"]:
            continue
        midnight = seeds.midnight(service.started)
        rows = (
            Prediction(midnight - days * seeds.DAY + second, association, value)
            for days, second, association, value, _ in seeds.rows(service.world, one["file"])
        )
        add(service, one["deploymentId"], one["modelId"], rows, one["rowsPerRequest"])


FILLERS.append(fill)


def made_up(target: Record, count: int, start: float, end: float, prefix: str, seed: int) -> Iterator[Prediction]:
    """So many predictions, spread evenly over the time from start to end, with ids ``PREFIX0``, ``PREFIX1``, ..."""
    dice = random.Random(seed)  # noqa: S311 - data, no secret
    names = target["classNames"]
    for number in range(count):
        moment = start + (end - start) * number / count
        association = f"{prefix}{number}"
        if target["type"] == "Multiclass":
            weights = [dice.random() + 0.01 for _ in names]
            shares = {name: weight / sum(weights) for name, weight in zip(names, weights, strict=True)}
            yield Prediction(moment, association, None, shares)
        elif target["type"] == "Binary":
            yield Prediction(moment, association, round(dice.random(), 6))
        else:
            yield Prediction(moment, association, round(dice.gauss(100, 25), 3))


def used_association_ids(service: Service, deployment_id: str) -> bool:
    """Whether predictions were made with an association id."""
    found = service.rows.db.execute(
        "SELECT 1 FROM predictions WHERE deployment = ? AND association IS NOT NULL LIMIT 1",
        (service.rows.number(deployment_id),),
    ).fetchone()
    return found is not None


def counts(service: Service, deployment_id: str) -> Record:
    """How many predictions are stored, with an id, and from when to when."""
    rows, with_id, first, last = service.rows.db.execute(
        "SELECT COUNT(*), COUNT(association), MIN(moment), MAX(moment) FROM predictions WHERE deployment = ?",
        (service.rows.number(deployment_id),),
    ).fetchone()
    return {"rows": rows, "withAssociationId": with_id, "first": first, "last": last}
