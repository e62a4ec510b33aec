"""The way of a task: deferred or not it ends the same, and what is remembered of it is right at every step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider.tasks.memory import KEY
from tests.harness import START, V3, V4, Stage, Store
from tests.life_cycle.conftest import BOTH, Asking, Replacing, handle_of, only_request, task
from tests.people import approve, cancel


class Remembering(Store):
    """A store that keeps all that was ever written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[dict[str, Any]] = []

    def set(self, key: str, value: Any) -> None:
        assert key == KEY
        self.written.append(json.loads(json.dumps(value)))
        super().set(key, value)


@pytest.mark.parametrize("store", [True, False], ids=["3.3", "before 3.3"])
@BOTH
def test_deferred_or_not_the_result_is_the_same_plain_json(stage: Stage, deferrable: bool, store: bool) -> None:
    one = task(stage, Replacing, deferrable=deferrable, store=store)
    ending = one.run()
    assert ending.result == {"outcome": "replaced", "champion": V3, "tuple": [1, 2]}
    assert one.deferrals == (1 if deferrable else 0)
    assert stage.service.count("modelReplaced") == 1
    assert one.operator.web_link.endswith("/deployments/64e000000000000000000002/overview")


@BOTH
def test_the_write_is_noted_before_it_is_sent_and_settled_at_the_end(stage: Stage, deferrable: bool) -> None:
    one = task(stage, Replacing, deferrable=deferrable)
    one.store = store = Remembering()
    one.run()
    states = [(written["state"], written["wait"] is not None) for written in store.written]
    assert states == [("intended", False), ("submitted", False), ("submitted", True), ("settled", True)]
    assert all(written["before"] == {"champion": "V2"} for written in store.written)
    assert all(written["v"] == 1 for written in store.written)


def test_what_is_over_already_is_never_deferred(stage: Stage) -> None:
    stage.service.jobs("modelReplacement", seconds=0)
    one = task(stage, Replacing, deferrable=True)
    assert one.run().result["outcome"] == "replaced"
    assert one.deferrals == 0


@pytest.mark.parametrize(
    "event",
    [None, {}, "done", {"v": 2, "outcome": "finished", "result": 7}, {"v": 1, "outcome": "nonsense"}],
    ids=["none", "empty", "text", "other version", "unknown word"],
)
@pytest.mark.parametrize("store", [True, False], ids=["3.3", "before 3.3"])
def test_an_event_that_says_nothing_makes_the_task_look_for_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, event: Any, store: bool
) -> None:
    one = task(stage, Replacing, deferrable=True, store=store)
    stage.service.jobs("modelReplacement", seconds=60)

    def told(deferred: Any) -> Any:
        stage.sleep(90)
        return event

    monkeypatch.setattr(one, "_event", told)
    assert one.run().state == "success"
    assert stage.service.count("modelReplaced") == 1


