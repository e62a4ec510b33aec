"""Who ends a wait, and what becomes of the remote work then: kill, clear, reassignment, timeout, shutdown, restart."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from airflow.triggers.base import BaseTrigger

from airflow_provider.api.waits import JobWait, ReviewWait, to_json
from airflow_provider.triggers.wait import DataRobotWaitTrigger
from tests.triggers.conftest import cancellation, close_request, replace_model, request_change, status_of
from tests.triggers.runner import Supervisor, Triggerer, past, row, task_instance, triggerer

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

SOON = {"first": 0.01, "interval": 0.05}
ONCE = {"first": 0.01, "interval": 60}


def waiting_for(request_id: str, *, may_cancel: bool = True) -> DataRobotWaitTrigger:
    return DataRobotWaitTrigger(
        datarobot_conn_id="datarobot_default",
        wait=to_json(ReviewWait(f"changeRequests/{request_id}/")),
        pacing=ONCE,
        cancel=cancellation(request_id) if may_cancel else None,
    )


async def begin(process: Triggerer, service: EmulatorDoor, *rows: Any) -> None:
    """Runs these rows until each has looked at what it waits for."""
    before = len(service.log())
    await process.start(*rows)
    await process.until(lambda: len(service.log()) >= before + len({one.encrypted_kwargs for one in rows}))


def cancels(service: EmulatorDoor) -> int:
    return service.accepted().get("updateChangeRequestStatus", 0)


async def test_a_wait_runs_to_its_event(service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    service.clock(speed=60)
    trigger = DataRobotWaitTrigger("datarobot_default", to_json(JobWait(replace_model(service))), {"v": 1}, pacing=SOON)
    async with triggerer(monkeypatch) as process:
        await process.start(row(1, trigger))
        await process.until(lambda: process.supervisor.finished)
        event = process.supervisor.events[1]
    assert event["outcome"] == "done"
    assert event["handle"] == {"v": 1}
    assert event["result"]["location"].endswith("/deployments/64e000000000000000000002/")
    assert process.supervisor.failures == {}


@pytest.mark.parametrize("state", ["failed", "success", "skipped", "removed", "upstream_failed"])
async def test_a_task_that_was_ended_by_hand_cancels_its_request(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    request_id = request_change(service)
    async with triggerer(monkeypatch) as process:
        await begin(process, service, row(1, waiting_for(request_id)))
        process.supervisor.states["wait"] = state
        await process.cancel(1)
    assert status_of(service, request_id) == "cancelled"
    assert cancels(service) == 1
    assert process.supervisor.events == {}
    assert process.supervisor.failures == {}


@pytest.mark.parametrize(
    "state", ["deferred", "scheduled", "queued", "running", "up_for_retry", "restarting", None], ids=str
)
async def test_a_trigger_that_moves_or_whose_task_was_cleared_leaves_the_work(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch, state: str | None
) -> None:
    """3.3.0 to 3.3.2 call on_kill for a mere reassignment too; the state tells (apache/airflow #73454)."""
    request_id = request_change(service)
    async with triggerer(monkeypatch) as process:
        await begin(process, service, row(1, waiting_for(request_id)))
        process.supervisor.states["wait"] = state
        await process.cancel(1)
        assert len(process.supervisor.questions) == 1
    assert status_of(service, request_id) == "pending"
    assert cancels(service) == 0


async def test_a_task_that_nobody_knows_any_more_leaves_the_work(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = request_change(service)
    async with triggerer(monkeypatch) as process:
        await begin(process, service, row(1, waiting_for(request_id)))
        await process.cancel(1)
    assert status_of(service, request_id) == "pending"


async def test_a_supervisor_that_does_not_answer_leaves_the_work(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = request_change(service)
    async with triggerer(monkeypatch) as process:
        await begin(process, service, row(1, waiting_for(request_id)))
        process.supervisor.states["wait"] = "failed"
        process.supervisor.deaf = True
        await process.cancel(1)
    assert status_of(service, request_id) == "pending"


async def test_a_question_about_the_task_is_never_broken_off(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken off one ends a triggerer of Airflow 3.1; an hour later its answer still decides."""
    request_id = request_change(service)
    async with triggerer(monkeypatch) as process:
        await begin(process, service, row(1, waiting_for(request_id)))
        process.supervisor.states["wait"] = "failed"
        process.supervisor.at_leisure = answers = threading.Event()
        process.supervisor.to_cancel.add(1)
        await process.until(lambda: process.supervisor.questions)
        loop = asyncio.get_running_loop()
        now = loop.time
        monkeypatch.setattr(loop, "time", lambda: now() + 3600)
        for _ in range(3):
            await process.turn()
            await asyncio.sleep(0)
        if not hasattr(BaseTrigger, "on_kill"):  # 3.3 and later let go of a trigger that is cancelled twice
            assert 1 in process.runner.triggers, "its log would be closed"
        assert status_of(service, request_id) == "pending"
        answers.set()
        await process.cancel(1)
    assert status_of(service, request_id) == "cancelled"


async def test_of_mapped_tasks_only_the_killed_one_is_cancelled(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, moved = request_change(service), request_change(service)
    async with triggerer(monkeypatch) as process:
        await begin(
            process,
            service,
            row(1, waiting_for(killed), instance=task_instance(map_index=3)),
            row(2, waiting_for(moved), instance=task_instance(map_index=4)),
        )
        process.supervisor.states.update({"wait_3": "failed", "wait_4": "deferred", "wait": "failed"})
        await process.cancel(1, 2)
    assert status_of(service, killed) == "cancelled"
    assert status_of(service, moved) == "pending"


async def test_work_that_was_adopted_is_never_cancelled(service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = request_change(service)
    async with triggerer(monkeypatch) as process:
        await begin(process, service, row(1, waiting_for(request_id, may_cancel=False)))
        process.supervisor.states["wait"] = "failed"
        await process.cancel(1)
    assert status_of(service, request_id) == "pending"


async def test_a_trigger_that_lingers_after_its_event_cancels_nothing(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row is gone as soon as the event is stored, and Airflow takes that for a user's wish."""
    request_id = request_change(service)
    close_request(service, request_id)
    async with triggerer(monkeypatch) as process:
        process.supervisor.states["wait"] = "success"
        process.runner.log = log = SlowLog()  # type: ignore[assignment]
        await process.start(row(1, waiting_for(request_id)))
        await process.until(log.fired.is_set)
        await process.cancel(1)
    assert process.supervisor.questions == []
    assert cancels(service) == 1  # ours, above


async def test_a_deferral_that_timed_out_is_no_kill(service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = request_change(service)
    async with triggerer(monkeypatch) as process:
        await begin(process, service, row(1, waiting_for(request_id), timeout_after=past()))
        process.supervisor.states["wait"] = "failed"
        await process.cancel(1)
    assert status_of(service, request_id) == "pending"
    assert process.supervisor.questions == []


def test_a_shutdown_asks_nobody_and_cancels_nothing(service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = request_change(service)
    supervisor = Supervisor(states={"wait": "failed"})

    async def process() -> None:
        manager = triggerer(monkeypatch, supervisor)
        running = await manager.__aenter__()
        await begin(running, service, *[row(number, waiting_for(request_id)) for number in range(5)])

    with ThreadPoolExecutor(1) as thread:  # where no other event loop is
        thread.submit(asyncio.run, process()).result()  # cancels all tasks at its end, as in Airflow's triggerer
    assert supervisor.questions == []
    assert status_of(service, request_id) == "pending"


async def test_a_cancel_that_the_service_refuses_is_told_and_harms_nobody(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = request_change(service)
    service.fault("status", operationId="updateChangeRequestStatus", code=409)
    async with triggerer(monkeypatch) as process:
        await begin(process, service, row(1, waiting_for(request_id)))
        process.supervisor.states["wait"] = "failed"
        await process.cancel(1)
    assert process.supervisor.failures == {}
    assert status_of(service, request_id) == "pending"


async def test_another_triggerer_goes_on_with_the_same_row_and_writes_nothing(
    service: EmulatorDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.jobs("modelReplacement", byHand=True)
    kept = row(1, DataRobotWaitTrigger("datarobot_default", to_json(JobWait(replace_model(service))), pacing=ONCE))
    written = service.accepted()
    async with triggerer(monkeypatch) as lost:
        lost.supervisor.states["wait"] = "deferred"
        await begin(lost, service, kept)
    assert lost.supervisor.events == {}
    [job] = service.jobs()
    service.end_job(job["id"])
    async with triggerer(monkeypatch) as other:
        await other.start(kept)
        await other.until(lambda: other.supervisor.events)
    assert other.supervisor.events[1]["outcome"] == "done"
    assert service.accepted() == written


class SlowLog:
    """Airflow's log, which the line about the event never gets through."""

    def __init__(self) -> None:
        self.fired = asyncio.Event()

    async def ainfo(self, text: str, **_more: Any) -> None:
        if "fired" in text:
            self.fired.set()
            await asyncio.Event().wait()

    awarning = ainfo

    def info(self, *_text: Any, **_more: Any) -> None:
        pass

    error = exception = warning = info
