"""From creation to deletion, for each resource: made, got, listed, changed, deleted, and then gone for everyone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.server import running
from airflow_provider.emulator.service import Service
from tests.emulator.demo import CANDIDATE, UNGOVERNED, policy, taken

HERE = f"deployments/{UNGOVERNED}/"
ENTITY = f"deployment/{UNGOVERNED}/"
DAY = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
HOOK = {"channelType": "Webhook", "name": "hook", "payloadUrl": "http://192.0.2.1/", "secretToken": "hidden"}
EVENTS = {"name": "all", "eventGroup": "model_deployments.all"}
SCOPE = {"channelScope": "entity", "active": True}
METRIC = {"name": "Savings", "units": "EUR", "isModelSpecific": False, "type": "sum"}
ENVIRONMENT = "64a300000000000000000001"


@dataclass(frozen=True)
class Resource:
    """One kind of thing: where it is listed and made, what it is made of, what it is changed to."""

    path: str
    body: dict[str, Any]
    changed: dict[str, Any] | None = None
    shown: dict[str, Any] = field(default_factory=dict)  # of the change, where it is shown in another way
    verb: str = "PATCH"
    at: str = ""  # where a single one is, if not below the list
    made_at: str = ""
    user: str = "requester"
    needs: str = ""  # the resource whose id the body names as channelId
    file: bool = False
    deletable: bool = True
    archived: bool = False  # deletion only takes it out of the list


RESOURCES = {
    "approval policy": Resource(
        "approvalPolicies/",
        policy("deployment", "DELETE"),
        policy("deployment", "DELETE", name="another"),
        {"name": "another"},
        verb="PUT",
        user="admin",
    ),
    "channel": Resource("notificationChannels/", HOOK, {**HOOK, "name": "other"}, {"name": "other"}, verb="PUT"),
    "policy": Resource(
        "notificationPolicies/", EVENTS, {**EVENTS, "name": "other"}, {"name": "other"}, verb="PUT", needs="channel"
    ),
    "channel of an entity": Resource(
        f"entityNotificationChannels/{ENTITY}",
        {**HOOK, "relatedEntityType": "deployment", "relatedEntityId": UNGOVERNED},
        {**HOOK, "name": "other"},
        {"name": "other"},
        verb="PUT",
        made_at="entityNotificationChannels/",
    ),
    "policy of an entity": Resource(
        f"entityNotificationPolicies/{ENTITY}",
        {**EVENTS, **SCOPE, "relatedEntityType": "deployment", "relatedEntityId": UNGOVERNED},
        {**EVENTS, **SCOPE, "name": "other"},
        {"name": "other"},
        verb="PUT",
        made_at="entityNotificationPolicies/",
        needs="channel of an entity",
    ),
    "custom metric": Resource(f"{HERE}customMetrics/", METRIC, {"name": "Costs"}),
    "monitoring batch": Resource(f"{HERE}monitoringBatches/", {"batchName": "March"}, {"description": "all of it"}),
    "challenger": Resource(
        f"{HERE}challengers/",
        {"modelPackageId": CANDIDATE, "name": "rival", "predictionEnvironmentId": ENVIRONMENT},
        {"name": "other"},
    ),
    "retraining policy": Resource(
        f"{HERE}retrainingPolicies/", {"name": "Monthly", "trigger": {"type": "schedule"}}, {"description": "monthly"}
    ),
    "dataset": Resource("datasets/", {}, {"name": "Visits"}, made_at="datasets/fromFile/", file=True),
    "export of actuals": Resource(f"{HERE}actualsDataExports/", DAY, {"status": "CANCELLED"}),
    "export of predictions": Resource(f"{HERE}predictionDataExports/", DAY, {"status": "CANCELLED"}, deletable=False),
    "batch prediction": Resource("batchPredictions/", {"deploymentId": UNGOVERNED}, deletable=False),
    "registered model": Resource(
        "registeredModels/",
        {"modelId": "64a100000000000000000021", "registeredModelName": "New"},
        {"description": "by hand"},
        made_at="modelPackages/fromLeaderboard/",
        archived=True,
    ),
    "deployment": Resource(
        "deployments/",
        {"modelPackageId": CANDIDATE, "label": "New", "predictionEnvironmentId": ENVIRONMENT},
        {"label": "other"},
        made_at="deployments/fromModelPackage/",
    ),
}
IDS = ("registeredModelId", "catalogId", "id")


@pytest.fixture(scope="module")
def door() -> Iterator[EmulatorDoor]:
    with running(Service(check_answers=True)) as origin:
        yield EmulatorDoor(origin)


@pytest.fixture
def clients(door: EmulatorDoor) -> Iterator[dict[str, httpx.Client]]:
    door.reset()
    people = {name: httpx.Client(base_url=f"{door.endpoint}/", trust_env=False) for name in door.tokens}
    for name, client in people.items():
        client.headers["Authorization"] = f"Bearer {door.tokens[name]}"
    yield people
    for client in people.values():
        client.close()


def made(door: EmulatorDoor, clients: dict[str, httpx.Client], one: Resource) -> str:
    """The id of a new one, when its jobs are over."""
    client, body = clients[one.user], dict(one.body)
    if one.needs:
        body["channelId"] = made(door, clients, RESOURCES[one.needs])
    before = ids(client, one)
    if one.file:
        answer = client.post(one.made_at, files={"file": ("rows.csv", b"id,a\n1,2\n")})
    else:
        answer = client.post(one.made_at or one.path, json=body)
    assert answer.status_code in (200, 201, 202), answer.text
    door.advance(30)
    [new] = ids(client, one) - before
    told = answer.json() if answer.content else {}
    assert new in [told.get(name, new) for name in IDS]
    return new


def ids(client: httpx.Client, one: Resource) -> set[str]:
    """Of everything in the list, page by page."""
    found: set[str] = set()
    listed = taken(client.get(one.path, params={"limit": 2, "offset": 0}))
    while True:
        found |= {str(row.get("datasetId") or row["id"]) for row in listed["data"]}
        if not listed.get("next"):
            return found
        listed = taken(client.get(listed["next"]))


@pytest.mark.parametrize("name", RESOURCES)
def test_from_creation_to_deletion(door: EmulatorDoor, clients: dict[str, httpx.Client], name: str) -> None:
    one = RESOURCES[name]
    client = clients[one.user]
    key = made(door, clients, one)
    path = f"{one.path}{key}/"
    first = taken(client.get(path))
    assert key in (first.get("id"), first.get("datasetId"))
    if one.changed is not None:
        body = one.changed | ({"channelId": first["channelId"]} if one.needs else {})
        answer = client.request(one.verb, path, json=body)
        if name.startswith("export"):
            assert answer.status_code == 422, "it is over"
        else:
            assert answer.status_code in (200, 202, 204), answer.text
            found = taken(client.get(path))
            wanted = one.shown or one.changed
            assert {field: found[field] for field in wanted} == wanted
    if not one.deletable:
        return
    answer = client.delete(path)
    assert answer.status_code in (200, 202, 204), answer.text
    door.advance(30)
    assert key not in ids(client, one)
    if one.archived:
        assert taken(client.get(path))["isArchived"] is True
        return
    assert client.get(path).status_code in (404, 410)
    assert client.delete(path).status_code in (404, 410)
