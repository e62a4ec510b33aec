"""The fixtures that run DAGs: in this process, deferral and connections included."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk import DAG, BaseHook, BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent


class Echo(BaseTrigger):
    def __init__(self, word: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
        self.word = word

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.Echo", {"word": self.word}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await asyncio.sleep(0)
        yield TriggerEvent({"word": self.word})


class Ask(BaseOperator):
    """Defers once, then returns the event with the host of a connection."""

    def execute(self, context: Any) -> None:
        self.defer(trigger=Echo("hello"), method_name="finish")

    def finish(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        return {**event, "host": BaseHook.get_connection("datarobot_default").host}


def test_a_dag_in_memory_runs_with_deferral_and_connection(
    run_dag: Any, xcoms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = {"conn_type": "datarobot", "host": "http://127.0.0.1:1/api/v2", "password": "requester-token"}
    monkeypatch.setenv("AIRFLOW_CONN_DATAROBOT_DEFAULT", json.dumps(connection))
    with DAG("harness", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        Ask(task_id="ask")
    run = run_dag(dag)
    assert run.state == "success"
    assert xcoms(run, "ask") == {"word": "hello", "host": "http://127.0.0.1:1/api/v2"}


def test_a_failing_task_is_a_state_and_no_exception(run_dag: Any) -> None:
    with DAG("harness_without_connection", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        Ask(task_id="ask", do_xcom_push=False)
    assert run_dag(dag).state == "failed"
