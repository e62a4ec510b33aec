"""Waiting for any job of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.tasks import UNGOVERNED, Perform, refused

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


def sensor(task_id: str, location: str, **arguments: Any) -> Any:
    from airflow_provider.sensors.api_job import DataRobotApiJobSensor

    return DataRobotApiJobSensor(task_id=task_id, location=location, **arguments)


def job(service: EmulatorDoor, kind: str | None = None, **fault: Any) -> str:
    """Starts a job that takes two seconds of the service; where it can be asked."""
    if kind:
        service.fault(kind, operationId="updateDeploymentSettings", **fault)
    headers = {"Authorization": f"Bearer {service.tokens['requester']}"}
    path = f"{service.endpoint}/deployments/{UNGOVERNED}/settings/"
    return httpx.patch(path, json={"targetDrift": {"enabled": True}}, headers=headers).headers["location"]


def test_each_form_of_a_location(service: EmulatorDoor, perform: Perform) -> None:
    urls = [job(service) for _ in range(4)]
    status_id = urls[1].split("/")[-2]
    done = perform(
        lambda: [
            sensor("url", urls[0]),
            sensor("bare_id", f" {status_id} "),
            sensor("path", f"status/{urls[2].split('/')[-2]}"),
            sensor("template", "{{ '" + urls[3] + "' }}", deferrable=True),
        ]
    )
    for task_id in ("url", "bare_id", "path", "template"):
        assert done[task_id].result == {"location": f"{service.endpoint}/deployments/{UNGOVERNED}/"}, task_id


def test_each_ending(service: EmulatorDoor, perform: Perform) -> None:
    urls = {
        "error": job(service, "failed_job", message="No capacity."),
        "aborted": job(service, "failed_job", message="Stopped by hand.", ends="ABORTED"),
        "expired": job(service, "expired_job"),
        "lost": job(service, "job_404"),
    }
    service.switches(job_end="200_completed")
    urls["completed"] = job(service)
    done = perform(lambda: [sensor(name, url) for name, url in urls.items()])
    assert done["error"].error == "ERROR: No capacity."
    assert done["aborted"].error == "ABORTED: Stopped by hand."
    assert done["expired"].error.startswith("EXPIRED")
    assert done["lost"].error.startswith("not found 3 times in a row: getStatus answered 404")
    assert done["completed"].result == {"location": None}


def test_jobs_that_never_end(service: EmulatorDoor, perform: Perform, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline, softened or not, and a word that no page has."""
    monkeypatch.setattr("airflow_provider.api.waiting.UNKNOWN_GRACE", 0.1)
    stuck = job(service, "stuck_job")
    done = perform(
        lambda: [
            sensor("late", stuck, timeout=0.2),
            sensor("late_deferred", stuck, timeout=0.2, deferrable=True),
            sensor("late_and_soft", stuck, timeout=0.2, deferrable=True, soft_fail=True),
            sensor("late_and_soft_poking", stuck, timeout=0.2, soft_fail=True),
        ]
    )
    assert "timed out" in done["late"].error or "not over after" in done["late"].error
    assert done["late_deferred"].error == "not over after 0 s: status is RUNNING"
    assert done["late_and_soft"].state == done["late_and_soft_poking"].state == "skipped"
    pondering = {"statusId": "1" * 24, "status": "PONDERING", "created": "2026-01-01T00:00:00Z", "code": 0}
    service.fault("status", operationId="getStatus", code=200, times=0, body=pondering)
    done = perform(lambda: [sensor("pondering", "1" * 24), sensor("soft", "1" * 24, deferrable=True, soft_fail=True)])
    assert done["pondering"].error == "unknown status 'PONDERING' for 0 s"
    assert done["soft"].state == "skipped"


def test_a_token_that_was_refused_is_read_again_once(
    service: EmulatorDoor, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.fault("status", operationId="getStatus", code=401, body={"message": "Rotated."})
    done = perform(lambda: [sensor("rotated", job(service))])
    assert done["rotated"].state == "success"
    service.fault("status", operationId="getStatus", code=401, body={"message": "Revoked."}, times=0)
    url = job(service)
    done = perform(
        lambda: [
            sensor("revoked", url),
            sensor("deferred", url, deferrable=True, retries=3),
            sensor("rescheduled", url, mode="reschedule"),
        ]
    )
    for task_id in ("revoked", "deferred", "rescheduled"):
        assert "getStatus answered 401: Revoked." in done[task_id].error, task_id


def test_what_is_no_job_of_this_service_is_refused_before_it_is_asked(service: EmulatorDoor) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"location": ""}, "location must be the Location of a job, or the id of its status, not ''"),
        ({"location": "{{ none }}"}, "location must be the Location of a job, or the id of its status, not 'None'"),
        ({"location": f"deployments/{UNGOVERNED}/"}, "location must point to status/<id>/, not to 'deployments/"),
        ({"location": "status/a/b/"}, "location must point to status/<id>/, not to 'status/a/b/'"),
        ({"location": "a b"}, "location must point to status/<id>/, not to 'status/a b/'"),
    ]
    refused(service, sensor, {}, bad)
    foreign: list[tuple[dict[str, Any], str]] = [
        ({"location": "https://elsewhere.example/api/v2/status/a/"}, "points to https://elsewhere.example, which is"),
        ({"location": f"{service.url}/other/status/a/"}, "which is not below /api/v2/"),
    ]
    refused(service, sensor, {}, foreign, kind_of_error="ForeignLocation")
