"""What a task says of work about which it may not ask, or which it does not remember."""

from __future__ import annotations

import pytest

from tests.harness import Crashing, Stage
from tests.life_cycle.conftest import BOTH, Blind, Replacing, handle_of, task

FORBIDDEN = {"code": 403, "body": {"message": "no"}}
EARLIER = "whether an earlier attempt did it is not known"


@pytest.mark.parametrize("code", [401, 403])
@BOTH
def test_a_look_that_is_refused_leaves_the_work_to_whoever_clears_the_task(
    stage: Stage, deferrable: bool, code: int
) -> None:
    refusal = stage.service.fault("status", code=code, body={"message": "no"}, operationId="getStatus", times=0)
    one = task(stage, Replacing, deferrable=deferrable, retries=2)
    ending = one.run()
    assert len(one.endings) == 1, "a retry would be refused, too"
    assert f"getStatus answered {code}" in str(ending.error)
    assert "the remote work goes on, and who clears the task takes it up" in str(ending.error)
    assert handle_of(one)["state"] == "submitted"
    stage.service.remove_fault(refusal)
    assert one.clear().state == "success"
    assert stage.service.count("modelReplaced") == 1
    assert len(stage.service.log(writes="true")) == 1


def test_a_second_attempt_without_a_memory_says_that_a_first_may_have_done_it(stage: Stage) -> None:
    stage.transport = Crashing(1, True, None)
    one = task(stage, Blind, store=False, retries=1)
    assert one.run().result == {"outcome": "sent", "sent_before": "not known"}
    assert [ending.state for ending in one.endings] == ["crashed", "success"]
    assert len(stage.service.log(writes="true")) == 2


def test_a_first_attempt_has_nothing_to_say(stage: Stage) -> None:
    assert task(stage, Blind, store=False).run().result == {"outcome": "sent"}


def test_a_second_attempt_with_a_memory_knows(stage: Stage) -> None:
    stage.service.fault("status", code=503, operationId="getDeployment", times=9)
    one = task(stage, Replacing, retries=2)
    assert "sent_before" not in one.run().result
    assert len(one.endings) > 1


@pytest.mark.parametrize("store", [True, False], ids=["3.3", "before 3.3"])
def test_an_error_of_a_second_attempt_says_what_nobody_remembers(stage: Stage, store: bool) -> None:
    stage.transport = Crashing(2, True, None)
    one = task(stage, Replacing, store=store)
    one.attempt()
    stage.transport = None
    stage.service.fault("status", **FORBIDDEN, operationId="getDeployment", times=0)
    ending = one.clear()
    assert "getDeployment answered 403" in str(ending.error)
    assert (EARLIER in str(ending.error)) is not store


def test_an_error_of_a_first_attempt_does_not(stage: Stage) -> None:
    stage.service.fault("status", **FORBIDDEN, operationId="getDeployment", times=0)
    assert EARLIER not in str(task(stage, Replacing, store=False).run().error)