def test_an_event_of_another_release_waits_on_when_the_work_is_not_over(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.service.jobs("modelReplacement", seconds=600)
    one = task(stage, Replacing, deferrable=True)
    really = one._event
    tellings = iter([lambda deferred: None, lambda deferred: {"v": 9}, really])
    monkeypatch.setattr(one, "_event", lambda deferred: next(tellings)(deferred))
    assert one.run().result["outcome"] == "replaced"
    assert one.deferrals == 3
    assert stage.service.count("modelReplaced") == 1


@BOTH
def test_settled_work_means_new_work(stage: Stage, deferrable: bool) -> None:
    stage.enter("reviewer", approve, times=2)
    one = task(stage, Asking, deferrable=deferrable)
    first = one.run()
    assert first.result["outcome"] == "approved"
    assert handle_of(one)["state"] == "settled"
    second = one.clear()
    assert second.result["outcome"] == "approved"
    assert second.result["id"] != first.result["id"]


def test_work_with_other_arguments_is_not_taken_up_and_none_of_it_is_remembered(stage: Stage) -> None:
    one = task(stage, Replacing, package=V4, before={"champion": "another"}, limit=1.0, on_timeout="leave")
    stage.service.jobs("modelReplacement", seconds=60)
    assert one.run().state == "failed"
    assert handle_of(one)["state"] == "submitted"
    stage.sleep(120)
    other = task(stage, Replacing)
    other.store = one.store
    assert other.run().result["champion"] == V3
    assert handle_of(other)["before"] == {"champion": "V2"}
    assert stage.service.accepted()["replaceDeploymentModel"] == 2


@BOTH
def test_the_limit_of_one_wait_is_not_the_limit_of_the_next(stage: Stage, deferrable: bool) -> None:
    class Twice(Replacing):
        def proceed(self, run: Any, result: dict[str, Any]) -> Any:
            if run.handle.stage == "replace":
                self.package, self.limit = V4, None
                run.memory.update(stage="again")
                stage.service.jobs("modelReplacement", seconds=300)
                return self.start(run)
            return super().proceed(run, result)

    one = task(stage, Twice, deferrable=deferrable, limit=100.0)
    ending = one.run()
    assert ending.state == "success", ending
    assert stage.service.count("modelReplaced") == 2


@pytest.mark.parametrize("before", [{"when": START}, {1: "a key"}, {"number": float("nan")}], ids=str)
@BOTH
def test_what_could_not_stand_in_a_database_stops_the_task_before_it_writes(
    stage: Stage, deferrable: bool, before: dict[Any, Any]
) -> None:
    ending = task(stage, Replacing, deferrable=deferrable, before=before).run()
    assert ending.state == "failed"
    assert "must be plain JSON" in str(ending.error)
    assert stage.service.accepted() == {}


def test_a_trigger_that_could_not_be_written_down_stops_the_task_before_it_writes(stage: Stage) -> None:
    class Odd(Replacing):
        def prepare(self) -> None:
            super().prepare()
            self.poll_interval = float("nan")

    ending = task(stage, Odd, deferrable=True).run()
    assert ending.state == "failed"
    assert "what the trigger is given must be plain JSON" in str(ending.error)
    assert stage.service.accepted() == {}


@BOTH
def test_a_plan_writes_nothing_shows_no_secret_and_remembers_nothing(stage: Stage, deferrable: bool) -> None:
    class Secret(Replacing):
        def start(self, run: Any) -> Any:
            body = {"modelPackageId": V3, "reason": "OTHER"}
            extra = {"credentialData": "hush-hush", "note": "plain"}
            run.submit(self.operation, body, stage="s", look=None, extra_body=extra, deploymentId="64e0")

    one = task(stage, Secret, deferrable=deferrable, plan_only=True)
    ending = one.run()
    assert ending.result == {
        "plan": {
            "operation": "replaceDeploymentModel",
            "method": "PATCH",
            "path": "deployments/64e0/model/",
            "body": {"modelPackageId": V3, "reason": "OTHER", "credentialData": "***", "note": "plain"},
        }
    }
    assert stage.service.log() == []
    assert one.store is not None
    assert one.store.values == {}


def test_a_plan_of_a_task_that_would_wait_first_says_for_what(stage: Stage) -> None:
    task(stage, Asking, timeout=1.0, on_timeout="leave").run()
    one = task(stage, Asking, adopt=True, plan_only="true")
    assert one.run().result == {"plan": None, "waits_for": "the decision"}
    assert one.store is not None
    assert one.store.values == {}


def test_secrets_are_in_no_handle_no_fingerprint_and_no_xcom(stage: Stage) -> None:
    class Secret(Replacing):
        word = "hush-hush"

        def identity(self) -> dict[str, Any]:
            return {"body": {"password": self.word}}

        def proceed(self, run: Any, result: dict[str, Any]) -> Any:
            return {"found": {"secretToken": self.word, "id": "1"}}

    class OtherSecret(Secret):
        word = "psst-psst"

    one = task(stage, Secret, before={"channel": {"secretToken": "hush-hush"}})
    assert one.run().result == {"found": {"secretToken": "***", "id": "1"}}
    assert "hush" not in json.dumps(handle_of(one))
    assert handle_of(one)["before"] == {"channel": {"secretToken": "***"}}
    other = task(stage, OtherSecret, package=V4)
    other.run()
    assert handle_of(other)["fingerprint"] == handle_of(one)["fingerprint"]


@BOTH
def test_a_decision_is_handed_over(stage: Stage, deferrable: bool) -> None:
    stage.enter("requester", cancel, after=100)
    one = task(stage, Asking, deferrable=deferrable)
    assert one.run().result == {"outcome": "cancelled", "id": only_request(stage)["id"]}
