"""Deployments and files for many promotions and uploads, and what the service says came of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.distributed.cluster import Cluster

OLD, NEW = "64d000000000000000000001", "64d000000000000000000003"  # packages of the world demo
VISITS = "64e000000000000000000003"
GATED = 4  # each so many-th deployment is so important that its model needs an approval
ROWS = 12_000  # of a file: two requests
LAUNCH = 60.0  # seconds of the service in which a new deployment is launched


def deployments(cluster: Cluster, number: int) -> list[str]:
    """So many new deployments that serve the old model; their ids."""
    ask = cluster.emulator.person("requester-token").ask
    made = []
    for index in range(number):
        body = {
            "modelPackageId": OLD,
            "label": f"Fleet {index}",
            "importance": "LOW" if index % GATED else "CRITICAL",
        }
        made.append(ask("POST", "deployments/fromModelPackage/", body)["id"])
    cluster.door.advance(LAUNCH)
    return made


def files(folder: Path, number: int) -> list[str]:
    """So many files of actuals with ids of their own; their paths."""
    paths = [folder / f"{index}.csv" for index in range(number)]
    for index, path in enumerate(paths):
        rows = (f"{index}-{row},{_outcome(row)}\n" for row in range(ROWS))
        path.write_text("id,no_visit\n" + "".join(rows))
    return [str(path) for path in paths]


def replaced(cluster: Cluster, ids: list[str]) -> Counter[int]:
    """How often deployments were replaced, and how many of them so often; each serves the new model."""
    table = cluster.door.world("deployments")
    assert {table[one]["modelPackageId"] for one in ids} == {NEW}
    effects = Counter(one["id"] for one in cluster.door.effects() if one["effect"] == "modelReplaced")
    assert effects.keys() <= set(ids)
    return Counter(effects[one] for one in ids)


def arrived(cluster: Cluster, number: int) -> dict[str, int]:
    """How many rows each file had too many: accepted more than once. None is missing or wrong."""
    account = cluster.door.actuals(VISITS, ids=True, values=True)
    accepted: dict[str, int] = account["acceptedPerId"]
    values: dict[str, dict[str, Any]] = account["values"]
    wanted = {f"{index}-{row}": _outcome(row) for index in range(number) for row in range(ROWS)}
    assert {row: value["actualValue"] for row, value in values.items()} == wanted
    again: Counter[str] = Counter()
    for row, times in accepted.items():
        again[row.partition("-")[0]] += times - 1
    return {index: times for index, times in again.items() if times}


def _outcome(row: int) -> str:
    return "no" if row % 3 else "yes"
