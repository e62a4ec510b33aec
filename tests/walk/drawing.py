"""Arguments for every operation that fit the contract, with ids of things that are there; and a world that has some."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from typing import Any

import httpx

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import MULTIPART, Call, prepare
from airflow_provider.api.uploads import Stream, Upload
from airflow_provider.contract import Operation, contract
from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import CANDIDATE, GOVERNED, UNGOVERNED, ask_for, review, taken
from tests.emulator.test_random_requests import TABLE_OF

TRIES = 200  # draws until one fits; each fault of the contract narrows nothing, so there may be many
ROWS = b"id,outcome\n1,yes\n2,no\n"
WORDS = ("name", GOVERNED, CANDIDATE, "accuracy")
MOMENT = "2026-03-01T00:00:00Z"
NAMED: dict[str, Any] = {  # what a field of this name takes, so that more is done than refused
    "start": MOMENT,
    "end": "2026-03-02T00:00:00Z",
    "relatedEntityType": "deployment",
    "modelPackageId": CANDIDATE,
    "entityId": UNGOVERNED,
    "deploymentId": UNGOVERNED,
    "segmentAttribute": "DataRobot-Consumer",
    "quantile": 0.5,
    "responseTimeQuantile": 0.5,
    "executionTimeQuantile": 0.5,
    "associationId": "row-1",
    "timestamp": MOMENT,
}


@dataclass
class Drawn:
    """What a call is made of; ``file`` is the body where it is one."""

    arguments: dict[str, Any]
    body: Any = None
    file: bytes | None = None

    def content(self, operation: Operation) -> Any:
        """The body as a client takes it, anew for each call."""
        if self.file is None:
            return self.body
        into = io.BytesIO(self.file)
        return Upload(into, "rows.csv") if operation.body_media_type == MULTIPART else Stream(into, "rows.csv")


@dataclass
class Fitting:
    """Draws values that fit a schema, as far as its keywords tell."""

    seed: str
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - the same in every run

    def value(self, schema: Any, name: str = "") -> Any:
        schema = known(contract().resolve(schema))
        if name in NAMED:
            return NAMED[name]
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self.value(_with(schema, keyword, contract().resolve(self.dice.choice(schema[keyword]))))
        if "x-documented-type" in schema:  # "any": a word, or several
            return self.dice.choice([GOVERNED, [GOVERNED, CANDIDATE]])
        if schema.get("enum"):
            return self.dice.choice(schema.get("x-canonical") or schema["enum"])
        kinds = schema.get("type")
        return self._of(self.dice.choice(kinds) if isinstance(kinds, list) else kinds, schema)

    def _of(self, kind: str | None, schema: Any) -> Any:
        match kind:
            case "object":
                return self._object(schema)
            case "array":
                least = schema.get("minItems", 0)
                return [self.value(schema.get("items", {})) for _ in range(max(least, self.dice.randint(0, 2)))]
            case "boolean":
                return self.dice.random() < 0.5
            case "integer" | "number":
                return max(schema.get("minimum", 0), min(schema.get("maximum", 3), self.dice.randint(1, 3)))
            case "null":
                return None
        if schema.get("format") in ("date-time", "duration"):
            return {"date-time": MOMENT, "duration": "P3D"}[schema["format"]]
        return self.dice.choice(WORDS)[: schema.get("maxLength", 40)].ljust(schema.get("minLength", 0), "x")

    def _object(self, schema: Any) -> Any:
        needed = schema.get("required", ())
        return {
            name: self.value(below, name)
            for name, below in schema.get("properties", {}).items()
            if name in needed or self.dice.random() < 0.5
        }


def _with(schema: Any, keyword: str, branch: Any) -> Any:
    """One of the alternatives, with what holds for all of them."""
    if "properties" not in schema:
        return branch
    rest = {name: value for name, value in schema.items() if name != keyword}
    properties = {**schema["properties"], **branch.get("properties", {})}
    return {**rest, "properties": properties, "required": [*rest.get("required", ()), *branch.get("required", ())]}


def known(schema: Any) -> Any:
    """A guessed schema with what the corrections state about it laid over."""
    stated = schema.get("x-known", {})
    both = {name: value for name, value in {**schema, **stated}.items() if name != "x-known"}
    if stated and "properties" in schema:
        below = stated.get("properties", {})
        both["properties"] = {**schema["properties"], **below}
    return both


def drawn(operation: Operation, door: EmulatorDoor) -> Drawn:
    """Arguments and a body that the client lets pass; the same on every emulator whose tables are of equal kind."""
    draw, told = Fitting(operation.id), ""
    names = [one.name for one in operation.parameters if one.where == "path"]
    there = {name: [*door.world(TABLE_OF[name]).values()] for name in names if name in TABLE_OF}
    for _ in range(TRIES):
        found = Drawn(_arguments(operation, there, draw))
        if operation.body_media_type in (None, "application/json"):
            found.body = draw.value(operation.body) if operation.body else None
        else:
            found.file = ROWS
        try:
            prepare(operation.id, found.arguments, found.content(operation))
        except InvalidCall as error:
            told = str(error)
        else:
            return found
    raise AssertionError(f"nothing fits {operation.id}: {told}")


def _arguments(operation: Operation, there: dict[str, list[Any]], draw: Fitting) -> dict[str, Any]:
    ids: dict[str, Any] = {}
    owner = UNGOVERNED
    for one in reversed([one for one in operation.parameters if one.where == "path"]):
        if one.name == "deploymentId":
            ids[one.name] = owner
        elif one.name in there:
            chosen = draw.dice.choice(there[one.name] or [{"id": "0" * 24}])
            ids[one.name], owner = chosen["id"], chosen.get("deploymentId", owner)
        else:
            ids[one.name] = draw.value(one.schema, one.name)
    query = [one for one in operation.parameters if one.where == "query"]
    given = {one.name: draw.value(one.schema, one.name) for one in query if one.required or draw.dice.random() < 0.3}
    return {**ids, **{name: value for name, value in given.items() if value not in (None, [])}}


def expected_query(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    """What the log of the emulator shall show, told without the client: lists joined or repeated, booleans as words."""
    shown: dict[str, Any] = {}
    for name, value in given.items():
        parameter = call.operation.parameter(name)
        if parameter is None or parameter.where != "query":
            continue
        items = [_word(one) for one in value] if isinstance(value, list) else [_word(value)]
        shown[name] = ",".join(items) if parameter.schema.get("type") == "array" or len(items) == 1 else items
    return shown


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def furnish(door: EmulatorDoor) -> None:
    """Something in every table that a path names."""
    with (
        httpx.Client(base_url=f"{door.endpoint}/", trust_env=False) as requester,
        httpx.Client(base_url=f"{door.endpoint}/", trust_env=False) as reviewer,
    ):
        requester.headers["Authorization"] = f"Bearer {door.tokens['requester']}"
        reviewer.headers["Authorization"] = f"Bearer {door.tokens['reviewer']}"
        _fill(door, requester, reviewer)


def _fill(door: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client) -> None:
    here = f"deployments/{UNGOVERNED}/"
    door.predictions(UNGOVERNED, rows=300)
    taken(review(reviewer, taken(ask_for(requester)), "commented"))
    dataset = taken(requester.post("datasets/fromFile/", files={"file": ("rows.csv", ROWS)}))["catalogId"]
    hook = {"channelType": "Webhook", "name": "hook", "payloadUrl": "http://192.0.2.1/", "secretToken": "hidden"}
    channel = taken(requester.post("notificationChannels/", json=hook))["id"]
    wanted = {"channelId": channel, "name": "all", "eventGroup": "model_deployments.all"}
    policy = taken(requester.post("notificationPolicies/", json=wanted))["id"]
    mute = {"policyId": policy, "entityId": UNGOVERNED, "entityType": "deployment"}
    for path, body in (
        ("notificationPolicyMutes/", mute),
        (f"{here}challengers/", {"modelPackageId": CANDIDATE, "name": "rival"}),
        (f"{here}customMetrics/", {"name": "Savings", "units": "EUR", "isModelSpecific": False, "type": "sum"}),
        (f"{here}monitoringBatches/", {"batchName": "March"}),
        (f"{here}predictionDataExports/", {"start": MOMENT, "end": "2026-03-02T00:00:00Z"}),
        ("batchPredictions/", {"deploymentId": UNGOVERNED}),
    ):
        made = requester.post(path, json=body)
        assert made.status_code < 500, (path, made.text)
    retraining = requester.patch(f"{here}retrainingSettings/", json={"datasetId": dataset})
    assert retraining.status_code < 300, retraining.text
    monthly = {"name": "Monthly", "trigger": {"type": "schedule"}}
    policy = taken(requester.post(f"{here}retrainingPolicies/", json=monthly))["id"]
    assert requester.post(f"{here}retrainingPolicies/{policy}/runs/").status_code < 300
    door.advance(60)
