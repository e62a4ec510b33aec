"""The upload operator against a service that fails, turns away, loses answers or changes its mind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.actuals.uploading import LABELLED, POST, Night, accepted, answers, counts, pairs, stored, upload, write

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.harness import Ending, Stage

BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
HOUR = 3600.0
ROWS = pairs(95)
LAST = [("row-0", "yes"), ("row-93", "yes"), ("row-94", "no")]  # ids that come back with other values


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "outcomes.csv", ROWS)


def judge(service: EmulatorDoor, done: Ending, rows: Any = ROWS) -> None:
    """No row is missing, none has a wrong value, and what was accepted more than once was told."""
    read, sent, rejected, skipped, pending, repeated = counts(done)
    assert (read, rejected, pending) == (len(rows), 0, 0)
    assert stored(service) == dict(rows)
    assert sent <= sum(accepted(service).values()) <= sent + repeated
    assert sent + skipped == read


# --- faults ---------------------------------------------------------------------------------------------------------

FAULTS: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "code": 500},
    "503": {"kind": "status", "code": 503},
    "502, a web page": {"kind": "html_page", "code": 502},
    "200, a web page": {"kind": "html_page", "code": 200},
    "429": {"kind": "retry_after", "code": 429, "seconds": 7},
    "429 for long": {"kind": "retry_after", "code": 429, "seconds": 900},
    "429 with a date": {"kind": "retry_after", "code": 429, "seconds": 90, "as_date": True},
    "429 without a word": {"kind": "status", "code": 429},
    "503 with Retry-After": {"kind": "retry_after", "code": 503, "seconds": 20},
    "reset": {"kind": "reset"},
    "lost": {"kind": "lost_answer", "answer": "reset"},
    "lost, 504": {"kind": "lost_answer", "answer": 504},
    "late": {"kind": "late_commit", "answer": 504, "seconds": 30},
    "late, reset": {"kind": "late_commit", "answer": "reset", "seconds": 50},
    "no Location": {"kind": "missing_location"},
    "relative Location": {"kind": "relative_location"},
    "content type": {"kind": "content_type", "value": "text/html"},
    "job fails": {"kind": "failed_job", "message": "no room", "ends": "ERROR"},
    "job aborted": {"kind": "failed_job", "message": "stopped", "ends": "ABORTED"},
    "job expired": {"kind": "expired_job"},
    "job gone": {"kind": "job_404"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_every_fault_ends_in_a_right_account(stage: Stage, file: Path, fault: dict[str, Any]) -> None:
    """The third post, or its job, goes wrong; a failed job costs a retry, all else none."""
    stage.service.fault(**{"operationId": POST, "nth": 3, **fault})
    night = upload(stage, file, retries=1)
    judge(stage.service, night.run())
    assert len(night.endings) == (2 if fault["kind"] == "failed_job" else 1)


@pytest.mark.parametrize("name", ["503", "lost, 504", "429 without a word", "reset", "late"])
def test_bursts_of_faults(stage: Stage, file: Path, name: str) -> None:
    """Everything in flight fails twice."""
    stage.service.fault(**{"operationId": POST, "nth": 1, "times": 16, **FAULTS[name]})
    judge(stage.service, upload(stage, file).run())


@pytest.mark.parametrize(("code", "kind"), [(403, "Forbidden"), (404, "NotFound"), (422, "Unprocessable")])
def test_a_refusal_is_told_in_the_services_words(stage: Stage, file: Path, code: int, kind: str) -> None:
    stage.service.fault("status", operationId=POST, nth=2, code=code, body={"message": "not like this"})
    night = upload(stage, file)
    done = night.run()
    assert done.state == "failed"
    assert kind in str(done.error)
    assert "not like this" in str(done.error)
    assert len(answers(stage.service)) == 8, "the others in flight are noted, and nothing is sent after that"
    judge(stage.service, night.run())


def test_a_location_elsewhere_is_not_followed(stage: Stage, file: Path) -> None:
    stage.service.fault("foreign_location", operationId=POST, origin="https://evil.test")
    done = upload(stage, file).run()
    assert done.state == "failed"
    assert "ForeignLocation" in str(done.error)


@BOTH
def test_a_job_that_never_ends_is_late_and_taken_up_by_a_clear(stage: Stage, file: Path, deferrable: bool) -> None:
    stage.service.jobs("actualsSubmission", stuck=True)
    night = upload(stage, file, deferrable=deferrable, timeout=600)
    late = night.run()
    assert late.state == "failed"
    assert "WaitTimedOut" in str(late.error)
    for job in stage.service.world("jobs"):
        stage.service.end_job(job)
    judge(stage.service, night.run())
    assert set(accepted(stage.service).values()) == {1}


def test_a_service_that_is_down_costs_a_retry(stage: Stage, file: Path) -> None:
    stage.service.fault("status", operationId=POST, times=0, code=503)
    stage.at(200, stage.service.remove_fault)
    night = upload(stage, file, retries=1)
    judge(stage.service, night.run())
    assert [ending.state for ending in night.endings] == ["retry", "success"]


def test_an_attempt_that_fails_after_a_wait_leaves_only_its_ledger(stage: Stage, tmp_path: Path) -> None:
    """The jobs or the hour that it once waited for are no business of the next attempt."""
    stage.service.switches(quota_rows="1000")
    stage.service.fault("status", operationId=POST, nth=101, code=403, body={"message": "not now"})
    night = upload(stage, write(tmp_path / "outcomes.csv", pairs(1_100)), hourly_budget=1000)
    assert night.run().state == "failed"
    assert night.store is not None
    assert night.store.get("datarobot_handle")["state"] == "settled"
    judge(stage.service, night.run(), pairs(1_100))


def test_rows_from_the_future_stay_refused_while_time_passes(stage: Stage, tmp_path: Path) -> None:
    """Else the chunks of the next pass would be others."""
    stage.service.switches(quota_rows="1000")
    soon = "2026-03-03T08:30:00Z"  # a day and half an hour from now
    rows = [(f"row-{n}", "yes", soon if n % 100 == 0 else "") for n in range(1_500)]
    night = upload(
        stage,
        write(tmp_path / "outcomes.csv", rows, "id,outcome,at"),
        timestamp_column="at",
        hourly_budget=1000,
        max_rejected=15,
    )
    assert counts(night.run()) == (1_500, 1_485, 15, 0, 0, 0)


FAULTY = st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(1, 14), st.integers(1, 3)), max_size=4)


@settings(
    max_examples=int(os.environ.get("UPLOADS", "10")), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(FAULTY, st.booleans(), st.sampled_from([1, 3, 8]))
def test_any_schedule_of_faults(
    stage: Stage, tmp_path: Path, faults: list[tuple[str, int, int]], deferrable: bool, in_flight: int
) -> None:
    stage.service.reset()
    for name, nth, times in faults:
        stage.service.fault(**{"operationId": POST, "nth": nth, "times": times, **FAULTS[name]})
    state = tmp_path / f"state-{stage.service.clock()['now']}-{faults}-{deferrable}-{in_flight}".replace("/", "")[:200]
    file = write(tmp_path / "outcomes.csv", ROWS + LAST)
    night = upload(stage, file, retries=12, deferrable=deferrable, in_flight=in_flight, state_path=str(state))
    judge(stage.service, night.run(), ROWS + LAST)


# --- what is assumed of the service ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "value"),
    [
        ("actuals_visible", "a_minute_later"),
        ("long_association_id", "refuse_422"),
        ("actual_misfit", "job_error"),
        ("actual_misfit", "stored"),
        ("quota_rows", "off"),
        ("quota_scope", "organisation"),
        ("quota_window", "clock_hour"),
        ("repeats_count", "no"),
        ("quota_retry_after", "none"),
        ("post_rate", "off"),
        ("naive_times", "utc"),
    ],
)
def test_a_night_ends_right_under_every_switch(stage: Stage, file: Path, switch: str, value: str) -> None:
    stage.service.switches(**{switch: value})
    judge(stage.service, upload(stage, file).run())


@pytest.mark.parametrize("ends", ["ERROR", "ABORTED", "EXPIRED"])
def test_a_job_that_ends_badly_after_half_of_it(stage: Stage, file: Path, ends: str) -> None:
    stage.service.switches(failed_actuals="half_stored")
    stage.service.jobs("actualsSubmission", seconds=5, ends=ends, times=3)
    judge(stage.service, upload(stage, file, retries=1).run())


@pytest.mark.parametrize("value", ["refuse_404", "job_error"])
def test_an_association_id_that_goes_meanwhile(stage: Stage, file: Path, value: str) -> None:
    """It is looked for first; what the service says when it is gone all the same is told."""
    stage.service.switches(actuals_without_association_id=value)
    settings = {"associationId": {"columnNames": ["x"], "requiredInPredictionRequests": False}}
    stage.service.fault("status", operationId="getDeploymentSettings", times=0, code=200, body=settings)
    stage.service.change("deployments", LABELLED, settings={"associationId": {"columnNames": []}})
    done = upload(stage, file).run()
    assert done.state == ("failed" if value == "refuse_404" else "retry")
    assert "the deployment has no association ID" in str(done.error)


# --- the quota ------------------------------------------------------------------------------------------------------


@pytest.fixture
def fifty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows in a chunk."""
    monkeypatch.setattr("airflow_provider.mlops.budget.CHUNK_ROWS", 50)


