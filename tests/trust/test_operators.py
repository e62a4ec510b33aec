"""Operators, sensors and the trigger while the service repeats what it was sent: no word of it is kept anywhere.

Everything that outlives an attempt is looked through: result, XComs, the store, the trigger's row, the event, the error
with causes, tracebacks and repr, and every log line down to DEBUG.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import GOVERNED, UNGOVERNED, V3, V4, replacing
from tests.people import approve
from tests.stages import task
from tests.trust.scanning import TOKENS, in_text, told

if TYPE_CHECKING:
    from tests.harness import Stage, Task

SECRET, HEADER = "s3cret-of-the-hook", "private-header"
HOOK: dict[str, Any] = {
    "name": "ops",
    "payload_url": "http://127.0.0.1:9/a",
    "secret_token": SECRET,
    "custom_headers": {"X-T": HEADER},
}
GATEWAY = "k3y-of-the-gateway"
WORDS = (*TOKENS, SECRET, HEADER, GATEWAY)

SENT = f"Authorization: Bearer requester-token\r\nX-Key: {GATEWAY}\r\n"
ECHOES: dict[str, dict[str, Any]] = {
    "401, the header": {"code": 401, "body": {"message": f"bad header {SENT}"}, "headers": {"X-Request-Id": "r1"}},
    "422, the request": {
        "code": 422,
        "body": {"message": "no", "errors": {"secretToken": SECRET, SENT: [SENT]}, "request": {"headers": SENT}},
    },
    "502, a page": {
        "code": 502,
        "body": f"<html><title>{SENT}</title><pre>{SENT}</pre></html>",
        "content_type": "text/html",
    },
    "500, plain text": {"code": 500, "body": SENT, "content_type": "text/plain"},
    "404, in headers": {
        "code": 404,
        "body": {},
        "headers": {"X-Request-Id": "requester-token", "Location": "/api/v2/requester-token/"},
    },
    "302, elsewhere": {"code": 302, "body": {}, "headers": {"Location": "http://127.0.0.1:9/requester-token/"}},
    "200, no JSON": {"code": 200, "body": SENT, "content_type": "text/plain"},
    "200, JSON": {"code": 200, "body": dict.fromkeys(("id", "message", "status"), "Bearer requester-token")},
}


def _replacement(stage: Stage) -> Task:
    return replacing(stage, UNGOVERNED, retries=1)


def _governed(stage: Stage) -> Task:
    stage.enter("reviewer", approve)
    return replacing(stage, GOVERNED, retries=0, approval="request")


def _channel(stage: Stage) -> Task:
    from airflow_provider.operators.notification_channels import DataRobotCreateNotificationChannelOperator as Kind

    return task(stage, Kind, retries=1, **HOOK)


def _hook_test(stage: Stage) -> Task:
    from airflow_provider.operators.webhook_tests import DataRobotTestWebhookChannelOperator as Kind

    return task(stage, Kind, timeout=60, **{key: value for key, value in HOOK.items() if key != "name"})


def _status(stage: Stage) -> Task:
    from airflow_provider.operators.deployment_status import DataRobotDeactivateDeploymentOperator as Kind

    return task(stage, Kind, deployment_id=UNGOVERNED, timeout=600)


def _called(stage: Stage) -> Task:
    from airflow_provider.operators.call_api import DataRobotCallApiOperator as Kind

    body = {"channelType": "Webhook", "name": "ops", "payloadUrl": HOOK["payload_url"], "secretToken": SECRET}
    return task(stage, Kind, operation_id="createNotificationChannel", body=body)


def _sensor(stage: Stage) -> Task:
    from airflow_provider.sensors.model_package import DataRobotModelPackageSensor as Kind

    return task(stage, Kind, model_package_id=V4, timeout=600)


def with_body(value: Any) -> Any:
    """The same, with what else the body of a webhook's channel holds."""
    if isinstance(value, dict):
        return {key: with_body(below) for key, below in value.items()}
    if isinstance(value, list):
        return [with_body(below) for below in value]
    return value.replace("\r\n", f" {SECRET} {HEADER}\r\n") if isinstance(value, str) else value


TASKS = {one.__name__.strip("_"): one for one in (_replacement, _channel, _hook_test, _status, _called, _sensor)}


@pytest.fixture(autouse=True)
def _plain() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*written out in the DAG file")
        yield


@pytest.fixture(autouse=True)
def _gateway(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "conn_type": "datarobot",
        "host": stage.service.endpoint,
        "password": "requester-token",
        "extra": {"extra_headers": {"X-Key": GATEWAY}},
    }
    monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps(given))


def kept(made: Task) -> str:
    """All that a task leaves."""
    shown = [json.dumps([made.xcoms, made.trigger]), repr(made.operator)]
    shown += made.store.values.values() if made.store else []
    for ending in made.endings:
        shown += [json.dumps(ending.result), told(ending.error), str(ending)]
    return "\n".join(shown)


@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("kind", TASKS)
def test_what_is_repeated_is_kept_nowhere(
    stage: Stage, caplog: pytest.LogCaptureFixture, kind: str, echo: str, nth: int
) -> None:
    caplog.set_level(logging.DEBUG)
    made = TASKS[kind](stage)
    given: dict[str, Any] = {"nth": nth, "times": 7, "user": "requester@example.com", **ECHOES[echo]}
    if kind in ("channel", "hook_test") and nth == 1:
        given |= {"method": "POST", "body": with_body(given["body"])}
    stage.service.fault("status", **given)
    made.run()
    assert in_text(kept(made), WORDS) == []
    # Airflow masks what was rendered as a secret; the lines of others are its business.
    ours = [one for one in caplog.records if one.name.startswith(("airflow_provider", "httpx", "httpcore"))]
    assert in_text("\n".join(map(caplog.handler.format, ours)), WORDS) == []


def test_the_scan_would_find_them(stage: Stage) -> None:
    """A control: what is looked through does hold what the service said."""
    stage.service.fault("status", code=422, body={"message": "no such word as xyzzy"}, times=0)
    made = _status(stage)
    made.run()
    assert in_text(kept(made), ["xyzzy", V3]) == ["xyzzy"]
