"""What breaks: workers, triggers, connections, people who kill and clear. One effect, or an error that says more."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.tasks.base import FAIL_SIGNAL
from airflow_provider.tasks.memory import KEPT
from tests.harness import Crash, Crashing, Stage, Store, Task
from tests.journeys.conftest import connect
from tests.life_cycle.conftest import BOTH, Asking, Blind, Replacing, handle_of, only_request, task
from tests.people import approve, cancel

STORES = pytest.mark.parametrize("store", [True, False], ids=["3.3", "before 3.3"])


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
@STORES
@BOTH
def test_a_worker_that_dies_around_its_write_leaves_one_effect(
    stage: Stage, deferrable: bool, store: bool, after: bool
) -> None:
    stage.transport = Crashing(1, after, "replaceDeploymentModel")
    one = task(stage, Replacing, deferrable=deferrable, store=store, retries=1)
    assert one.run().state == "success"
    assert [ending.state for ending in one.endings] == ["crashed", "success"]
    assert stage.service.count("modelReplaced") == 1


@BOTH
def test_an_attempt_whose_note_airflow_does_not_keep_says_what_was_accepted(
    stage: Stage, deferrable: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow.providers.common.compat.sdk import AirflowException

    class Away(Store):
        """As while Airflow's API server is away."""

        def set(self, key: str, value: Any) -> None:
            if value["state"] == "submitted" and not gone:
                gone.append(key)
                raise AirflowException("API_SERVER_ERROR")
            super().set(key, value)

    gone: list[str] = []
    one = task(stage, Replacing, deferrable=deferrable, retries=1)
    one.store = Away()
    assert one.run().state == "success"
    assert [ending.state for ending in one.endings] == ["retry", "success"]
    assert "/model/ was accepted, and this attempt ends because Airflow does not keep that" in capsys.readouterr().out
    assert stage.service.count("modelReplaced") == 1


class Dying(Store):
    """The worker dies when the task has noted that its work is over, before Airflow knows."""

    died = False

    def set(self, key: str, value: Any) -> None:
        super().set(key, value)
        if value["state"] == "settled" and not self.died:
            self.died = True
            raise Crash("after the end")


def test_an_attempt_after_one_that_ended_well_unknown_to_airflow_gives_its_result(stage: Stage) -> None:
    one = task(stage, Blind, retries=1)
    one.store = Dying()
    assert one.run().result == {"outcome": "sent"}
    assert [ending.state for ending in one.endings] == ["crashed", "success"]
    assert len(stage.service.log(writes="true")) == 1
    assert one.clear().result == {"outcome": "sent"}  # somebody asked for it
    assert len(stage.service.log(writes="true")) == 2


@pytest.mark.parametrize("result", ["x" * KEPT, float("nan")], ids=["too large", "no JSON"])
def test_a_result_that_cannot_be_kept_is_said_to_be_lost(stage: Stage, result: Any) -> None:
    class Large(Blind):
        def start(self, run: Any) -> Any:
            super().start(run)
            return {"much": result}

    one = task(stage, Large, retries=1)
    one.store = Dying()
    ending = one.run()
    assert [ending.state for ending in one.endings] == ["crashed", "failed"]
    assert "OutcomeUnknown" in str(ending.error)
    assert "an earlier attempt did this and ended well" in str(ending.error)
    assert len(stage.service.log(writes="true")) == 1


@BOTH
def test_a_worker_that_dies_before_it_notes_the_request_finds_it_again(stage: Stage, deferrable: bool) -> None:
    stage.enter("reviewer", approve, after=400)
    one = task(stage, Asking, deferrable=deferrable, retries=1, crash="before it was noted")
    assert one.run().result == {"outcome": "approved", "id": only_request(stage)["id"]}


def test_a_write_that_nothing_can_find_is_not_sent_again_until_somebody_says_so(stage: Stage) -> None:
    stage.transport = wire = Crashing(1, False, None)
    one = task(stage, Blind, retries=3)
    ending = one.run()
    assert [one.state for one in one.endings] == ["crashed", "failed"]
    assert "OutcomeUnknown" in str(ending.error)
    assert "then clear the task to send it again" in str(ending.error)
    assert stage.service.log(writes="true") == []
    assert wire.count == 1
    assert one.clear().result == {"outcome": "sent"}
    assert len(stage.service.log(writes="true")) == 1


