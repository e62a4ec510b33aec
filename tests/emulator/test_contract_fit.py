"""An outside judge: every answer of every served operation fits the schema of the contract, says jsonschema.

The emulator and the client share one checker; a mistake in it would be hidden from both. Here the schemas go to
jsonschema instead, strict where a table is the source, and for guessed schemas only what a numbered correction states.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from airflow_provider.contract import contract
from airflow_provider.emulator import handlers
from airflow_provider.emulator.calls import SERVED
from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator import administration_walk, batch_walk, export_walk, monitoring
from tests.emulator.demo import (
    CANDIDATE,
    CHURN,
    GOVERNED,
    MISFIT,
    POLICY,
    SECOND_CANDIDATE,
    UNGOVERNED,
    ask_for,
    policy,
    replace,
    review,
    set_status,
    taken,
)
from tests.emulator.rows import send
from tests.emulator.test_challengers import create as create_challenger
from tests.emulator.test_datasets import upload
from tests.emulator.visit_registry import visit_registry

FORMATS = FormatChecker()
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@FORMATS.checks("date-time")
def is_date_time(value: object) -> bool:
    return not isinstance(value, str) or RFC3339.fullmatch(value) is not None


@FORMATS.checks("duration")
def is_duration(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"P(?!$)[0-9YMWDTHS.]+", value) is not None


def judged(schema: Any) -> Any:
    """The schema as far as it is known: guessed ones shrink to their corrections, incomplete enums are none."""
    if isinstance(schema, list):
        return [judged(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("x-inferred"):
        known = {"type": schema["type"]} if schema.get("type") == "object" else {}
        return known | judged(schema.get("x-known", {}))
    dropped = {"discriminator", "examples", "default"} | ({"enum"} if schema.get("x-enum-incomplete") else set())
    kept = {key: judged(value) for key, value in schema.items() if key not in dropped and not key.startswith("x-")}
    if "oneOf" in kept and schema.get("x-combiner-assumed"):
        kept["anyOf"] = kept.pop("oneOf")
    return kept


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    return {name: judged(schema) for name, schema in contract().schemas.items()}


def test_the_judge_itself_refuses_what_is_wrong(schemas: dict[str, Any]) -> None:
    wrong = {"statusId": "x", "status": "DREAMING", "created": "yesterday", "code": "0", "message": 1}
    faults = {
        error.json_path
        for error in validator({"$ref": "#/components/schemas/StatusResponse"}, schemas).iter_errors(wrong)
    }
    assert faults == {"$", "$.status", "$.created", "$.code", "$.message"}


def validator(schema: Any, schemas: dict[str, Any]) -> Draft202012Validator:
    document = {**judged(schema), "components": {"schemas": schemas}}
    return Draft202012Validator(document, format_checker=FORMATS)


@pytest.fixture
def answers(emulator: EmulatorDoor, clients: dict[str, httpx.Client]) -> list[tuple[str, httpx.Response]]:
    """Each served operation at least once, with the name of the operation."""
    return list(visit(emulator, clients["requester"], clients["reviewer"], clients["admin"]))


def visit(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, admin: httpx.Client
) -> Iterator[tuple[str, httpx.Response]]:
    """Answers, good and bad, on a walk through everything that is served."""
    yield "getVersion", requester.get("version/")
    yield from client_routes(requester)
    yield from registry(requester)
    yield from policies(admin)
    yield from governance(emulator, requester, reviewer)
    yield from rows(emulator, requester)
    yield from monitoring.answers(emulator, requester)
    yield from datasets(emulator, requester)
    yield from retraining(emulator, requester)
    yield from challengers(emulator, requester)
    yield from notifications(emulator, requester)
    yield from entity_notifications(requester)
    yield from batch_walk.walk(emulator, requester)
    yield from export_walk.walk(emulator, requester)
    yield from visit_registry(emulator, requester)
    yield from administration_walk.walk(emulator, requester, admin)
    yield from deployments(emulator, requester)
    yield "listDeletedDeployments", admin.get("deletedDeployments/")


def client_routes(requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    yield "getAccountInfo", requester.get("account/info/")
    tags = f"deployments/{UNGOVERNED}/tags/"
    made = requester.post(tags, json={"name": "stage", "value": "test"})
    yield "createDeploymentTag", made
    path = f"{tags}{made.json()['id']}/"
    yield "updateDeploymentTag", requester.patch(path, json={"name": "stage", "value": "live"})
    yield "deleteDeploymentTag", requester.delete(path)
    yield "deleteDeploymentTag", requester.delete(path)
    yield "listDeploymentEvents", requester.get(f"deployments/{UNGOVERNED}/events/")


def registry(requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    yield "listModelPackages", requester.get("modelPackages/?limit=2&offset=2")
    for package in (CANDIDATE, MISFIT, "0" * 24):
        yield "getModelPackage", requester.get(f"modelPackages/{package}/")
    yield "getModelPackageCapabilities", requester.get(f"modelPackages/{CANDIDATE}/capabilities/")
    yield "listRegisteredModels", requester.get("registeredModels/")
    yield "getRegisteredModel", requester.get(f"registeredModels/{CHURN}/")
    yield "listRegisteredModelVersions", requester.get(f"registeredModels/{CHURN}/versions/")
    yield "getRegisteredModelVersion", requester.get(f"registeredModels/{CHURN}/versions/{CANDIDATE}/")
    yield "listRegisteredModelDeployments", requester.get(f"registeredModels/{CHURN}/deployments/")
    version = "64d000000000000000000001"
    path = f"registeredModels/{CHURN}/versions/{version}/deployments/"
    yield "listRegisteredModelVersionDeployments", requester.get(path)


def policies(admin: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    body = policy("deployment", "DELETE", automaticAction={"action": "APPROVE", "period": "P3DT12H"})
    made = admin.post("approvalPolicies/", json=body)
    yield "createApprovalPolicy", made
    yield "createApprovalPolicy", admin.post("approvalPolicies/", json={})
    path = f"approvalPolicies/{made.json()['id']}/"
    yield (
        "updateApprovalPolicy",
        admin.put(path, json=policy("deployment", "delete", automaticAction=None, review=None)),
    )
    yield "getApprovalPolicy", admin.get(path)
    yield "deleteApprovalPolicy", admin.delete(path)
    yield "listApprovalPolicies", admin.get("approvalPolicies/")
    yield "listApprovalPolicyTriggers", admin.get("approvalPolicyTriggers/")
    for query in ("", "&fieldName=importance&fieldValue=CRITICAL"):
        path = f"approvalPolicyMatch/?entityType=deploymentModel&action=update{query}"
        yield "getApprovalPolicyMatch", admin.get(path)


ACTIONS: tuple[tuple[str, Any], ...] = (
    ("approve", {"approvalStatus": "APPROVED"}),
    ("changeStatus", {"status": "inactive"}),
    ("changeImportance", {"importance": "LOW"}),
    ("cleanupStats", {"dataType": "monitoring", "start": None, "end": None, "modelId": None}),
    ("delete", None),
    ("replaceModel", {"modelId": "64a100000000000000000003", "replacementReason": "other"}),
    ("replaceModelPackage", {"modelPackageId": CANDIDATE, "replacementReason": "data_drift"}),
    ("updateSecondaryDatasetConfigs", {"secondaryDatasetsConfigId": "64a000000000000000000077"}),
)


def governance(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client
) -> Iterator[tuple[str, httpx.Response]]:
    for action, change in ACTIONS:
        yield "createChangeRequest", ask_for(requester, action, change)
    made = ask_for(requester, auto_apply=True)
    yield "createChangeRequest", made
    asked = made.json()
    path = f"changeRequests/{asked['id']}/"
    change = {"modelPackageId": SECOND_CANDIDATE, "replacementReason": "errors"}
    edited = requester.patch(path, json={"change": change})
    yield "updateChangeRequest", edited
    yield "createChangeRequestReview", review(reviewer, edited.json(), "commented")
    approving = review(reviewer, edited.json(), comment="fine")
    yield "createChangeRequestReview", approving
    yield "createChangeRequestReview", review(requester, edited.json())
    yield "listChangeRequestReviews", requester.get(f"{path}reviews/")
    yield "getChangeRequestReview", requester.get(f"{path}reviews/{approving.json()['id']}/")
    yield "listChangeRequestSuggestedReviewers", requester.get(f"{path}suggestedReviewers/")
    yield "getChangeRequest", requester.get(path)
    emulator.advance(21)
    yield "getChangeRequest", requester.get(path)
    other = taken(ask_for(requester))
    yield "updateChangeRequestStatus", set_status(requester, other, "resolving")
    yield "updateChangeRequestStatus", set_status(requester, other, "cancelled")
    yield "listChangeRequests", reviewer.get("changeRequests/?entityType=deployment&limit=100")
    listing = f"approvalPolicies/{POLICY}/shareableChangeRequests/"
    yield "listApprovalPolicyShareableChangeRequests", requester.get(listing)


MONITORING = {
    "getDeploymentAccuracy": "accuracy",
    "getDeploymentAccuracyOverTime": "accuracyOverTime",
    "getDeploymentPredictionsVsActualsOverTime": "predictionsVsActualsOverTime",
    "getDeploymentServiceStats": "serviceStats",
    "listDeploymentPredictionResults": "predictionResults",
}


def rows(emulator: EmulatorDoor, requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    emulator.predictions(UNGOVERNED, rows=200)
    yield "submitDeploymentActualsFromJson", send(requester, *((f"row-{n}", "yes") for n in range(150)))
    yield "submitDeploymentActualsFromJson", send(requester)
    path = f"deployments/{UNGOVERNED}/"
    for _ in ("before the actuals", "after"):
        for operation_id, name in MONITORING.items():
            yield operation_id, requester.get(f"{path}{name}/")
            yield operation_id, requester.get(f"{path}{name}/?start=2025-03-01T00:00:00")
        csv = requester.get(f"{path}predictionResults/", headers={"Accept": "text/csv"})
        yield "listDeploymentPredictionResults", csv
        emulator.advance(6)


def datasets(emulator: EmulatorDoor, requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    made = upload(requester)
    yield "createDatasetFromFile", made
    for url in ("http://127.0.0.1:9/visits.csv", "visits.csv"):
        yield "createDatasetFromUrl", requester.post("datasets/fromURL/", json={"url": url})
    path = f"datasets/{made.json()['catalogId']}/"
    yield "getDataset", requester.get(path)
    yield "downloadDatasetFile", requester.get(f"{path}file/")
    emulator.advance(6)
    version = upload(requester, to=f"{path}versions/fromFile/")
    yield "createDatasetVersionFromFile", version
    emulator.advance(6)
    version_path = f"{path}versions/{version.json()['catalogVersionId']}/"
    yield "getDatasetVersion", requester.get(version_path)
    yield "downloadDatasetVersionFile", requester.get(f"{version_path}file/")
    yield "downloadDatasetFile", requester.get(f"{path}file/")
    yield "listDatasetVersions", requester.get(f"{path}versions/")
    yield "listDatasets", requester.get("datasets/")
    yield "updateDataset", requester.patch(path, json={"name": "Visits"})
    named = {"datasetId": made.json()["catalogId"], "associationIdColumn": "id", "actualValueColumn": "outcome"}
    for body in (named, {}):
        answer = requester.post(f"deployments/{UNGOVERNED}/actuals/fromDataset/", json=body)
        yield "submitDeploymentActualsFromDataset", answer
    yield "deleteDataset", requester.delete(path)
    yield "deleteDataset", requester.delete(path)


def retraining(emulator: EmulatorDoor, requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    settings = f"deployments/{UNGOVERNED}/retrainingSettings/"
    dataset = upload(requester).json()["catalogId"]
    yield "updateDeploymentRetrainingSettings", requester.patch(settings, json={"datasetId": dataset})
    yield "getDeploymentRetrainingSettings", requester.get(settings)
    policies = f"deployments/{UNGOVERNED}/retrainingPolicies/"
    made = requester.post(policies, json={"name": "Monthly", "trigger": {"type": "schedule"}})
    yield "createDeploymentRetrainingPolicy", made
    path = f"{policies}{made.json()['id']}/"
    yield "createDeploymentRetrainingPolicyRun", requester.post(f"{path}runs/")
    yield "createDeploymentRetrainingPolicyRun", requester.post(f"{path}runs/")
    for _ in ("while it runs", "after it has run"):
        listed = requester.get(f"{path}runs/")
        run = f"{path}runs/{listed.json()['data'][0]['id']}/"
        yield "listDeploymentRetrainingPolicyRuns", listed
        yield "getDeploymentRetrainingPolicyRun", requester.get(run)
        yield "getDeploymentRetrainingPolicy", requester.get(path)
        yield "listDeploymentRetrainingPolicies", requester.get(policies)
        emulator.advance(3600)
    yield "updateDeploymentRetrainingPolicyRun", requester.patch(run, json={"status": "cancelled"})
    yield "updateDeploymentRetrainingPolicy", requester.patch(path, json={"description": "every month"})
    yield "deleteDeploymentRetrainingPolicy", requester.delete(path)
    yield "deleteDeploymentRetrainingPolicy", requester.delete(path)


def challengers(emulator: EmulatorDoor, requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    path = f"deployments/{UNGOVERNED}/"
    for package in (CANDIDATE, MISFIT, CANDIDATE):
        yield "createDeploymentChallenger", create_challenger(requester, package)
        emulator.advance(11)
    yield "createDeploymentChallenger", requester.post(f"{path}challengers/", json={})
    made = requester.get(f"{path}challengers/").json()["data"][0]
    yield "listDeploymentChallengers", requester.get(f"{path}challengers/")
    for key in (made["id"], "0" * 24):
        one = f"{path}challengers/{key}/"
        yield "getDeploymentChallenger", requester.get(one)
        yield "updateDeploymentChallenger", requester.patch(one, json={"name": "another"})
    for _ in ("the first", "while it runs"):
        yield "createDeploymentChallengerPredictions", requester.post(f"{path}challengerPredictions/", json={})
    settings = f"{path}challengerReplaySettings/"
    yield "getDeploymentChallengerReplaySettings", requester.get(settings)
    yield "updateDeploymentChallengerReplaySettings", requester.patch(settings, json={"enabled": True})
    yield "deleteDeploymentChallenger", requester.delete(f"{path}challengers/{made['id']}/")


HOOK = {"channelType": "Webhook", "name": "hook", "payloadUrl": "http://192.0.2.1/", "secretToken": "hidden"}


def notifications(emulator: EmulatorDoor, requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    made = requester.post("notificationChannels/", json=HOOK)
    yield "createNotificationChannel", made
    channel = f"notificationChannels/{made.json()['id']}/"
    named = {"channelId": made.json()["id"], "name": "told of everything"}
    wanted = requester.post("notificationPolicies/", json={**named, "eventGroup": "model_deployments.all"})
    yield "createNotificationPolicy", wanted
    yield "createNotificationPolicy", requester.post("notificationPolicies/", json={**named, "eventType": "x"})
    policy_path = f"notificationPolicies/{wanted.json()['id']}/"
    muted = {"policyId": wanted.json()["id"], "entityId": GOVERNED}
    mute = requester.post("notificationPolicyMutes/", json=muted)
    yield "createNotificationPolicyMute", mute
    emulator.change("deployments", UNGOVERNED, health={"service": "failing", "accuracy": "failing"})
    event = {"eventType": "deploymentInfo", "timestamp": "2025-06-01T12:00:00Z", "deploymentId": UNGOVERNED}
    yield "createRemoteEvent", requester.post("remoteEvents/", json=event)
    tested = requester.post("notificationWebhookChannelTests/", json=HOOK)
    yield "createNotificationWebhookChannelTest", tested
    path = f"notificationWebhookChannelTests/{tested.json()['notificationId']}/"
    yield "getNotificationWebhookChannelTest", requester.get(path)
    logs = requester.get("notificationLogs/?offset=0&limit=100")
    yield "listNotificationLogs", logs
    again = {"notificationId": logs.json()["data"][0]["id"]}
    yield "resendNotification", requester.post("notifications/", json=again)
    told = requester.get("userNotifications/")
    yield "listUserNotifications", told
    path = f"userNotifications/{told.json()['data'][0]['userNotificationId']}/"
    yield "markUserNotificationRead", requester.patch(path)
    yield "deleteUserNotification", requester.delete(path)
    yield "markAllUserNotificationsRead", requester.patch("userNotifications/")
    yield "deleteAllUserNotifications", requester.delete("userNotifications/")
    for path in ("notificationChannels", "notificationPolicies", "notificationPolicyMutes"):
        yield f"list{path[0].upper()}{path[1:]}", requester.get(f"{path}/?offset=0&limit=1")
    yield "listNotificationEvents", requester.get("notificationEvents/")
    yield "getNotificationChannel", requester.get(channel)
    yield "updateNotificationChannel", requester.put(channel, json={"name": "other"})
    yield "getNotificationPolicy", requester.get(policy_path)
    yield "updateNotificationPolicy", requester.put(policy_path, json={**named, "eventType": "dataset.created"})
    yield "getNotificationPolicy", requester.get(policy_path)
    yield "deleteNotificationPolicyMute", requester.delete(f"notificationPolicyMutes/{mute.json()['id']}/")
    yield "deleteNotificationPolicy", requester.delete(policy_path)
    yield "deleteNotificationChannel", requester.delete(channel)
    address = {"emailAddress": "somebody@example.com", "channelType": "Email", "name": "mail"}
    answer = requester.post("notificationEmailChannelVerification/", json=address)
    yield "createNotificationEmailChannelVerification", answer
    code = {"emailAddress": "somebody@example.com", "verificationCode": "wrong"}
    answer = requester.post("notificationEmailChannelVerificationStatus/", json=code)
    yield "checkNotificationEmailChannelVerification", answer


def entity_notifications(requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    related = {"relatedEntityType": "deployment", "relatedEntityId": UNGOVERNED}
    made = requester.post("entityNotificationChannels/", json=HOOK | related)
    yield "createEntityNotificationChannel", made
    channels = f"entityNotificationChannels/deployment/{UNGOVERNED}/"
    channel = f"{channels}{made.json()['id']}/"
    named = {"channelId": made.json()["id"], "name": "told", "channelScope": "entity", "active": True, **related}
    wanted = requester.post("entityNotificationPolicies/", json={**named, "eventGroup": "model_deployments.all"})
    yield "createEntityNotificationPolicy", wanted
    yield "createEntityNotificationPolicy", requester.post("entityNotificationPolicies/", json=named | {"active": 1})
    policies = f"entityNotificationPolicies/deployment/{UNGOVERNED}/"
    policy_path = f"{policies}{wanted.json()['id']}/"
    for path, kind in ((channel, "Channel"), (policy_path, "Policy")):
        yield f"getEntityNotification{kind}", requester.get(path)
        yield f"updateEntityNotification{kind}", requester.put(path, json={"name": "other"})
    yield "listEntityNotificationChannels", requester.get(channels)
    yield "listEntityNotificationPolicies", requester.get(policies)
    yield "deleteEntityNotificationPolicy", requester.delete(policy_path)
    yield "deleteEntityNotificationChannel", requester.delete(channel)
    yield "getEntityNotificationChannel", requester.get(channel)


def deployments(emulator: EmulatorDoor, requester: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    path = f"deployments/{UNGOVERNED}/"
    yield "listDeployments", requester.get("deployments/")
    for key in (UNGOVERNED, GOVERNED, "0" * 24):
        yield "getDeployment", requester.get(f"deployments/{key}/")
    yield "updateDeployment", requester.patch(path, json={"importance": "MODERATE"})
    yield "getDeploymentSettings", requester.get(f"{path}settings/")
    yield "updateDeploymentSettings", requester.patch(f"{path}settings/", json={"humility": {"enabled": True}})
    yield "getDeploymentCapabilities", requester.get(f"{path}capabilities/")
    yield "getDeploymentChampionModelPackage", requester.get(f"{path}championModelPackage/")
    for package in (CANDIDATE, MISFIT):
        body = {"modelPackageId": package}
        yield "validateDeploymentModelReplacement", requester.post(f"{path}model/validation/", json=body)
        yield "replaceDeploymentModel", replace(requester, package=package)
    yield "getDeployment", requester.get(path)
    location = emulator.jobs()[-1]["id"]
    yield "getStatus", requester.get(f"status/{location}/")
    emulator.advance(21)
    yield "getStatus", requester.get(f"status/{location}/")
    yield "listStatuses", requester.get("status/?offset=0&limit=0")
    yield "deleteStatus", requester.delete(f"status/{location}/")
    yield "updateDeploymentStatus", requester.patch(f"{path}status/", json={"status": "inactive"})
    yield "deleteDeployment", requester.delete(path)
    yield "deleteDeployment", requester.delete(path)


def test_every_answer_fits_the_contract(schemas: dict[str, Any], answers: list[tuple[str, httpx.Response]]) -> None:
    for operation_id, answer in answers:
        operation = contract().operation(operation_id)
        where = f"{operation_id} {answer.status_code}: {answer.text[:300]}"
        documented = operation.responses.get(str(answer.status_code))
        assert documented is not None, where
        assert set(documented.get("headers", {})) <= {name.title() for name in answer.headers}, where
        schema = operation.response_schema(answer.status_code)
        if answer.content and answer.headers["Content-Type"] != "application/json":
            kind = answer.headers["Content-Type"].partition(";")[0]
            assert any(fnmatch.fnmatch(kind, one) for one in documented["content"]), where
        elif schema is None:
            assert answer.content == b"", where
        elif answer.content or not documented.get("x-empty-allowed"):
            faults = [
                f"{one.json_path}: {one.message}" for one in validator(schema, schemas).iter_errors(answer.json())
            ]
            assert faults == [], where


def test_every_served_operation_was_visited(answers: list[tuple[str, httpx.Response]]) -> None:
    handlers.load()
    assert {operation_id for operation_id, _ in answers} == set(SERVED)
