"""The whole contract: each operation called by its operationId, by both clients, against the emulator.

Two emulators in equal states are walked side by side, one by each client. What their logs saw must be what was meant,
and the answers must be of one kind. Reads come first and deletions last, so that most of what is asked for is there.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider.api.answers import Answer
from airflow_provider.api.client import AsyncClient, Client
from airflow_provider.api.errors import Refused
from airflow_provider.api.messages import prepare
from airflow_provider.api.settings import Settings
from airflow_provider.contract import Operation, contract
from airflow_provider.emulator.bulk import bulk_of, shown
from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.requestlog import masked
from airflow_provider.emulator.server import running
from airflow_provider.emulator.service import Service
from tests.walk.drawing import Drawn, drawn, expected_query, furnish

ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")
OPERATIONS = sorted(contract().operations.values(), key=lambda one: (ORDER.index(one.method), one.id))

Ask = Callable[[Operation, Drawn], Any]


@pytest.fixture(scope="module")
def doors() -> Iterator[list[EmulatorDoor]]:
    with running(Service()) as one, running(Service()) as other:
        yield [EmulatorDoor(one), EmulatorDoor(other)]


def settings(door: EmulatorDoor, user: str = "requester") -> Settings:
    return Settings(endpoint=door.endpoint, token=door.tokens[user])


def is_file(operation: Operation) -> bool:
    """Whether the good answer is a file and nothing else."""
    return operation.id.startswith("download")


def ask(client: Client, operation: Operation, given: Drawn) -> Any:
    try:
        if is_file(operation):
            into = io.BytesIO()
            return kind_of(client.download(operation.id, into, **given.arguments)), len(into.getvalue()) > 0
        return kind_of(client.call(operation.id, given.content(operation), **given.arguments))
    except Refused as error:
        return type(error).__name__, error.status, sorted(error.errors or ())


async def aask(client: AsyncClient, operation: Operation, given: Drawn) -> Any:
    try:
        if is_file(operation):
            into = io.BytesIO()
            answer = await client.download(operation.id, into, **given.arguments)
            return kind_of(answer), len(into.getvalue()) > 0
        return kind_of(await client.call(operation.id, given.content(operation), **given.arguments))
    except Refused as error:
        return type(error).__name__, error.status, sorted(error.errors or ())


def kind_of(answer: Answer) -> Any:
    """All that two equal services say alike: no ids, no times."""
    body = answer.json() if answer.content_type == "application/json" else answer.content_type
    return answer.status, answer.location is not None, shape(body)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(below) for name, below in value.items()}
    return [len(value)] if isinstance(value, list) else type(value).__name__


def check_log(door: EmulatorDoor, operation: Operation, given: Drawn) -> None:
    """The emulator saw one request, and it was the one that was meant."""
    [seen] = door.log(operationId=operation.id)[-1:]
    call = prepare(operation.id, given.arguments, given.content(operation))
    ids = {one.name: given.arguments[one.name] for one in operation.parameters if one.where == "path"}
    assert (seen["method"], seen["path"]) == (operation.method, f"/api/v2/{operation.path.format(**ids)}")
    assert seen["query"] == masked(expected_query(call, given.arguments))
    if given.file is None:
        bulk = bulk_of(operation, given.body)
        assert seen["body"] == masked(shown(given.body, bulk) if bulk else given.body)  # the log keeps no rows


def walk(door: EmulatorDoor, put: Ask) -> dict[str, Any]:
    """What each operation was answered."""
    found = {}
    for operation in OPERATIONS:
        given = drawn(operation, door)
        found[operation.id] = put(operation, given)
        check_log(door, operation, given)
    return found


def test_every_operation_is_called_alike_by_both_clients(doors: list[EmulatorDoor]) -> None:
    for door in doors:
        door.reset()
        furnish(door)
    with Client(settings(doors[0])) as client:
        ours = walk(doors[0], lambda operation, given: ask(client, operation, given))
    with asyncio.Runner() as runner:
        aclient = AsyncClient(settings(doors[1]))
        theirs = walk(doors[1], lambda operation, given: runner.run(aask(aclient, operation, given)))
        runner.run(aclient.aclose())
    assert ours.keys() == contract().operations.keys()
    assert {name: (one, theirs[name]) for name, one in ours.items() if one != theirs[name]} == {}
    unserved = [name for name, one in ours.items() if one[1] == 501]
    assert unserved == []
    good = [name for name, one in ours.items() if isinstance(one[0], (int, tuple))]
    assert len(good) > 0.6 * len(ours), f"only {len(good)} of {len(ours)} did something"


PAGED = [
    one
    for one in OPERATIONS
    if one.method == "GET"
    and one.parameter("limit")
    and one.parameter("offset")
    and "next" in contract().resolve(one.response_schema(200) or {}).get("properties", {})
]


def test_any_limit_and_offset_give_the_same_union(doors: list[EmulatorDoor]) -> None:
    """Every list of the contract, read by both clients to its end, from several places on."""
    door = doors[0]
    door.reset()
    furnish(door)
    several = set()
    with Client(settings(door, "admin")) as admin, Client(settings(door)) as requester, asyncio.Runner() as runner:
        aclient = AsyncClient(settings(door))
        for operation in PAGED:
            client = admin if operation.id == "listDeletedDeployments" else requester
            ids = {
                name: value
                for name, value in drawn(operation, door).arguments.items()
                if (found := operation.parameter(name)) and (found.where == "path" or found.required)
            }
            try:
                whole = list(client.iterate(operation.id, **{**ids, "limit": 50, "offset": 0}))
            except Refused:
                continue
            for limit, offset in ((1, 0), (2, 1), (3, len(whole))):
                part = list(client.iterate(operation.id, **{**ids, "limit": limit, "offset": offset}))
                assert part == whole[offset:], (operation.id, limit, offset)
            if client is requester:
                assert runner.run(listed(aclient, operation.id, {**ids, "limit": 2, "offset": 0})) == whole
            several |= {operation.id} if len(whole) > 1 else set()
        runner.run(aclient.aclose())
    assert len(PAGED) > 30
    assert len(several) > 10, several


async def listed(client: AsyncClient, operation_id: str, arguments: dict[str, Any]) -> list[Any]:
    return [one async for one in client.iterate(operation_id, **arguments)]
