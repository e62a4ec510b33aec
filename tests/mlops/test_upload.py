"""Uploads to a scripted service: whatever goes wrong, every row is there in the end, with its last value, and told."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider.api import errors
from airflow_provider.mlops import sending, upload
from airflow_provider.mlops.budget import HOUR, MARGIN, Budget
from airflow_provider.mlops.sending import ChunkFailed, Pace, ServiceClock
from tests.mlops.scripted import ENDS, POSTS, Pair, Service, Task

EXAMPLES = int(os.environ.get("UPLOADS", "50"))  # a whole upload each; thousands were tried
UNIQUE: list[Pair] = [(str(n), str(n % 7)) for n in range(30)]
TWICE: list[Pair] = [*UNIQUE, *((str(n), "new") for n in range(0, 30, 4))]
# Many scripts are short: what is not in them goes well.
SCRIPTS = st.lists(st.lists(st.sampled_from(sorted(POSTS)), max_size=4), max_size=6)
ENDINGS = st.lists(st.lists(st.sampled_from(sorted(ENDS)), max_size=3), max_size=6)


def scripted(posts: list[list[str]], ends: list[list[str]], budget: Budget | None = None) -> Service:
    def word(script: list[list[str]], chunk: int, number: int, default: str) -> str:
        words = script[chunk % len(script)] if script else []
        return words[number] if number < len(words) else default

    return Service(
        lambda chunk, number: word(posts, chunk, number, "ok"),
        lambda chunk, number: word(ends, chunk, number, "done"),
        budget or Budget(),
    )


def judge(task: Task) -> None:
    """What has to be true in the end, whatever happened."""
    service, counts = task.service, task.counts
    assert service.settled() == dict(task.pairs)
    assert counts["read"] == len(task.pairs)
    assert counts["pending"] == counts["rejected"] == 0
    assert counts["sent"] + counts["skipped"] == len(task.pairs)
    assert set(service.accepted) == {key for key, _ in task.pairs}
    accepted = sum(service.accepted.values())
    assert counts["sent"] <= accepted <= counts["sent"] + counts["repeated"], "what was sent again is told"
    assert sum(rows for _, rows in service.arrivals) <= sum(rows for _, rows in task.upload.ledger.spent())
    assert service.told["429"] == 0, "we never ask for more than there is"
    assert service.most_in_an_hour() <= service.budget.rows


@settings(max_examples=EXAMPLES)
@given(SCRIPTS, ENDINGS, st.sampled_from([1, 4]), st.booleans())
def test_any_faults_end_in_a_right_account(
    posts: list[list[str]], ends: list[list[str]], in_flight: int, twice: bool
) -> None:
    service = scripted(posts, ends)
    judge(Task(service, TWICE if twice else UNIQUE, in_flight=in_flight).run())


@settings(max_examples=EXAMPLES)
@given(SCRIPTS, ENDINGS, st.integers(1, 3), st.integers(3, 25))
def test_the_budget_holds_under_faults(
    posts: list[list[str]], ends: list[list[str]], weight: int, rows_an_hour: int
) -> None:
    service = scripted(posts, ends, Budget(rows_an_hour * weight, weight))
    judge(Task(service, UNIQUE, size=min(3, service.budget.chunk_rows)).run())


@settings(max_examples=EXAMPLES)
@given(st.lists(st.lists(st.sampled_from(["ok", "crash before", "crash after"]), max_size=4), max_size=6))
def test_after_kills_only_what_was_in_flight_is_sent_again(posts: list[list[str]]) -> None:
    task = Task(scripted(posts, []), UNIQUE).run()
    judge(task)
    again = sum(task.service.accepted.values()) - len(UNIQUE)
    assert again <= task.counts["repeated"] <= task.crashes * task.in_flight * task.size


@settings(max_examples=EXAMPLES)
@given(st.permutations(TWICE), st.integers(1, 7), st.integers(1, 5), ENDINGS)
def test_the_last_value_wins_in_any_order(pairs: list[Pair], size: int, in_flight: int, ends: list[list[str]]) -> None:
    judge(Task(scripted([], ends), pairs, size, in_flight).run())


def test_a_normal_night_is_one_pass_and_one_request_a_chunk() -> None:
    task = Task(Service(), UNIQUE)
    assert isinstance(task._pass(), upload.Jobs)
    assert len(task.service.jobs) == 10
    assert task.counts == {"read": 30, "sent": 0, "rejected": 0, "skipped": 0, "pending": 30, "repeated": 0}
    task = task.run()
    assert task.counts == {"read": 30, "sent": 30, "rejected": 0, "skipped": 0, "pending": 0, "repeated": 0}
    assert len(task.service.jobs) == 10


def test_a_rerun_sends_nothing_and_says_skipped() -> None:
    task = Task(Service(), UNIQUE).run()
    rerun = Task(task.service, UNIQUE, folder=task.folder, run_id="another").run()
    assert rerun.counts == {"read": 30, "sent": 0, "rejected": 0, "skipped": 30, "pending": 0, "repeated": 0}
    assert (rerun.passes, len(task.service.jobs)) == (1, 10)


def test_only_what_is_missing_is_sent() -> None:
    task = Task(Service(), UNIQUE[:20]).run()  # the last chunk has two rows
    more = Task(task.service, UNIQUE[:18] + UNIQUE[20:], folder=task.folder, run_id="another")
    with pytest.raises(errors.DataRobotError, match=r"chunk 6 .* is not what it was"):
        more._pass()


def test_a_final_refusal_is_raised_at_once_and_the_others_are_noted() -> None:
    calls = iter(["ok", "refused", "ok", "ok"])
    task = Task(Service(lambda chunk, number: next(calls)), UNIQUE)
    with pytest.raises(errors.Unprocessable):
        task._pass()
    assert [entry.outcome for entry in task.upload.ledger.entries.values()].count("failed") == 1
    assert sum(bool(entry.location) for entry in task.upload.ledger.entries.values()) == 3


@pytest.mark.parametrize("post", ["lost before", "failed before", "gateway after", "web page", "no job"])
def test_a_chunk_that_never_gets_through_is_given_up_after_three_sends(post: str) -> None:
    task = Task(Service(lambda chunk, number: post), UNIQUE[:3])
    with pytest.raises(ChunkFailed, match="chunk 0 could not be sent") as caught:
        task._pass()
    assert caught.value.retryable
    assert task.service._sendings.total() == sending.MOST_SENDS


def test_a_service_that_cannot_be_reached_is_an_error_after_some_rounds() -> None:
    task = Task(Service(lambda chunk, number: "not reached"), UNIQUE[:3])
    before = task.service.now
    with pytest.raises(errors.NotReached):
        task._pass()
    assert task.service.now - before == pytest.approx(sum(sending.PAUSES))
    assert task.upload.ledger.spent() == [], "nothing arrived, nothing is charged"


@pytest.mark.parametrize(
    ("post", "seconds"), [("busy for long", 1800.0), ("busy, no word", HOUR - sum(sending.PAUSES))]
)
def test_a_429_is_back_pressure(post: str, seconds: float) -> None:
    """Without Retry-After: some rounds, then until the next hour of the service's clock."""
    task = Task(Service(lambda chunk, number: post if number < 6 else "ok"), UNIQUE[:3])
    task.service.now = HOUR * 1000
    pause = task._pass()
    assert isinstance(pause, upload.Later)
    assert pause.seconds == pytest.approx(seconds)
    assert task.upload.ledger.spent() == []
    judge(task.run())
    assert task.failures == []


