"""Predictions that an external deployment made elsewhere, taken from a dataset of the catalog.

Not documented, and so a choice: the predictions stand in a column named like the target, the times in ``timestamp``
(without one: now), the ids in the deployment's association columns. Of a classification, a prediction is a list with
a probability for each class, in the order of the classes (the page of the operation).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_provider.emulator.behaviour import moments
from airflow_provider.emulator.behaviour.association import association_columns
from airflow_provider.emulator.behaviour.changes import existing
from airflow_provider.emulator.behaviour.datasets import records
from airflow_provider.emulator.behaviour.matching import champion_model, target_of
from airflow_provider.emulator.behaviour.predictions import PER_REQUEST, Prediction, add
from airflow_provider.emulator.jobs import WORKS, JobFails, Work, nothing

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

EXTERNAL = ("other", "external")  # platforms of prediction environments outside the service
TIME = "timestamp"


def is_external(deployment: Record) -> bool:
    """Whether its predictions are made outside the service."""
    return deployment["predictionEnvironment"]["platform"] in EXTERNAL


def fault_of(version: Record, target: Record) -> str | None:
    """Why this version cannot be used, or None."""
    if version["state"] != "COMPLETED":
        return f"The dataset is not ready: {version['state']}."
    if target["name"] not in (version["columns"] or ()):
        return f"The dataset has no column {target['name']}."
    return None


def _store(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    deployment = existing(service, arguments["deploymentId"])
    version = service.store.get("datasetVersions", arguments["datasetVersionId"])
    if version is None or service.store.tables["datasets"][version["datasetId"]]["deleted"]:
        raise JobFails("The dataset does not exist any more.")
    rows = list(_rows(service, deployment, version))
    add(service, deployment["id"], champion_model(service, deployment), rows, PER_REQUEST)
    service.rows.commit()
    service.store.change("deployments", deployment["id"], {}, "predictionsAssigned")


def _rows(service: Service, deployment: Record, version: Record) -> Iterator[Prediction]:
    target, ids = target_of(service, deployment), association_columns(deployment)
    lines = records(service, version)
    header = next(lines)
    for number, line in enumerate(lines, 1):
        cells = dict(zip(header, line, strict=False))
        try:
            value, classes = _predicted(target, cells[target["name"]])
            stamp = cells.get(TIME)
            moment = moments.seconds(stamp, naive_is_utc=True) if stamp else service.clock.now()
        except (ValueError, TypeError, KeyError):
            raise JobFails(f"Row {number} of the dataset cannot be read.") from None
        association = "_".join(cells[name] for name in ids) if ids and set(ids) <= set(cells) else None
        yield Prediction(moment, association, value, classes)


def _predicted(target: Record, text: str) -> tuple[float | str, dict[str, float] | None]:
    if target["type"] == "Regression":
        return float(text), None
    shares = [float(one) for one in json.loads(text)]
    names = [str(one) for one in target["classNames"]]
    if len(shares) != len(names):
        raise ValueError(text)
    classes = dict(zip(names, shares, strict=True))
    if target["type"] == "Binary":
        return shares[0], None
    return max(classes, key=lambda name: classes[name]), classes


WORKS["storePredictionInputs"] = Work(_store, nothing)
