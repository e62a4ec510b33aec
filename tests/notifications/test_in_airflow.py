"""Notifications in real Airflow: a task that fails, an event that arrives signed, secrets that are shown nowhere."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.conftest import ReadXcom, RunDag
    from tests.receiver import Receiver
    from tests.tasks import Perform

CHURN = "64e000000000000000000002"
SECRET, HEADER = "s3cret-of-the-hook", "private-header"
NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def hook(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    """The webhook as a connection: its address, its secret and a header."""
    connection = {"conn_type": "http", "host": receiver.url, "password": SECRET, "extra": {"header": HEADER}}
    monkeypatch.setenv("AIRFLOW_CONN_OPS_WEBHOOK", json.dumps(connection))


def told(service: EmulatorDoor, receiver: Receiver) -> None:
    """A policy of the requester that tells the receiver of events from outside."""
    headers = {"Authorization": f"Bearer {service.tokens['requester']}"}
    with httpx.Client(base_url=f"{service.endpoint}/", headers=headers, trust_env=False) as client:
        body = {"channelType": "Webhook", "name": "ops", "payloadUrl": receiver.url, "secretToken": SECRET}
        channel = client.post("notificationChannels/", json=body).json()
        wanted = {"name": "ops", "channelId": channel["id"], "eventType": "management.deploymentInfo"}
        assert client.post("notificationPolicies/", json=wanted).status_code == 201


@pytest.fixture
def failing() -> Any:
    """A DAG with a task that fails, and the notifier as its callback."""
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG

    from airflow_provider.notifications.remote_event import DataRobotRemoteEventNotifier

    def fail() -> None:
        raise ValueError("no rows today")

    with DAG(f"failing_{next(NUMBERS)}", schedule=None, params={"deployment": CHURN}) as dag:
        PythonOperator(
            task_id="score",
            python_callable=fail,
            on_failure_callback=DataRobotRemoteEventNotifier(
                deployment_id="{{ params.deployment }}", title="{{ ti.task_id }} failed in {{ run_id }}"
            ),
        )
    return dag


def test_a_failing_task_makes_an_event_that_arrives_signed(
    service: EmulatorDoor, receiver: Receiver, run_dag: RunDag, failing: Any, airflow_db: None
) -> None:
    from airflow import __version__ as airflow

    told(service, receiver)
    run = run_dag(failing)
    assert str(run.state) == "failed"
    came = receiver.next()
    assert came.signed_with(SECRET)
    event = came.json()["event"]
    assert event["title"] == f"score failed in {run.run_id}"
    if airflow >= "3.3":  # before, dag.test tells callbacks nothing of the exception
        assert "ValueError: no rows today" in event["message"]
    assert came.json()["deployment"]["label"] == "Churn, ungoverned"


def rendered(run: Any, task_id: str) -> str:
    """What Airflow keeps of a task's rendered arguments."""
    from airflow.models.renderedtifields import RenderedTaskInstanceFields
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        kind = RenderedTaskInstanceFields
        query = select(kind).where(kind.dag_id == run.dag_id, kind.run_id == run.run_id, kind.task_id == task_id)
        (found,) = session.scalars(query).all()
        return json.dumps(found.rendered_fields)


def test_secrets_from_a_connection_are_shown_nowhere(
    service: EmulatorDoor, perform: Perform, receiver: Receiver, xcoms: ReadXcom, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow_provider.operators.notification_channels import DataRobotCreateNotificationChannelOperator
    from airflow_provider.operators.webhook_tests import DataRobotTestWebhookChannelOperator

    secrets: dict[str, Any] = {
        "payload_url": receiver.url,
        "secret_token": "{{ conn.ops_webhook.password }}",
        "custom_headers": {"X-Team": "{{ conn.ops_webhook.extra_dejson.header }}"},
    }

    def make() -> list[Any]:
        return [
            DataRobotCreateNotificationChannelOperator(task_id="channel", name="ops", **secrets),
            DataRobotTestWebhookChannelOperator(task_id="test", deferrable=True, **secrets),
        ]

    done = perform(make)
    assert {name: one.state for name, one in done.ended.items()} == {"channel": "success", "test": "success"}
    came = receiver.next()
    assert came.signed_with(SECRET)
    assert came.headers["x-team"] == HEADER
    kept = [rendered(done.run, name) for name in done.ended]
    assert all("payload_url" in one for one in kept)
    shown = json.dumps([kept, [one.result for one in done.ended.values()], service.log()]) + caplog.text
    assert [word for word in (SECRET, HEADER, came.headers["dr-signature"]) if word in shown] == []