def test_many_429_in_a_row_never_make_a_failure() -> None:
    task = Task(Service(lambda chunk, number: "busy for long" if number < 20 else "ok"), UNIQUE[:3]).run()
    assert (task.attempts, task.counts["repeated"]) == (1, 0)


@pytest.mark.parametrize("end", ["EXPIRED", "done, EXPIRED", "gone", "done, gone"])
def test_a_job_whose_record_is_lost_is_sent_again_and_counted(end: str) -> None:
    task = Task(Service(ends=lambda chunk, number: end if number == 0 else "done"), UNIQUE[:6]).run()
    judge(task)
    assert (task.attempts, task.counts["repeated"]) == (1, 6)


def test_a_failed_job_fails_the_attempt_and_not_the_next() -> None:
    task = Task(Service(ends=lambda chunk, number: "half, ERROR" if number == 0 else "done"), UNIQUE[:6]).run()
    judge(task)
    assert task.failures == [{0: "ERROR: so it is", 1: "ERROR: so it is"}]
    assert (task.attempts, task.counts["repeated"]) == (2, 6)


def test_what_follows_a_failed_chunk_and_repeats_its_ids_waits_for_it() -> None:
    """Else the next attempt would send the old value after the new one."""
    service = Service(ends=lambda chunk, number: "ERROR" if number == 0 else "done")
    task = Task(service, [("a", "old"), ("b", "x"), ("a", "new")], size=2)
    assert not task._attempt()
    assert service.accepted == {"a": 1, "b": 1}
    judge(task.run())


