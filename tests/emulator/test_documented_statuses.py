"""Statuses that the pages show are met: who asks for nothing, may not, or asks wrongly gets what the page says."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider.contract import Operation, contract
from airflow_provider.contract.load import HERE
from airflow_provider.emulator.door import EmulatorDoor
from docs.parts import coverage
from docs.parts.unreached import reasons
from tests.emulator.demo import GOVERNED
from tests.walk.drawing import Drawn, drawn

UNKNOWN = "0123456789abcdef01234567"


def showing(status: int) -> list[str]:
    """Operations whose page shows the status, less those of which other tests meet it, or nothing can (COVERAGE.md)."""
    met = {
        name
        for file, seen in coverage.tested_by().items()
        for name, statuses in seen.items()
        if status in statuses and file != Path(__file__).name
    }
    paths = json.loads((HERE / "datarobot-api.openapi.json").read_text(encoding="utf-8"))["paths"]
    shown = [one for item in paths.values() for one in item.values() if str(status) in one["responses"]]
    names = {one["operationId"] for one in shown if status not in reasons().get(one["operationId"], {})}
    return sorted(names - met)


def ask(
    client: httpx.Client, operation: Operation, given: Drawn, ids: dict[str, str], query: Any = None, body: Any = None
) -> httpx.Response:
    """The drawn call with other ids, and with another query or body where one is given."""
    named = {one.name: one.where for one in operation.parameters}
    path = {name: str(value) for name, value in given.arguments.items() if named[name] == "path"} | ids
    asked = query or {name: value for name, value in given.arguments.items() if named[name] == "query"}
    url = operation.path.format(**path)
    if given.file is not None:
        return client.request(operation.method, url, files={"file": ("rows.csv", io.BytesIO(given.file))})
    return client.request(operation.method, url, params=asked, json=given.body if body is None else body)


def path_names(operation: Operation) -> list[str]:
    return [one.name for one in operation.parameters if one.where == "path" and one.name != "relatedEntityType"]


@pytest.mark.parametrize("name", showing(404))
def test_what_is_not_there_is_404(emulator: EmulatorDoor, clients: dict[str, httpx.Client], name: str) -> None:
    operation = contract().operation(name)
    given = drawn(operation, emulator)
    answer = ask(clients["admin"], operation, given, dict.fromkeys(path_names(operation), UNKNOWN))
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("name", showing(403))
def test_who_may_not_gets_403(emulator: EmulatorDoor, reviewer: httpx.Client, name: str) -> None:
    """A reviewer sees the deployment and does not own it."""
    operation = contract().operation(name)
    given = drawn(operation, emulator)
    ids = {"deploymentId": GOVERNED} if "deploymentId" in path_names(operation) else {}
    assert ask(reviewer, operation, given, ids).status_code == 403


@pytest.mark.parametrize("name", showing(422))
def test_what_is_asked_wrongly_is_422(emulator: EmulatorDoor, requester: httpx.Client, name: str) -> None:
    operation = contract().operation(name)
    given = drawn(operation, emulator)
    wrong = {"limit": "x"} if operation.parameter("limit") else {}
    answers = [ask(requester, operation, given, {}, wrong, body) for body in ({}, {"data": 1, "status": 1, "roles": 1})]
    assert 422 in [one.status_code for one in answers], [one.text for one in answers]