def test_a_write_that_is_refused_puts_back_what_was_under_way(stage: Stage) -> None:
    class AskAndReplace(Asking):
        def proceed(self, run: Any, result: dict[str, Any]) -> Any:
            run.submit("replaceDeploymentModel", {"modelPackageId": "64d0", "reason": "OTHER"}, stage="x",
                       look=None, deploymentId="64e0")  # fmt: skip

    stage.enter("reviewer", approve)
    one = task(stage, AskAndReplace)
    assert one.run().state == "failed"
    handle = handle_of(one)
    assert (handle["stage"], handle["state"]) == ("ask", "submitted")
    assert handle["id"] == only_request(stage)["id"]


def test_a_first_write_that_is_refused_leaves_nothing_to_take_up(stage: Stage) -> None:
    one = task(stage, Replacing, package="64d0000000000000000000ff")
    assert one.run().state == "failed"
    assert handle_of(one)["state"] == "settled"


@STORES
def test_a_trigger_that_fails_leaves_the_work_to_the_next_attempt(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, store: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    one = task(stage, Replacing, deferrable=True, store=store, retries=1)
    resume = Task._resume
    broken: list[bool] = []

    def fails(context: Any, deferred: Any, event: Any, operator: Any) -> Any:
        if broken:
            return resume(context, deferred, event, operator)
        broken.append(True)
        return operator.resume_execution(FAIL_SIGNAL, {"error": "Trigger failure", "traceback": ["line"]}, context)

    monkeypatch.setattr(one, "_resume", fails)
    assert one.run().state == "success"
    assert [ending.state for ending in one.endings] == ["retry", "success"]
    assert "the next attempt takes it up" in capsys.readouterr().out
    assert stage.service.count("modelReplaced") == 1


def test_the_backstop_cancels_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    one = task(stage, Asking, deferrable=True)

    def strikes(context: Any, deferred: Any, event: Any, operator: Any) -> Any:
        return operator.resume_execution(FAIL_SIGNAL, {"error": "Trigger timeout"}, context)

    monkeypatch.setattr(one, "_event", lambda deferred: None)
    monkeypatch.setattr(one, "_resume", strikes)
    ending = one.run()
    assert ending.state == "retry"
    assert type(ending.error).__name__ == "TaskDeferralTimeout"
    assert only_request(stage)["status"] == "pending"


@BOTH
def test_a_service_that_is_away_for_long_costs_an_attempt_and_no_work(stage: Stage, deferrable: bool) -> None:
    def go_away() -> None:
        stage.service.fault("status", code=503, operationId="getStatus", times=0)
        stage.at(3600, lambda: stage.service.remove_fault())

    stage.service.jobs("modelReplacement", seconds=5000)
    stage.at(10, go_away)
    one = task(stage, Replacing, deferrable=deferrable, retries=9)
    assert one.run().state == "success"
    assert one.endings[0].state == "retry"
    assert "PollBudgetSpent" in str(one.endings[0].error)
    assert stage.service.count("modelReplaced") == 1


@BOTH
def test_a_token_that_is_replaced_while_the_task_waits_is_read_again(
    stage: Stage, deferrable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rotate() -> None:
        connect(monkeypatch, stage.service, "admin")
        stage.service.fault("status", code=401, operationId="getStatus")

    stage.service.jobs("modelReplacement", seconds=600)
    stage.at(60, rotate)
    assert task(stage, Replacing, deferrable=deferrable).run().state == "success"
    users = [one["user"] for one in stage.service.log(operationId="getStatus")]
    assert users[0] == "requester@example.com"
    assert users[-1] == "admin@example.com"


# --- people ---------------------------------------------------------------------------------------------------------


def killed(one: Task) -> None:
    """What a worker does on SIGTERM: on_kill in the middle of whatever it does, then the end."""
    one.operator.on_kill()
    raise Crash("SIGKILL")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [({}, "cancelled"), ({"cancel_on_kill": "False"}, "pending"), ({"on_timeout": "leave"}, "cancelled")],
    ids=["ours", "not wanted", "whatever the deadline does"],
)
def test_a_kill_on_the_worker_cancels_what_is_ours(stage: Stage, arguments: dict[str, Any], status: str) -> None:
    one = task(stage, Asking, **arguments)
    stage.at(100, lambda: killed(one))
    assert one.attempt().state == "crashed"
    assert only_request(stage)["status"] == status


@pytest.mark.parametrize("state", ["restarting", "running", "up_for_retry", None], ids=str)
def test_a_process_that_ends_while_its_task_has_not_leaves_the_work(stage: Stage, state: str | None) -> None:
    """The task was cleared, or its worker stops: the next attempt takes the work up."""
    one = task(stage, Asking)
    stage.task_state = state
    stage.at(100, lambda: killed(one))
    assert one.attempt().state == "crashed"
    assert only_request(stage)["status"] == "pending"


def test_a_process_that_ends_and_cannot_ask_why_leaves_the_work(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lost(instance: Any) -> str:
        raise OSError("nobody is there any more")

    monkeypatch.setattr("airflow_provider.hooks.instances.state_of", lost)
    one = task(stage, Asking)
    stage.at(100, lambda: killed(one))
    assert one.attempt().state == "crashed"
    assert only_request(stage)["status"] == "pending"
    assert "goes on" in capsys.readouterr().out


def test_a_kill_on_the_worker_leaves_what_was_adopted(stage: Stage) -> None:
    task(stage, Asking, timeout=1, on_timeout="leave").run()
    one = task(stage, Asking, adopt=True)
    stage.at(100, lambda: killed(one))
    assert one.attempt().state == "crashed"
    assert only_request(stage)["status"] == "pending"


def test_a_kill_when_nothing_is_under_way_does_nothing(stage: Stage) -> None:
    one = task(stage, Asking)
    one.build().on_kill()
    stage.enter("reviewer", approve)
    one.run()
    one.operator.on_kill()
    assert only_request(stage)["status"] == "approved"


def test_a_cancel_that_fails_is_told_and_the_work_stays_known(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    one = task(stage, Asking)
    stage.service.fault("status", code=409, operationId="updateChangeRequestStatus")
    stage.at(100, lambda: killed(one))
    assert one.attempt().state == "crashed"
    assert "failed" in capsys.readouterr().out
    assert handle_of(one)["state"] == "submitted"


@BOTH
def test_a_task_that_was_killed_and_cleared_begins_anew(stage: Stage, deferrable: bool) -> None:
    """The trigger that cancels the request cannot tell the store; the clear tells that the work is wanted again."""
    one = task(stage, Asking, deferrable=deferrable, timeout=100, on_timeout="leave")
    one.run()
    stage.desk("requester").set_status(only_request(stage), "cancelled")
    stage.enter("reviewer", approve)
    cleared = one.clear()
    assert cleared.result["outcome"] == "approved"
    assert len(stage.service.world("changeRequests")) == 2


@BOTH
def test_a_retry_tells_that_its_request_was_cancelled_meanwhile(stage: Stage, deferrable: bool) -> None:
    """Nobody asked for the retry, and somebody decided: no second request."""

    class Remembered(Asking):
        def _decision(self, request_id: str) -> Any:
            if not self.crashes:
                self.crashes.add("here")
                step = super()._decision(request_id)
                self._run.remember(step)  # type: ignore[union-attr]
                raise Crash("after it was noted")
            return super()._decision(request_id)

    stage.enter("requester", cancel, after=100)
    one = task(stage, Remembered, deferrable=deferrable, retries=1)
    assert one.run().result == {"outcome": "cancelled", "id": only_request(stage)["id"]}


def test_a_cleared_task_takes_up_work_that_goes_on(stage: Stage) -> None:
    one = task(stage, Asking, timeout=100, on_timeout="leave")
    one.run()
    stage.enter("reviewer", approve)
    assert one.clear().result == {"outcome": "approved", "id": only_request(stage)["id"]}
