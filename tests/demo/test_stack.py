"""The stack that demo, ui and the tests with real Airflow processes stand on."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from demo.processes import Unwell
from demo.stack import Stack

pytestmark = pytest.mark.stack

DAGS = '''
from datetime import datetime, timedelta

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import DAG, BaseHook, BaseOperator


class Nap(BaseOperator):
    """Sleeps as a deferred task, then says where the service is."""

    template_fields = ("seconds",)

    def __init__(self, seconds, **kwargs):
        super().__init__(**kwargs)
        self.seconds = seconds

    def execute(self, context):
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=float(self.seconds))), method_name="wake")

    def wake(self, context, event):
        return BaseHook.get_connection("datarobot_default").host


with DAG("naps", schedule=None, start_date=datetime(2026, 1, 1)):
    Nap(task_id="nap", seconds="{{ dag_run.conf['seconds'] }}")
'''
CONNECTION = '{"conn_type": "datarobot", "host": "http://127.0.0.1:9/api/v2", "password": "requester-token"}'


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    dags = tmp_path_factory.mktemp("dags")
    (dags / "naps.py").write_text(DAGS)
    environment = {"AIRFLOW_CONN_DATAROBOT_DEFAULT": CONNECTION}
    with Stack(tmp_path_factory.mktemp("home"), dags, environment=environment, triggerers=2, report=print) as stack:
        yield stack


def test_a_run_defers_for_real_and_ends(stack: Stack) -> None:
    run_id = stack.airflow.trigger("naps", {"seconds": 1})
    seen: list[str | None] = []
    state = stack.airflow.wait("naps", run_id, 60, on_change=lambda task, old, new: seen.append(new))
    assert state == "success"
    assert "deferred" in seen
    assert stack.airflow.xcom("naps", run_id, "nap") == "http://127.0.0.1:9/api/v2"
    assert stack.airflow.xcom("naps", run_id, "nap", key="nothing") is None
    assert "Pushing xcom" in stack.airflow.log("naps", run_id, "nap")


def test_a_deferred_task_can_be_marked_failed_and_cleared(stack: Stack) -> None:
    run_id = stack.airflow.trigger("naps", {"seconds": 600})
    stack.airflow.wait_for_state("naps", run_id, "nap", ["deferred"])
    stack.airflow.set_state("naps", run_id, "nap", "failed")
    assert stack.airflow.wait("naps", run_id, 60) == "failed"
    stack.airflow.clear("naps", run_id, ["nap"])
    stack.airflow.wait_for_state("naps", run_id, "nap", ["deferred"])
    stack.airflow.set_state("naps", run_id, "nap", "success")
    assert stack.airflow.wait("naps", run_id, 60) == "success"


def test_a_run_survives_the_loss_of_a_triggerer(stack: Stack) -> None:
    run_id = stack.airflow.trigger("naps", {"seconds": 8})
    stack.airflow.wait_for_state("naps", run_id, "nap", ["deferred"])
    stack.kill("triggerer", signal.SIGKILL)
    assert stack.airflow.wait("naps", run_id, 60) == "success"


def test_an_unknown_dag_is_told_with_the_import_errors(stack: Stack) -> None:
    with pytest.raises(Unwell, match="DAG nowhere"):
        stack.airflow.wait_for_dag("nowhere", seconds=0)
