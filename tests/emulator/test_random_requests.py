"""Whatever is sent, the emulator answers as the contract says, and never with a fault of its own.

Bodies and queries are drawn from the contract's own schemas, some values from a bag of odd ones; ids mostly exist.
The seeds are fixed, so a failure can be seen again.
"""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import pytest

from airflow_provider.contract import Operation, contract
from airflow_provider.emulator.calls import SERVED
from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import CANDIDATE, GOVERNED, MISFIT, UNGOVERNED

ODD = ["", "x", " ", None, True, 0, -1, 2.5, "a%2Fb", "2024-01-01T00:00:00Z", "P1D", "0" * 24, [], ["a"], {}, {"a": 1}]
WORDS = ["approved", "resolving", "cancelled", "active", "CRITICAL", "accuracy", "P3D", "0", GOVERNED, CANDIDATE]
TABLE_OF = {
    "deploymentId": "deployments",
    "changeRequestId": "changeRequests",
    "reviewId": "reviews",
    "statusId": "jobs",
    "approvalPolicyId": "policies",
    "modelPackageId": "packages",
    "registeredModelId": "registeredModels",
    "versionId": "packages",
    "datasetId": "datasets",
    "exportId": "dataExports",
    "customMetricId": "customMetrics",
    "monitoringBatchId": "monitoringBatches",
    "batchPredictionId": "batchPredictions",
    "modelId": "packages",
    "channelId": "notificationChannels",
    "policyId": "notificationPolicies",
    "muteId": "notificationMutes",
    "notificationId": "notifications",
    "userNotificationId": "userNotifications",
    "relatedEntityId": "deployments",
    "challengerId": "challengers",
    "retrainingPolicyId": "retrainingPolicies",
    "runId": "retrainingRuns",
    "logId": "jobs",
    "resourceRequestBundleId": "computeBundles",
    "datasetVersionId": "datasetVersions",
    "tagId": "users",  # tags stand in their deployment
}
REQUESTS = 250  # for each seed


class Draw:
    """Values that fit a schema, or nearly."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311

    def likely(self, share: float) -> bool:
        return self.random.random() < share

    def value(self, schema: Any) -> Any:
        schema = contract().resolve(schema)
        if self.likely(0.04):
            return self.random.choice(ODD)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self.value(self.random.choice(schema[keyword]))
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        return self._by_type(schema)

    def _by_type(self, schema: Any) -> Any:
        kinds = schema.get("type")
        match self.random.choice(kinds) if isinstance(kinds, list) else kinds:
            case "object":
                return {name: self.value(below) for name, below in schema["properties"].items() if self.likely(0.95)}
            case "array":
                return [self.value(schema.get("items", {})) for _ in range(self.random.randint(0, 2))]
            case "boolean":
                return self.likely(0.5)
            case "integer" | "number":
                return self.random.choice([-1, 0, 1, 3, 100])
            case "null":
                return None
        return self.random.choice(WORDS)


def path_of(operation: Operation, emulator: EmulatorDoor, draw: Draw) -> str:
    path = operation.path.replace("{relatedEntityType}", "deployment")
    for name in (one.name for one in operation.parameters if one.where == "path" and f"{{{one.name}}}" in path):
        there = [*emulator.world(TABLE_OF[name])][-6:]
        path = path.replace(
            f"{{{name}}}", draw.random.choice(there if there and draw.likely(0.95) else ["0" * 24, "x"])
        )
    return path


def query_of(operation: Operation, draw: Draw) -> dict[str, str]:
    drawn = {
        one.name: draw.value(one.schema) for one in operation.parameters if one.where == "query" and draw.likely(0.3)
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in drawn.items()}


def body_of(operation: Operation, draw: Draw) -> Any:
    body = draw.value(operation.body) if operation.body else None
    if isinstance(body, dict):
        wanted = {
            "entityId": [GOVERNED, UNGOVERNED],
            "modelPackageId": [CANDIDATE, MISFIT],
            "changeVersionId": ["0", "1"],
        }
        body |= {name: draw.random.choice(values) for name, values in wanted.items() if name in body}
        if not isinstance(body.get("action"), str):
            body.pop("action", None)
    return body


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"write_under_policy": "opens_request", "approvals_required": "0"},
        {"request_without_policy": "pending", "self_review": "accept", "after_edit": "keeps_status"},
        {"request_without_policy": "resolved", "deployment_delete": "lingers", "failed_change_status": "errored"},
    ],
    ids=["defaults", "opens requests", "lax", "odd ends"],
)
def test_no_request_makes_the_emulator_fail(
    emulator: EmulatorDoor, clients: dict[str, httpx.Client], switches: dict[str, str]
) -> None:
    emulator.reset(**switches)
    draw = Draw(len(str(switches)))
    for _ in range(REQUESTS):
        operation = contract().operation(draw.random.choice(sorted(SERVED)))
        path, query, body = path_of(operation, emulator, draw), query_of(operation, draw), body_of(operation, draw)
        client = clients[draw.random.choice(["requester", "requester", "reviewer", "admin"])]
        answer = client.request(operation.method, path, params=query, json=body)
        assert answer.status_code != 500, f"{operation.method} {path} {query} {body}: {answer.text}"
        if draw.likely(0.1):
            emulator.advance(draw.random.choice([1, 30, 90_000]))
