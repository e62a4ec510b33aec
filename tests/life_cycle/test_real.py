"""The same operators in real Airflow: templates, the real task state store, links, results in the real XCom table."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import airflow.sdk
import pytest

from airflow_provider.api.errors import PollBudgetSpent
from tests.harness import UNGOVERNED, V3
from tests.life_cycle.conftest import BOTH, Replacing
from tests.tasks import connect, soon

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from airflow_provider.tasks.run import Run
    from tests.conftest import ReadXcom, RunDag

__all__ = ["soon"]


class Breaking(Replacing):
    """Its first attempt gives up while it waits."""

    attempts: ClassVar[list[str]] = []
    handles: ClassVar[list[Any]] = []

    def start(self, run: Run) -> Any:
        self.attempts.append("start")
        return super().start(run)

    def take_up(self, run: Run, handle: Any) -> Any:
        self.attempts.append("take up")
        self.handles.append(handle)
        return super().take_up(run, handle)

    def proceed(self, run: Run, result: dict[str, Any]) -> Any:
        if len(self.attempts) == 1:
            raise PollBudgetSpent("the service was away")
        return super().proceed(run, result)


@pytest.fixture
def service(
    datarobot_emulator: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, airflow_db: None, soon: None
) -> EmulatorDoor:
    datarobot_emulator.clock(speed=60)
    connect(monkeypatch, datarobot_emulator, "requester")
    return datarobot_emulator


def dag_of(kind: type[Replacing], **arguments: Any) -> Any:
    from airflow.sdk import DAG

    with DAG("life_cycle", schedule=None, render_template_as_native_obj=False) as dag:
        kind(task_id="task", retry_delay=timedelta(0), **{"poll_interval": 0.05, "settle": 0.1, **arguments})
    return dag


@BOTH
def test_arguments_are_templates_and_a_template_s_false_is_false(
    service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, deferrable: bool
) -> None:
    given = {
        "datarobot_conn_id": "{{ 'datarobot_' ~ 'default' }}",
        "timeout": "{{ 60 * 60 }}",
        "poll_interval": "{{ 0.05 }}",
        "plan_only": "{{ False }}",
        "cancel_on_kill": "{{ True }}",
        "on_timeout": "{{ 'LEAVE' }}",
        "settle": "{{ 1 }}",
    }
    run = run_dag(dag_of(Replacing, deferrable=deferrable, **given))
    assert run.state == "success"
    assert xcoms(run, "task") == {"outcome": "replaced", "champion": V3, "tuple": [1, 2]}
    assert xcoms(run, "task", key="_link_DataRobotLink").endswith(f"/deployments/{UNGOVERNED}/overview")
    assert service.count("modelReplaced") == 1


@pytest.mark.parametrize(
    ("argument", "value", "told"),
    [
        ("plan_only", "{{ 'perhaps' }}", "plan_only must be true or false, not 'perhaps'"),
        ("on_timeout", "stop", "on_timeout must be one of cancel, leave, not 'stop'"),
        ("timeout", "soon", "timeout must be a number of seconds"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named_before_anything_is_sent(
    service: EmulatorDoor, run_dag: RunDag, capsys: pytest.CaptureFixture[str], argument: str, value: str, told: str
) -> None:
    run = run_dag(dag_of(Replacing, **{argument: value}))
    assert run.state == "failed"
    assert told in capsys.readouterr().out
    assert service.log() == []


@BOTH
def test_a_retry_takes_up_the_work_of_the_attempt_before(
    service: EmulatorDoor, run_dag: RunDag, xcoms: ReadXcom, deferrable: bool
) -> None:
    Breaking.attempts.clear()
    run = run_dag(dag_of(Breaking, deferrable=deferrable, retries=1))
    assert run.state == "success"
    assert service.count("modelReplaced") == 1
    if hasattr(airflow.sdk, "NEVER_EXPIRE"):  # 3.3 has a task state store, which keeps the handle
        assert Breaking.attempts == ["start", "take up"]
        assert Breaking.handles[-1].before == {"champion": "V2"}
        assert xcoms(run, "task")["outcome"] == "replaced"
    else:  # before, the service is asked
        assert Breaking.attempts == ["start", "start"]
        assert xcoms(run, "task")["outcome"] == "already"
