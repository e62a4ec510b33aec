"""Predictions and actuals as tests send them: raw HTTP, literal JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED

HOUR = 3_600
Pair = tuple[str, Any]


def post(client: httpx.Client, rows: Sequence[Mapping[str, Any]], to: str = UNGOVERNED, **more: Any) -> httpx.Response:
    """POST actuals/fromJSON/ with these rows."""
    return client.post(f"deployments/{to}/actuals/fromJSON/", json={"data": list(rows)} | more)


def send(client: httpx.Client, *pairs: Pair, to: str = UNGOVERNED, **more: Any) -> httpx.Response:
    """The same from pairs of association id and value."""
    return post(client, [{"associationId": one, "actualValue": value} for one, value in pairs], to, **more)


def stored(emulator: EmulatorDoor, deployment: str = UNGOVERNED) -> dict[str, Any]:
    """What is stored: values by association id."""
    values: dict[str, Any] = emulator.actuals(deployment, values=True)["values"]
    return {association: one["actualValue"] for association, one in values.items()}


def predict(emulator: EmulatorDoor, *ids: str, deployment: str = UNGOVERNED, predicted: Any = 0.5) -> None:
    """One stored prediction for each id."""
    emulator.predictions(deployment, data=[{"associationId": one, "predicted": predicted} for one in ids])


def make_regression(emulator: EmulatorDoor, deployment: str = UNGOVERNED) -> None:
    """Give the deployment a champion that predicts numbers."""
    emulator.change("deployments", deployment, modelPackageId="64d000000000000000000006")


def make_multiclass(emulator: EmulatorDoor, *names: str, deployment: str = UNGOVERNED) -> None:
    """Give the deployment a champion with these classes."""
    target = {"name": "colour", "type": "Multiclass", "classNames": list(names)}
    emulator.change("packages", "64d000000000000000000006", target=target)
    make_regression(emulator, deployment)