def hours(night: Night, begun: float) -> float:
    return float(night.stage.service.clock()["epoch"] - begun) / HOUR


@pytest.mark.usefixtures("fifty")
@pytest.mark.parametrize("window", ["sliding", "clock_hour"])
@pytest.mark.parametrize("repeats", ["yes", "no"])
def test_a_backfill_takes_the_hours_that_it_needs_and_never_meets_429(
    stage: Stage, tmp_path: Path, window: str, repeats: str
) -> None:
    """ceil(N / budget) - 1 hours, within two per cent."""
    stage.service.switches(quota_rows="1000", quota_window=window, repeats_count=repeats)
    begun = stage.service.clock()["epoch"]
    file = write(tmp_path / "outcomes.csv", pairs(3_500))
    night = upload(stage, file, hourly_budget=1000)
    assert counts(night.run()) == (3_500, 3_500, 0, 0, 0, 0)
    assert set(answers(stage.service)) == {202}
    assert 3.0 <= hours(night, begun) <= 3.0 * 1.02
    assert night.deferrals <= 4, "three waits for the next hour, one for the last jobs"
    assert set(accepted(stage.service).values()) == {1}


def test_a_row_that_counts_for_each_class(stage: Stage, tmp_path: Path) -> None:
    classes = ["red", "green", "blue", "grey"]
    target = {"name": "colour", "type": "Multiclass", "classNames": classes}
    stage.service.change("packages", "64d000000000000000000006", target=target)
    stage.service.change("deployments", LABELLED, modelPackageId="64d000000000000000000006")
    stage.service.switches(quota_rows="1000")
    begun = stage.service.clock()["epoch"]
    file = write(tmp_path / "outcomes.csv", [(str(n), classes[n % 4]) for n in range(600)])
    night = upload(stage, file, hourly_budget=1000)
    assert counts(night.run())[1] == 600
    assert set(answers(stage.service)) == {202}
    assert 2.0 <= hours(night, begun) <= 2.05
    assert stage.service.actuals(LABELLED)["charged"] == 2_400


