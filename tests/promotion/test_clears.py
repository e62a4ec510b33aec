"""Single steps of a promotion that are cleared, or tried again, in real Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.people import approve, ask_for_changes, person
from tests.promotion.clearing import clear_and_run
from tests.promotion.groups import BACK, VALIDATION, WELL, champion, ill, promotion, states
from tests.tasks import GOVERNED, UNGOVERNED, V1, V2, V3, Perform

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


def kept(made: list[Any], **arguments: Any) -> None:
    """Makes the group, and keeps its DAG."""
    made.append(promotion(**arguments).dag)


def well(service: EmulatorDoor) -> None:
    service.change("deployments", UNGOVERNED, health={"service": "passing", "model": "passing", "accuracy": "passing"})


def test_the_steps_of_a_promotion_that_went_well(service: EmulatorDoor, perform: Perform) -> None:
    made: list[Any] = []
    done = perform(lambda: kept(made))
    [dag] = made
    for step in ("watch", "apply", "validate"):
        assert clear_and_run(dag, done.run, step) == {"run": "success", **WELL}
    assert done.read(done.run, "promotion.apply")["outcome"] == "already_champion"
    assert service.count("modelReplaced", UNGOVERNED) == 1
    ill(service)
    assert clear_and_run(dag, done.run, "watch") == {"run": "failed", **BACK}
    assert champion(service) == V2, "before remembers what apply has forgotten"


def test_the_steps_of_a_promotion_that_was_rolled_back(service: EmulatorDoor, perform: Perform) -> None:
    made: list[Any] = []
    ill(service)
    done = perform(lambda: kept(made))
    [dag] = made
    assert states(done) == BACK
    assert clear_and_run(dag, done.run, "roll_back") == {"run": "failed", **BACK}
    assert done.read(done.run, "promotion.roll_back")["outcome"] == "already_champion"
    again = {**BACK, "run": "failed"}
    assert clear_and_run(dag, done.run, "watch", downstream=False) == again
    well(service)
    assert clear_and_run(dag, done.run, "apply") == {"run": "success", **WELL}
    assert (champion(service), service.count("modelReplaced", UNGOVERNED)) == (V3, 3)


def test_a_way_back_that_people_refused_is_asked_for_again(service: EmulatorDoor, perform: Perform) -> None:
    made: list[Any] = []
    ill(service, GOVERNED)

    def only_forth(desk: Any, request: Any) -> None:
        (approve if request["change"]["modelPackageId"] == V3 else ask_for_changes)(desk, request)

    with person(service.endpoint, service.tokens["reviewer"], only_forth):
        done = perform(lambda: kept(made, deployment_id=GOVERNED))
    assert states(done) == {**BACK, "roll_back": "failed"}
    assert champion(service, GOVERNED) == V3
    back = max(service.world("changeRequests").values(), key=lambda one: one["createdAt"])
    with person(service.endpoint, service.tokens["requester"], lambda desk, request: None) as desk:
        desk.set_status(back, "cancelled")
    service.advance(60)
    with person(service.endpoint, service.tokens["reviewer"], approve):
        assert clear_and_run(made[0], done.run, "roll_back") == {"run": "failed", **BACK}
    assert champion(service, GOVERNED) == V1


def test_a_champion_that_nobody_remembers_is_not_guessed(service: EmulatorDoor, perform: Perform) -> None:
    """A promotion to the model that serves already, whose check fails: there is no way back, and that is told."""
    ill(service)
    done = perform(lambda: promotion(model_package_id=V2) and None)
    assert states(done) == {**BACK, "roll_back": "failed"}
    assert "the champion of before is not known" in done["promotion.roll_back"].error
    assert set(service.accepted()) <= {VALIDATION}


def lost_once(context: Any, result: Any) -> None:
    """The worker is lost after the first attempt has done its work, before Airflow knows of it."""
    from airflow.providers.common.compat.sdk import AirflowException

    if context["ti"].try_number == 1:
        raise AirflowException("lost")


def test_every_step_is_tried_again_after_it_has_done_its_work(service: EmulatorDoor, perform: Perform) -> None:
    """Forth and back through people: each is asked once, and the champion changes twice."""
    ill(service, GOVERNED)
    retried = ("before", "validate", "request", "approve", "apply", "roll_back", "record")
    with person(service.endpoint, service.tokens["reviewer"], approve):
        done = perform(
            lambda: (
                promotion(
                    deployment_id=GOVERNED,
                    approval_steps=True,
                    record=True,
                    step_arguments={step: {"post_execute": lost_once} for step in retried},
                    default_args={"retries": 1},
                )
                and None
            )
        )
    assert states(done) == {**BACK, "request": "success", "approve": "success", "record": "success"}
    tries = {one.task_id.removeprefix("promotion."): one.try_number for one in done.run.get_task_instances()}
    assert {tries[step] for step in retried} == {2}
    assert champion(service, GOVERNED) == V1
    assert service.count("modelReplaced", GOVERNED) == 2
    assert len(service.world("changeRequests")) == 2
    assert done["promotion.record"].result["outcome"] == "rolled_back"


def test_a_replacement_that_happened_and_could_not_be_told_is_taken_back(
    service: EmulatorDoor, perform: Perform
) -> None:
    """``apply`` fails for good after the champion changed: nobody has verified it, so it does not stay."""
    done = perform(lambda: promotion(step_arguments={"apply": {"post_execute": lost_once}}) and None)
    assert states(done) == {**BACK, "apply": "failed", "watch": "upstream_failed"}
    assert done.run.state == "failed"
    assert champion(service) == V2
    assert done["promotion.roll_back"].result["previous"]["model_package_id"] == V3