def test_a_late_commit_does_not_bring_an_old_value_back() -> None:
    """The answer is lost, the write is committed 45 s later: the second value goes out after that."""
    service = Service(lambda chunk, number: "late" if number == 0 else "ok")
    task = Task(service, [("a", "old"), ("a", "new")], size=1).run()
    judge(task)
    assert service.accepted["a"] == 4


def test_a_kill_does_not_bring_an_old_value_back() -> None:
    service = Service(lambda chunk, number: "crash before" if number == 0 else "ok")
    task = Task(service, [("a", "old"), ("a", "new")], size=1)
    assert not task._attempt()
    started = service.now
    assert task._attempt() is False, "the second value crashed, too"
    assert service.now - started >= 60.0 - 0.1, "what was in flight has settled before the second value went out"
    judge(task.run())


def test_a_changed_chunk_is_sent_again_and_so_is_what_repeats_its_ids() -> None:
    task = Task(Service(), [("a", "old"), ("b", "x"), ("a", "new")], size=2).run()
    changed = Task(task.service, [("a", "old"), ("b", "y"), ("a", "new")], 2, folder=task.folder, run_id="next")
    changed.resend_changed = True
    changed.run()
    assert task.service.settled() == {"a": "new", "b": "y"}
    assert task.service.accepted == {"a": 4, "b": 2}
    assert changed.counts == {"read": 3, "sent": 3, "rejected": 0, "skipped": 0, "pending": 0, "repeated": 1}


def test_jobs_are_looked_at_while_many_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "OPEN_JOBS", 5)
    task = Task(Service(), UNIQUE, size=1)
    assert isinstance(task._pass(), upload.Jobs)
    assert (task.passes, task.counts["pending"]) == (1, 30 - task.counts["sent"])
    assert task.counts["sent"] >= 20
    judge(task.run())


def test_jobs_that_take_long_are_worth_a_deferral(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "OPEN_JOBS", 5)
    monkeypatch.setattr("tests.mlops.scripted.JOB_SECONDS", 600.0)
    task = Task(Service(), UNIQUE, size=1)
    pause = task._pass()
    assert isinstance(pause, upload.Jobs)
    assert 5 <= len(pause.paths) <= 8
    judge(task.run())


def test_a_backfill_uses_every_hour_up() -> None:
    """ceil(N * w / budget) - 1 hours, within two per cent: 50 hours' worth of rows."""
    service = Service(budget=Budget(40, 2))
    started = service.now
    task = Task(service, [(str(n), "x") for n in range(1000)], size=service.budget.chunk_rows)
    judge(task.run(most=1))
    took = max(at for at, _ in service.arrivals) - started
    assert 49 * HOUR <= took <= 49 * HOUR * 1.02
    assert took <= 49 * (HOUR + MARGIN) + 60


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0.0, 2.0), st.floats(0.0, 1.0)), min_size=1, max_size=60))
def test_no_second_has_more_requests_than_it_may(requests: list[tuple[int, float, float]]) -> None:
    """Up to four are under way; the service counts each somewhere between its start and its end."""
    service = Service(now=1000.0)
    pace = Pace(5, service.clock, service.sleep)
    under_way: list[tuple[float, float]] = []
    counted = []
    for others, seconds, where in requests:
        while len(under_way) > others:
            service.now = max(service.now, under_way.pop(0)[0])
            pace.__exit__()
        pace.__enter__()
        counted.append(service.now + where * seconds)
        under_way.append((service.now + seconds, where))
    for begun in counted:
        assert sum(begun <= at < begun + 1.0 for at in counted) <= 5


def test_requests_are_not_slower_than_they_may_be() -> None:
    service = Service()
    pace = Pace(40, service.clock, service.sleep)
    started = service.now
    for _ in range(80):
        with pace:
            pass
    assert service.now - started <= 1.02


def test_the_services_time_is_that_of_its_answers() -> None:
    service = Service(now=1000.0)
    clock = ServiceClock(service.clock)
    assert clock.now() == 1000.0
    answer = service._answer(202, None)
    clock.saw(answer)
    assert clock.now() == 1000.0
    clock.saw(type(answer)(200, {"date": "Thu, 01 Jan 1970 01:00:00 GMT"}, b"", ""))
    service.sleep(7.0)
    assert clock.now() == 3607.0
