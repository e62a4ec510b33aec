"""The promotion in real Airflow: forth, back, and each step left out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.people import approve, ask_for_changes, cancel, person
from tests.promotion.groups import BACK, VALIDATION, WELL, champion, ill, promotion, states
from tests.tasks import GOVERNED, NEW_FEATURE, OTHER_TARGET, UNGOVERNED, V1, V2, V3, Perform

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider.emulator.door import EmulatorDoor


def test_a_model_is_promoted_and_stays(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(lambda: promotion(watch="{{ 0.2 }}") and None)
    assert done.run.state == "success"
    assert states(done) == WELL
    assert done["promotion.before"].result["champion"]["model_package_id"] == V2
    assert done["promotion.apply"].result["outcome"] == "replaced"
    assert done["promotion.watch"].result["watched"] == 0.2
    assert service.count("modelReplaced", UNGOVERNED) == 1


def test_a_failed_check_brings_the_former_champion_back_and_fails_the_run(
    service: EmulatorDoor, perform: Perform
) -> None:
    ill(service)
    done = perform(lambda: promotion() and None)
    assert done.run.state == "failed"
    assert states(done) == BACK
    assert champion(service) == V2
    assert done["promotion.roll_back"].result["outcome"] == "replaced"
    assert done["promotion.roll_back"].result["previous"]["model_package_id"] == V3
    assert done.xcom("promotion.watch", "failed_check").endswith("serviceHealth.status is 'failing'")
    assert service.count("modelReplaced", UNGOVERNED) == 2


def test_the_way_back_goes_through_the_approval_too(service: EmulatorDoor, perform: Perform) -> None:
    ill(service, GOVERNED)
    with person(service.endpoint, service.tokens["reviewer"], approve):
        done = perform(
            lambda: promotion(deployment_id=GOVERNED, default_args={"deferrable": True}, record=True) and None
        )
    assert done.run.state == "failed"
    assert states(done) == {**BACK, "record": "success"}
    assert champion(service, GOVERNED) == V1
    forth, back = service.world("changeRequests").values()
    assert [forth["status"], back["status"]] == ["resolved", "resolved"]
    assert back["change"] == {"modelPackageId": V1, "replacementReason": "errors"}
    assert back["comment"].startswith(
        f"Back to the previous champion instead of model package {V3}: deployment {GOVERNED}: "
        "serviceHealth.status is 'failing'."
    )
    assert "promotion.roll_back, run " in back["comment"]
    record = done["promotion.record"].result
    assert record["outcome"] == "rolled_back"
    assert (record["previous"]["model_package_id"], record["champion"]["model_package_id"]) == (V1, V1)
    assert [one["decided_by"] for one in record["change_requests"]] == [["reviewer@example.com"]] * 2
    assert "serviceHealth.status" in record["failed_check"]


def test_a_run_that_was_rolled_back_goes_on_where_the_author_says_so(service: EmulatorDoor, perform: Perform) -> None:
    ill(service)
    done = perform(lambda: promotion(on_rolled_back="succeed") and None)
    assert done.run.state == "success"
    assert states(done) == {**BACK, "promoted": "success"}
    assert champion(service) == V2


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ({"validate": False}, {"validate": None}),
        ({"watch": None}, {"watch": None}),
        ({"validate": False, "watch": None, "roll_back": False}, dict.fromkeys(("validate", "watch", "roll_back"))),
    ],
    ids=lambda given: ", ".join(given),
)
def test_a_step_may_be_left_out(
    service: EmulatorDoor, perform: Perform, left_out: dict[str, Any], expected: dict[str, None]
) -> None:
    done = perform(lambda: promotion(**left_out) and None)
    assert done.run.state == "success"
    assert states(done) == {name: state for name, state in WELL.items() if name not in expected}
    assert champion(service) == V3


def test_without_a_way_back_a_failed_check_only_fails(service: EmulatorDoor, perform: Perform) -> None:
    ill(service)
    done = perform(lambda: promotion(roll_back=False) and None)
    assert done.run.state == "failed"
    assert champion(service) == V3


def test_an_unfit_model_is_refused_and_nothing_is_taken_back(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(lambda: promotion(model_package_id=OTHER_TARGET, record=True) and None)
    assert done.run.state == "failed"
    failed = dict.fromkeys(("apply", "watch", "promoted"), "upstream_failed")
    expected = {"before": "success", "validate": "failed", "roll_back": "skipped", "record": "success", **failed}
    assert states(done) == expected
    assert done["promotion.record"].result["outcome"] == "failed"
    assert set(service.accepted()) <= {VALIDATION}


@pytest.mark.parametrize(
    ("apart", "deed", "user", "what"),
    [
        (False, ask_for_changes, "reviewer", "fail"),
        (False, cancel, "requester", "skip"),
        (True, ask_for_changes, "reviewer", "skip"),
        (True, cancel, "requester", "fail"),
    ],
    ids=["changes, apply fails", "cancelled, apply skips", "changes, approve skips", "cancelled, approve fails"],
)
def test_people_who_do_not_approve(
    service: EmulatorDoor, perform: Perform, apart: bool, deed: Any, user: str, what: str
) -> None:
    choice = "on_cancelled" if deed is cancel else "on_changes_requested"
    step = "approve" if apart else "apply"
    with person(service.endpoint, service.tokens[user], deed):
        done = perform(
            lambda: (
                promotion(
                    deployment_id=GOVERNED, approval_steps=apart, record=True, step_arguments={step: {choice: what}}
                )
                and None
            )
        )
    found = states(done)
    after = "skipped" if what == "skip" else "upstream_failed"
    assert done.run.state == ("success" if what == "skip" else "failed")
    assert found[step] == ("skipped" if what == "skip" else "failed")
    assert (found["watch"], found["promoted"], found["roll_back"]) == (after, after, "skipped")
    record = done["promotion.record"].result
    assert record["outcome"] == ("not_promoted" if what == "skip" else "failed")
    assert record["steps"][step]["told"]["outcome"] == ("cancelled" if deed is cancel else "changesRequested")
    assert service.count("modelReplaced", GOVERNED) == 0


@pytest.mark.parametrize(("choice", "state"), [("fail", "failed"), ("allow", "success")])
def test_what_a_warning_means_is_the_authors_choice(
    service: EmulatorDoor, perform: Perform, choice: str, state: str
) -> None:
    done = perform(lambda: promotion(model_package_id=NEW_FEATURE, on_warning=choice) and None)
    assert done.run.state == state
    if choice == "fail":
        assert done["promotion.validate"].error.endswith("; on_warning='allow' would accept it")


def test_request_and_approval_as_steps_of_their_own(service: EmulatorDoor, perform: Perform, tmp_path: Path) -> None:
    target = tmp_path / "audit" / "promotion.json"
    with person(service.endpoint, service.tokens["reviewer"], approve):
        done = perform(
            lambda: (
                promotion(
                    deployment_id=GOVERNED,
                    approval_steps=True,
                    reason="accuracy",
                    record=f"{target.parent}/{{{{ 'promotion' }}}}.json",
                    default_args={"deferrable": True},
                )
                and None
            )
        )
    assert done.run.state == "success"
    assert states(done) == {**WELL, "request": "success", "approve": "success", "record": "success"}
    asked = done["promotion.request"].result
    assert asked["change_request_id"] == done["promotion.apply"].result["change_request"]["id"]
    assert service.count("changeRequestCreated", asked["change_request_id"]) == 1
    assert len(service.world("changeRequests")) == 1
    record = json.loads(target.read_text())
    assert record == done["promotion.record"].result
    assert record["outcome"] == "promoted"
    assert record["champion"]["model_package_id"] == V3
    assert record["previous"]["model_package_id"] == V1
    assert record["steps"]["validate"]["result"]["status"] == "passing"
    assert record["airflow"]["run_id"] == done.run.run_id


def test_where_no_policy_applies_the_steps_apart_go_on_at_once(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(lambda: promotion(approval_steps=True) and None)
    assert states(done) == {**WELL, "request": "success", "approve": "success"}
    assert done["promotion.request"].result["approvals_required"] == 0
    assert champion(service) == V3