def test_what_others_have_sent_makes_us_wait_and_nothing_worse(stage: Stage, tmp_path: Path) -> None:
    """The ledger knows nothing of them: 429 is back-pressure until the hour has room again."""
    stage.service.switches(quota_rows="1000")
    stage.service.clock(speed=1)
    token = {"Authorization": f"Bearer {stage.service.tokens['requester']}"}
    rows = [{"associationId": f"other-{n}", "actualValue": "yes"} for n in range(970)]
    url = f"{stage.service.endpoint}/deployments/{LABELLED}/actuals/fromJSON/"
    httpx.post(url, json={"data": rows}, headers=token).raise_for_status()
    night = upload(stage, write(tmp_path / "outcomes.csv", ROWS))
    assert counts(night.run()) == (95, 95, 0, 0, 0, 0)
    assert answers(stage.service).count(429) <= 5
    assert set(accepted(stage.service).values()) == {1}


@pytest.mark.usefixtures("fifty")
def test_a_rerun_knows_what_was_spent(stage: Stage, tmp_path: Path) -> None:
    stage.service.switches(quota_rows="1000")
    state = str(tmp_path / "state")
    upload(stage, write(tmp_path / "a.csv", pairs(900)), state_path=state, hourly_budget=1000).run()
    begun = stage.service.clock()["epoch"]
    longer = write(tmp_path / "a.csv", pairs(1_200))
    night = upload(stage, longer, state_path=state, hourly_budget=1000, run_id="run-2")
    assert counts(night.run()) == (1_200, 300, 0, 900, 0, 0)
    assert set(answers(stage.service)) == {202}
    assert 0.9 <= hours(night, begun) <= 1.02


def test_posts_keep_to_forty_a_second(stage: Stage, tmp_path: Path) -> None:
    done = upload(stage, write(tmp_path / "outcomes.csv", pairs(1_200)), in_flight=64).run()
    assert counts(done)[1] == 1_200
    assert set(answers(stage.service)) == {202}
