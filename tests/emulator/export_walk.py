"""A walk through the operations of exports, for the outside judge of the contract."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED

DAY = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}


def walk(emulator: EmulatorDoor, requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    """Each operation, with its name; good ends and refusals."""
    emulator.predictions(UNGOVERNED, rows=24, start=DAY["start"], end=DAY["end"], prefix="export-")
    for kind in ("Prediction", "Actuals"):
        path = f"deployments/{UNGOVERNED}/{kind.lower()}DataExports/"
        name = f"Deployment{kind}DataExport"
        for body in (DAY, {}):
            yield f"create{name}", requester.post(path, json=body)
        made = requester.post(path, json=DAY).json()["id"]
        yield f"get{name}", requester.get(f"{path}{made}/")
        for _ in range(2):
            yield f"update{name}", requester.patch(f"{path}{made}/", json={"status": "CANCELLED"})
        emulator.advance(31)
        yield f"get{name}", requester.get(f"{path}{made}/")
        yield f"list{name}s", requester.get(path)
        if kind == "Actuals":
            for _ in range(2):
                yield f"delete{name}", requester.delete(f"{path}{made}/")
    path = f"deployments/{UNGOVERNED}/trainingDataExports/"
    yield "createDeploymentTrainingDataExport", requester.post(path, json={})
    emulator.advance(31)
    found = requester.get(path)
    yield "listDeploymentTrainingDataExports", found
    [export] = found.json()["data"]
    for key in (export["id"], "0" * 24):
        yield "getDeploymentTrainingDataExport", requester.get(f"{path}{key}/")
    file = f"datasets/{export['data']['id']}/file/"
    for wanted in ("bytes=3-", "bytes=9999999-"):
        yield "downloadDatasetFile", requester.get(file, headers={"Range": wanted})
