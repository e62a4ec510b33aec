"""The hook: what people call in a @task, in a notebook and in an event loop."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.api.errors import NotFound
from airflow_provider.api.uploads import Upload
from airflow_provider.api.waiting import Pacing, TimedOut
from airflow_provider.api.waits import Done
from airflow_provider.hooks.datarobot import DataRobotHook

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.hooks.conftest import Connect

GOVERNED, UNGOVERNED = "64e000000000000000000001", "64e000000000000000000002"
BODY = {"modelPackageId": "64d000000000000000000003", "reason": "OTHER"}


def test_a_hook_is_made_without_asking_anybody() -> None:
    assert DataRobotHook("nowhere").datarobot_conn_id == "nowhere"
    assert DataRobotHook.get_connection_form_widgets.__doc__


def test_a_missing_connection_is_named(airflow_db: None) -> None:
    with pytest.raises(Exception, match="nowhere"):
        DataRobotHook("nowhere").call("getVersion")


def test_one_call(service: EmulatorDoor) -> None:
    hook = DataRobotHook()
    with hook.get_conn():
        answer = hook.call("getDeployment", deploymentId=GOVERNED)
    assert answer.json()["id"] == GOVERNED


def test_an_error_is_of_our_tree(service: EmulatorDoor) -> None:
    hook = DataRobotHook()
    with hook.get_conn(), pytest.raises(NotFound) as caught:
        hook.call("getDeployment", deploymentId="64e0000000000000000000ff")
    assert caught.value.operation == "getDeployment"


def test_the_client_is_made_once(service: EmulatorDoor) -> None:
    hook = DataRobotHook()
    assert hook.get_conn() is hook.get_conn()


def test_all_pages(service: EmulatorDoor) -> None:
    hook = DataRobotHook()
    with hook.get_conn():
        found = [one["id"] for one in hook.iterate("listDeployments", limit=1)]
    assert sorted(found) == sorted(service.world("deployments"))


def test_a_wait_in_place(service: EmulatorDoor) -> None:
    service.jobs("modelReplacement", seconds=0.1)
    hook = DataRobotHook()
    with hook.get_conn() as client:
        answer = hook.call("replaceDeploymentModel", BODY, deploymentId=UNGOVERNED)
        path = answer.location.removeprefix(f"{client.settings.endpoint}/")  # type: ignore[union-attr]
        end = hook.wait({"kind": "job", "path": path}, timeout=60, pacing=Pacing(interval=0.1))
    assert isinstance(end, Done)


def test_a_wait_that_is_not_over_in_time(service: EmulatorDoor) -> None:
    hook = DataRobotHook()
    wait = {"kind": "threshold", "path": "deployments/", "field": "count", "comparison": ">", "value": 99}
    with hook.get_conn():
        assert isinstance(hook.wait(wait, timeout=0), TimedOut)


async def test_the_same_from_an_event_loop(service: EmulatorDoor) -> None:
    answer = await DataRobotHook().acall("getDeployment", deploymentId=GOVERNED)
    assert answer.json()["id"] == GOVERNED
    async with DataRobotHook().aclient() as client:
        found = [one["id"] async for one in client.iterate("listDeployments", limit=1)]
    assert sorted(found) == sorted(service.world("deployments"))


async def test_files_and_lists_both_ways(service: EmulatorDoor) -> None:
    """A dataset goes up through the hook and comes down, from ordinary code and from an event loop."""
    hook, rows = DataRobotHook(), b"id,label\n1,yes\n"
    with hook.get_conn():
        made = hook.call("createDatasetFromFile", Upload(io.BytesIO(rows), "rows.csv")).require("catalogId")
        service.advance(60)
        into, ainto = io.BytesIO(), io.BytesIO()
        hook.download("downloadDatasetFile", into, datasetId=made)
    await hook.adownload("downloadDatasetFile", ainto, datasetId=made)
    assert into.getvalue() == ainto.getvalue() == rows
    listed = [one["datasetId"] async for one in hook.aiterate("listDatasets", limit=1, offset=0)]
    assert made in listed


async def test_an_event_loop_reads_a_connection_off_its_thread_or_without_blocking(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 3.3.2 Airflow masks secrets with a blocking call, which must not come from the loop's thread."""
    from airflow.providers.common.compat.sdk import BaseHook, Connection

    threads: list[threading.Thread] = []
    get_connection = BaseHook.get_connection

    def noted(conn_id: str) -> Any:
        threads.append(threading.current_thread())
        return get_connection(conn_id)

    monkeypatch.setattr(DataRobotHook, "get_connection", staticmethod(noted))
    settings = await DataRobotHook().asettings()
    assert settings == DataRobotHook().settings()
    if not hasattr(Connection, "aextra_dejson"):
        assert threads[0] is not threading.main_thread()


def test_settings_are_read_anew_each_time(service: EmulatorDoor, connect: Connect) -> None:
    hook = DataRobotHook()
    assert hook.settings().token == "requester-token"
    connect(service.endpoint, "reviewer-token")
    assert hook.settings().token == "reviewer-token"


def test_a_record_of_the_older_provider_works_as_it_is(
    datarobot_emulator: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, airflow_db: None
) -> None:
    legacy = {
        "conn_type": "http",
        "extra": {
            "extra__http__endpoint": datarobot_emulator.endpoint,
            "extra__http__api_key": "requester-token",
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps(legacy))
    assert DataRobotHook().test_connection()[0]


async def test_the_token_is_known_as_a_secret_to_airflow_s_logs(service: EmulatorDoor, connect: Connect) -> None:
    from airflow.providers.common.compat.sdk import redact

    connect(service.endpoint, "a-token-of-its-own", proxy="http://u:pw-of-proxy@127.0.0.1:9")
    DataRobotHook().settings()
    assert "a-token-of-its-own" not in str(redact("Bearer a-token-of-its-own"))
    assert "pw-of-proxy" not in str(redact({"proxy": "http://u:pw-of-proxy@127.0.0.1:9"}))
    assert str(redact("Bearer of good news")) == "Bearer of good news"
