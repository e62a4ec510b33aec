"""Lists and booleans of queries in every rendering that clients use (wire.md C), for each parameter of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from airflow_provider.contract import Operation, Parameter, contract
from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.guard import NEVER_SPLIT
from airflow_provider.emulator.server import running
from airflow_provider.emulator.service import Service
from tests.emulator.demo import CANDIDATE, UNGOVERNED
from tests.walk.drawing import drawn, furnish

Pairs = list[tuple[str, str]]
PER_LIST = {"tagKeys": ["team", "stage"], "tagValues": ["growth", "production"], "targetClass": ["yes", "no"]}


def queries(kinds: Any) -> list[Any]:
    """Operation and parameter, for every query parameter of a kind."""
    return [
        pytest.param(operation, one, id=f"{operation.id} {one.name}")
        for operation in contract().operations.values()
        for one in operation.parameters
        if one.where == "query" and operation.method == "GET" and kinds(one)
    ]


def is_list(parameter: Parameter) -> bool:
    return parameter.schema.get("type") == "array" or "x-documented-type" in parameter.schema


def is_boolean(parameter: Parameter) -> bool:
    return parameter.schema.get("type") == "boolean" or "True" in parameter.schema.get("enum", ())


@pytest.fixture(scope="module")
def door() -> Iterator[EmulatorDoor]:
    with running(Service()) as origin:
        found = EmulatorDoor(origin)
        furnish(found)
        yield found


@pytest.fixture(scope="module")
def client(door: EmulatorDoor) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {door.tokens['requester']}"}
    with httpx.Client(base_url=f"{door.endpoint}/", headers=headers, trust_env=False) as one:
        yield one


def told(door: EmulatorDoor, client: httpx.Client, operation: Operation, name: str, pairs: Pairs) -> Any:
    """Status and body, less the addresses of other pages; the form of the parameter finds no fault."""
    given = drawn(operation, door).arguments
    path = operation.path.format(**given)
    needed = [
        (one.name, str(given[one.name]))
        for one in operation.parameters
        if one.where == "query" and one.required and one.name in given and one.name != name
    ]
    answer = client.get(path, params=[*needed, *pairs])
    if answer.headers.get("Content-Type") != "application/json":
        return answer.status_code, answer.content
    body = answer.json()
    errors = {field: text for field, text in body.get("errors", {}).items() if "not tracked" not in text}
    assert not any(field.startswith(name) for field in errors), errors
    return answer.status_code, {key: value for key, value in body.items() if key not in ("next", "previous", "period")}


@pytest.mark.parametrize(("operation", "parameter"), queries(is_list))
def test_a_list_is_joined_or_repeated(
    door: EmulatorDoor, client: httpx.Client, operation: Operation, parameter: Parameter
) -> None:
    name = parameter.name
    items = PER_LIST.get(name) or parameter.schema.get("items", {}).get("enum") or [UNGOVERNED, CANDIDATE]
    first, second = str(items[0]), str(items[-1])
    repeated = told(door, client, operation, name, [(name, first), (name, second)])
    if name not in NEVER_SPLIT:
        assert told(door, client, operation, name, [(name, f"{first},{second}")]) == repeated
    told(door, client, operation, name, [(name, first)])


@pytest.mark.parametrize(("operation", "parameter"), queries(is_boolean))
def test_a_boolean_is_spelled_in_python_or_in_json(
    door: EmulatorDoor, client: httpx.Client, operation: Operation, parameter: Parameter
) -> None:
    for word in ("true", "false"):
        small, large = (
            told(door, client, operation, parameter.name, [(parameter.name, one)]) for one in (word, word.title())
        )
        assert small == large
