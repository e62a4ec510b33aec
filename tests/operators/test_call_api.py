"""Any operation of the contract as a task."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tests.tasks import GOVERNED, UNGOVERNED, Perform, only_writes, refused

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider.emulator.door import EmulatorDoor

STATUS = {"operation_id": "updateDeploymentStatus", "arguments": {"deploymentId": UNGOVERNED}}


def call(task_id: str, **arguments: Any) -> Any:
    from airflow_provider.operators.call_api import DataRobotCallApiOperator

    return DataRobotCallApiOperator(task_id=task_id, **arguments)


def test_reads(service: EmulatorDoor, perform: Perform) -> None:
    service.switches(page_size="2")
    done = perform(
        lambda: [
            call("one", operation_id="getDeployment", arguments={"deploymentId": "{{ '" + UNGOVERNED + "' }}"}),
            call("page", operation_id="listDeployments", arguments={"limit": 1, "importance": ["LOW", "CRITICAL"]}),
            call("all", operation_id="listDeployments", arguments='{"limit": 1}', all_pages="{{ true }}"),
            call("planned", operation_id="getVersion", plan_only=True),
        ]
    )
    assert set(done["one"].result) == {"status", "body", "job", "location"}
    assert done["one"].result["status"] == 200
    assert done["one"].result["body"]["label"] == "Churn, ungoverned"
    assert done["one"].result["location"] is None
    assert done["page"].result["body"]["count"] == 1
    assert sorted(one["id"] for one in done["all"].result) == sorted(service.world("deployments"))
    assert done["planned"].result["body"]["major"] == 2


def test_a_write_and_its_job(service: EmulatorDoor, perform: Perform) -> None:
    """The task waits for the job, or not, and never twice."""
    done = perform(
        lambda: [
            call("off", body={"status": "inactive"}, deferrable=True, **STATUS),
            call("on", body={"status": "active"}, wait="False", **STATUS),
        ]
    )
    assert done["off"].result["status"] == 202
    assert done["off"].result["location"].endswith(f"/deployments/{UNGOVERNED}/")
    job = done["on"].result["job"]
    assert job.startswith(f"{service.endpoint}/status/")
    assert done["on"].result == {"status": 202, "body": done["on"].result["body"], "job": job, "location": None}
    assert service.accepted() == {"updateDeploymentStatus": 2}


def test_keys_that_the_contract_does_not_know_travel_along(service: EmulatorDoor, perform: Perform) -> None:
    perform(
        lambda: [
            call(
                "extra",
                operation_id="updateDeployment",
                arguments={"deploymentId": UNGOVERNED},
                body={"label": "B"},
                extra_body={"theirs": {"new": 1}, "label": "C"},
            )
        ]
    )
    [sent] = service.log(operationId="updateDeployment")
    assert sent["body"] == {"label": "C", "theirs": {"new": 1}}


def test_a_lost_answer_is_repeated_only_where_that_does_no_harm(service: EmulatorDoor, perform: Perform) -> None:
    change = {"modelPackageId": "64d000000000000000000003", "replacementReason": "accuracy"}
    request = {"entityType": "deployment", "entityId": GOVERNED, "action": "replaceModelPackage", "change": change}
    for operation in ("createChangeRequest", "createDeploymentOnDemandReport", "updateDeployment"):
        service.fault("lost_answer", operationId=operation, answer=504)
    service.fault("status", operationId="createDeploymentOnDemandReport", code=504)
    done = perform(
        lambda: [
            call("marked", operation_id="createChangeRequest", body={**request, "autoApply": False}, retries=2),
            call(
                "blind",
                operation_id="createDeploymentOnDemandReport",
                arguments={"deploymentId": UNGOVERNED},
                body={"id": UNGOVERNED, "recipients": ["someone@example.com"]},
                retries=2,
            ),
            call(
                "harmless",
                operation_id="updateDeployment",
                arguments={"deploymentId": UNGOVERNED},
                body={"label": "B"},
            ),
        ]
    )
    assert done["marked"].error.startswith("OutcomeUnknown: createChangeRequest")
    assert "check with listChangeRequests" in done["marked"].error
    assert done["blind"].error.startswith("OutcomeUnknown: createDeploymentOnDemandReport")
    assert "check with your mail" in done["blind"].error
    assert done["harmless"].result["status"] == 204
    sent = {operation: len(service.log(operationId=operation)) for operation in service.accepted()}
    assert sent == {"createChangeRequest": 1, "updateDeployment": 2}
    assert len(service.log(operationId="createDeploymentOnDemandReport")) == 1


def test_failures_are_told_in_the_words_of_the_service(service: EmulatorDoor, perform: Perform) -> None:
    service.fault("failed_job", operationId="updateDeploymentStatus", message="No capacity.")
    service.fault("foreign_location", operationId="updateDeploymentStatus", nth=2)
    service.fault("status", operationId="listNotificationChannels", code=501, body={"message": "not here"})
    done = perform(
        lambda: [
            call("job", body={"status": "inactive"}, **STATUS),
            call("foreign", body={"status": "inactive"}, **STATUS),
            call("refused", operation_id="listDeletedDeployments", arguments={"limit": 1}),
            call("unserved", operation_id="listNotificationChannels", arguments={"limit": 1}),
            call("no_pages", operation_id="getVersion", all_pages=True),
        ]
    )
    assert done["job"].error.startswith("JobFailed: updateDeploymentStatus: ERROR: No capacity. (request id ")
    assert done["foreign"].error.startswith("ForeignLocation: ")
    assert done["refused"].error.startswith(
        "Forbidden: listDeletedDeployments answered 403: You do not have permission"
    )
    assert done["unserved"].error.startswith("NotServed: listNotificationChannels answered 501")
    assert "getVersion" in done["no_pages"].error


def test_plans_write_nothing_and_show_no_secret(service: EmulatorDoor, perform: Perform) -> None:
    with only_writes(service):
        done = perform(
            lambda: [
                call("plan", body={"status": "inactive"}, extra_body={"password": "hush"}, plan_only=True, **STATUS)
            ]
        )
    assert done["plan"].result["plan"]["body"] == {"status": "inactive", "password": "***"}


def test_files_go_up_and_come_down(service: EmulatorDoor, perform: Perform, tmp_path: Path) -> None:
    """As the body of a call, and as its answer; the file comes to its name whole, or what is there stays."""
    rows, here = b"id,label\n1,yes\n", tmp_path / "down"
    (tmp_path / "rows.csv").write_bytes(rows)
    (tmp_path / "empty.csv").touch()
    done = perform(
        lambda: [
            call("up", operation_id="createDatasetFromFile", source=f"file://{tmp_path}/rows.csv"),
            call("empty", operation_id="createDatasetFromFile", source=str(tmp_path / "empty.csv")),
            call("job", operation_id="createBatchPrediction", body={"deploymentId": UNGOVERNED}, wait=False),
        ]
    )
    assert done["up"].result["status"] == 202
    assert "is empty" in done["empty"].error
    dataset, job = done["up"].result["body"]["catalogId"], done["job"].result["body"]["id"]
    down = {"operation_id": "downloadDatasetFile", "arguments": {"datasetId": dataset}}
    done = perform(
        lambda: [
            call("down", path=str(here / "rows.csv"), **down),
            call("again", path=str(here / "rows.csv"), if_exists="skip", **down),
            call("refused", path=str(here / "rows.csv"), if_exists="error", **down),
            call("planned", path=str(here / "other.csv"), plan_only=True, **down),
            call(
                "whole",
                operation_id="uploadBatchPredictionCsv",
                arguments={"batchPredictionId": job},
                source=str(tmp_path / "rows.csv"),
            ),
        ]
    )
    told = {"path": str(here / "rows.csv"), "bytes": len(rows), "sha256": hashlib.sha256(rows).hexdigest()}
    assert done["down"].result == told | {"downloaded": True}
    assert done["again"].result["downloaded"] is False
    assert "is there already" in done["refused"].error
    assert done["planned"].result["would_download"]["operation"] == "downloadDatasetFile"
    assert [one.name for one in here.iterdir()] == ["rows.csv"]
    assert (here / "rows.csv").read_bytes() == rows
    assert done["whole"].result["status"] == 202


def test_a_long_list_goes_into_a_file(service: EmulatorDoor, perform: Perform, tmp_path: Path) -> None:
    listing = {"operation_id": "listDeployments", "arguments": {"limit": 1}, "all_pages": True}
    done = perform(
        lambda: [
            call("file", path=str(tmp_path / "all.jsonl"), **listing),
            call("long", max_objects="2", **listing),
            call("enough", max_objects=3, **listing),
        ]
    )
    content = (tmp_path / "all.jsonl").read_bytes()
    found = [json.loads(line)["id"] for line in content.splitlines()]
    assert sorted(found) == sorted(service.world("deployments"))
    assert done["file"].result["sha256"] == hashlib.sha256(content).hexdigest()
    assert "more than 2 objects: give a path" in done["long"].error
    assert len(done["enough"].result) == 3


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"operation_id": "replaceDeploymentModell"}, "did you mean replaceDeploymentModel"),
        ({"operation_id": "getDeployment"}, "deploymentId"),
        ({"operation_id": "getDeployment", "arguments": {"deploymentId": UNGOVERNED, "id": 1}}, "@ $.id"),
        ({"operation_id": "listDeployments", "arguments": {"limit": 500, "status": "on"}}, "@ $.limit"),
        ({"operation_id": "listDeployments", "arguments": {"limit": 500, "status": "on"}}, "@ $.status"),
        ({"operation_id": "listDeployments", "arguments": ["limit"]}, "arguments must be a mapping with string keys"),
        ({**STATUS, "body": {"status": "off"}}, "must be one of active, inactive, not 'off' @ $.status"),
        ({**STATUS, "body": {}}, "required @ $.status"),
        ({**STATUS, "body": {"status": "active"}, "all_pages": True}, "all_pages is for lists"),
        ({"operation_id": "downloadDatasetFile", "arguments": {"datasetId": "x"}}, "answers a file: path says where"),
        ({"operation_id": "getVersion", "path": "x.csv"}, "getVersion answers no file"),
        ({"operation_id": "createDatasetFromFile"}, "needs a body"),
        ({**STATUS, "source": "x.csv"}, "updateDeploymentStatus takes no file"),
        ({**STATUS, "body": {"status": "active"}, "source": "x.csv"}, "either body or source"),
        ({"operation_id": "listDeployments", "all_pages": True, "max_objects": 0}, "max_objects"),
        ({"operation_id": "listDeployments", "all_pages": True, "path": "x.csv", "if_exists": "ask"}, "if_exists"),
        ({**STATUS, "body": {"status": "active"}, "wait": "later"}, "wait must be true or false, not 'later'"),
    ]
    refused(service, call, {}, bad)
