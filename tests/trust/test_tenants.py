"""Several tenants in one process, on one endpoint: in threads that take turns, and in one triggerer."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from airflow_provider.api import pool
from airflow_provider.api.errors import Unauthorized
from airflow_provider.api.waits import JobWait, to_json
from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.triggers.wait import DataRobotWaitTrigger
from tests.api.server import Server, Visit

TENANTS = {name: f"token-of-{name}-{number:08}" for number, name in enumerate(("anna", "berta", "clara"))}
OF = {token: name for name, token in TENANTS.items()}
ROUNDS = 30


class Mirror:
    """Tells everybody who they are, by their token, and notes where the other headers say otherwise."""

    def __init__(self) -> None:
        self.mixed: list[str] = []
        self.heard: Counter[tuple[str, str]] = Counter()
        self.refused = ""

    async def __call__(self, visit: Visit) -> None:
        headers = dict(line.split(": ", 1) for line in visit.headers.lower().strip().split("\r\n"))
        who = OF.get(headers["authorization"].removeprefix("bearer "), "nobody")
        path = visit.line.split()[1]
        self.heard[who, path] += 1
        if headers.get("x-tenant") != who or "cookie" in headers:
            self.mixed.append(f"{who}: {visit.line} {headers}")
        cookie = f"Set-Cookie: session={who}; Path=/"
        if who == self.refused:
            await visit.say("401 Unauthorized", b'{"message": "expired"}', cookie)
        elif "/status/" in path:
            await visit.say("303 See Other", b"{}", f"Location: /api/v2/deployments/{who}/", cookie)
        elif re.search(r"/deployments/\?", path + "?"):
            body = {"data": [{"id": who}], "next": None if "offset" in path else "/api/v2/deployments/?offset=1"}
            await visit.say("200 OK", json.dumps(body).encode(), cookie)
        else:
            await visit.say("200 OK", json.dumps({"id": who, "label": who}).encode(), cookie)


@pytest.fixture
def mirror() -> Mirror:
    return Mirror()


@pytest.fixture(autouse=True)
def connections(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, airflow_db: None) -> Iterator[None]:
    """A connection of each tenant, all to one server."""
    pool._pools.clear()  # what other tests of this process left belongs to loops that ended
    with Server(mirror).in_thread() as server:
        for name, token in TENANTS.items():
            extra = {"extra_headers": {"X-Tenant": name}}
            given = {"conn_type": "datarobot", "host": server.endpoint, "password": token, "extra": extra}
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(given))
        yield


def busy(name: str) -> set[str]:
    """Many calls of a tenant, of all kinds, with a new hook now and then; whoever it was taken for."""
    dice, hook, found = random.Random(name), DataRobotHook(name), set[str]()  # noqa: S311 - draws calls, no secrets
    for _ in range(ROUNDS):
        match dice.randrange(4):
            case 0:
                found |= {one["id"] for one in hook.iterate("listDeployments")}
            case 1:
                found.add(hook.call("getDeployment", deploymentId="same").json()["label"])
            case 2:
                found.add(str(hook.wait({"kind": "job", "path": "status/same/"}, timeout=60)))
            case _:
                hook.get_conn().close()
                hook = DataRobotHook(name)
    hook.get_conn().close()
    return found


def test_threads_that_take_turns_hear_nothing_of_each_other(mirror: Mirror) -> None:
    crowd = [*TENANTS, *TENANTS]
    with ThreadPoolExecutor(len(crowd)) as threads:
        found = list(threads.map(busy, crowd))
    for name, names in zip(crowd, found, strict=True):
        assert names
        assert all(re.findall("anna|berta|clara", one) == [name] for one in names), (name, names)
    assert mirror.mixed == []


def watching(name: str) -> DataRobotWaitTrigger:
    """A trigger that waits for the same path as all others."""
    return DataRobotWaitTrigger(name, to_json(JobWait("status/same/")), {"of": name}, pacing={"first": 0.0})


async def fired(trigger: DataRobotWaitTrigger) -> Any:
    """What a trigger tells."""
    events = trigger.run()
    try:
        return (await anext(events)).payload
    finally:
        await events.aclose()  # type: ignore[attr-defined]


async def closed() -> None:
    """Ends the pools of this loop."""
    keepers = [one._keeper for one in pool._pools.values()]
    for keeper in keepers:
        keeper.cancel()
    await asyncio.gather(*keepers, return_exceptions=True)


async def test_equal_looks_of_several_tenants_are_several(mirror: Mirror) -> None:
    """One triggerer, one endpoint, one path: what is shared between equal looks is shared within a tenant only."""
    names = [*TENANTS] * 20
    random.Random(1).shuffle(names)  # noqa: S311 - the order of triggers
    events = await asyncio.gather(*(fired(watching(name)) for name in names))
    await closed()
    for name, event in zip(names, events, strict=True):
        assert event["outcome"] == "done"
        assert (event["handle"], re.findall("anna|berta|clara", json.dumps(event["result"]))) == ({"of": name}, [name])
    assert mirror.mixed == []
    assert {who for who, _ in mirror.heard} == set(TENANTS)
    assert all(count < 20 for count in mirror.heard.values()), "equal looks of one tenant are shared"


async def test_a_token_that_is_refused_is_nobody_elses_trouble(mirror: Mirror) -> None:
    mirror.refused = "berta"
    events = await asyncio.gather(*(fired(watching(name)) for name in [*TENANTS] * 3))
    await closed()
    ends = {event["handle"]["of"]: (event["outcome"], event["reason"]) for event in events}
    assert ends["anna"][0] == ends["clara"][0] == "done"
    assert ends["berta"][0] != "done"
    assert "401" in str(ends["berta"][1])
    assert TENANTS["berta"] not in json.dumps(events)
    assert mirror.mixed == []
    hook = DataRobotHook("berta")
    with pytest.raises(Unauthorized):
        await asyncio.to_thread(hook.call, "getDeployment", deploymentId="same")
    hook.get_conn().close()
