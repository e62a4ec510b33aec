"""Workers that die and answers that come late: nothing is made twice unseen, and no event is posted twice."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import Crashing
from tests.notifications import test_channels, test_policies
from tests.stages import task

if TYPE_CHECKING:
    from tests.harness import Stage, Task

WHEN = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
NTH = pytest.mark.parametrize("nth", [1, 2, 3, 4])
STORE = pytest.mark.parametrize("store", [True, False], ids=["3.3", "earlier"])


@pytest.fixture(autouse=True)
def plain_secrets() -> Iterator[None]:
    """These tests write their secrets out, as a rendered template would leave them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*written out in the DAG file")
        yield


@STORE
@WHEN
@NTH
def test_a_worker_that_dies_makes_one_channel(stage: Stage, nth: int, after: bool, store: bool) -> None:
    stage.transport = Crashing(nth, after)
    ended = test_channels.creating(stage, store=store, retries=2).run()
    assert ended.state == "success", ended
    assert stage.service.count("notificationChannelCreated") == 1


@STORE
@WHEN
@NTH
def test_a_worker_that_dies_updates_a_policy_in_the_end(stage: Stage, nth: int, after: bool, store: bool) -> None:
    channel_id = test_policies.channel(stage)
    test_policies.creating(stage, channel_id).run()
    stage.transport = Crashing(nth, after)
    ended = test_policies.creating(stage, channel_id, active=False, store=store, retries=2).run()
    assert ended.state == "success", ended
    (kept,) = stage.service.world("notificationPolicies").values()
    assert kept["active"] is False


def posting(stage: Stage, **arguments: Any) -> Task:
    from airflow_provider.operators.remote_events import DataRobotCreateRemoteEventOperator

    given = {"deployment_id": test_policies.CHURN, "title": "hello", "retries": 2, **arguments}
    return task(stage, DataRobotCreateRemoteEventOperator, **given)


@WHEN
def test_a_worker_that_dies_posts_at_most_one_event(stage: Stage, after: bool) -> None:
    """Airflow 3.3 remembers that the event may have been sent; a person has to look."""
    stage.transport = Crashing(1, after)
    ended = posting(stage).run()
    assert ended.state == "failed"
    assert "OutcomeUnknown" in str(ended.error)
    assert len(stage.service.world("remoteEvents")) == int(after)


@pytest.mark.parametrize("seconds", [10, 300])
def test_a_late_commit_makes_no_second_channel_unseen(stage: Stage, seconds: int) -> None:
    """Committed within ``settle`` it is found; later, there are two of one name, and the next run says so."""
    stage.service.fault("late_commit", answer=504, seconds=seconds, operationId="createNotificationChannel")
    ended = test_channels.creating(stage).run()
    assert ended.state == "success", ended
    stage.service.advance(600)
    made = stage.service.count("notificationChannelCreated")
    again = test_channels.creating(stage, hidden_secrets="keep").run()
    if seconds == 10:
        assert (made, again.state) == (1, "success")
    else:
        assert made == 2
        assert "SameName" in str(again.error)
