"""What is wrong with a promotion is told while its DAG is parsed, and a template before anything is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.promotion.groups import VALIDATION, WELL, promotion, states
from tests.tasks import UNGOVERNED, V3, Perform

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"deployment_id": ""}, "deployment_id must be an id"),
        ({"deployment_id": None}, "deployment_id must be an id"),
        ({"model_package_id": "a b"}, "model_package_id must be an id"),
        ({"reason": "BECAUSE"}, "reason must be one of ACCURACY, DATA_DRIFT"),
        ({"on_warning": "branch"}, "on_warning must be one of fail, allow"),
        ({"watch": "ten minutes"}, "watch must be a number of seconds or a timedelta, not 'ten minutes'"),
        ({"watch": timedelta(days=-1)}, "watch must be a number of seconds from 0 on"),
        ({"validate": "yes"}, "validate chooses a step while the DAG is parsed: True or False, not 'yes'"),
        ({"roll_back": None}, "roll_back chooses a step"),
        ({"approval_steps": "{{ params.apart }}"}, "approval_steps chooses a step"),
        ({"challenger": True}, "challenger must be a mapping of what to compare, with metric, not True"),
        ({"challenger": {"threshold": 1}}, "challenger must be a mapping of what to compare, with metric"),
        ({"deactivate_meanwhile": "perhaps"}, "deactivate_meanwhile must be true or false"),
        ({"deactivate_meanwhile": True, "roll_back": False}, "deactivate_meanwhile is about the way back"),
        ({"on_rolled_back": "skip"}, "on_rolled_back must be one of fail, succeed"),
        ({"record": ""}, "record must be True, False, or the path or URL of a file"),
        ({"step_arguments": {"replace": {}}}, "the steps of this group are before, validate, apply, watch, roll_back"),
        ({"step_arguments": {"request": {}}}, "step_arguments names 'request'"),
        ({"step_arguments": {"watch": {}}, "watch": None}, "step_arguments names 'watch'"),
        ({"step_arguments": {"apply": {"task_id": "x"}}}, "must be a mapping of arguments without task_id"),
        ({"step_arguments": {"watch": {"unhealthy": "ill"}}}, "unhealthy must be one of failing, warning"),
    ],
)
def test_what_is_wrong_is_told_while_the_dag_is_parsed(given: dict[str, Any], text: str) -> None:
    from airflow.sdk import DAG

    from airflow_provider.api.errors import InvalidCall

    with DAG("wrong", schedule=None), pytest.raises(InvalidCall) as told:
        promotion(**given)
    assert text in str(told.value)


def test_an_argument_that_a_step_does_not_have_is_told_by_airflow() -> None:
    from airflow.sdk import DAG

    with DAG("wrong", schedule=None), pytest.raises(TypeError, match="on_cancel"):
        promotion(step_arguments={"apply": {"on_cancel": "skip"}})


@pytest.mark.parametrize(
    ("given", "step"),
    [({"watch": "{{ params.id }}"}, "before"), ({"reason": "{{ params.id }}"}, "apply")],
    ids=["watch", "reason"],
)
def test_a_template_is_checked_before_anything_is_written(
    service: EmulatorDoor, perform: Perform, given: dict[str, Any], step: str
) -> None:
    done = perform(lambda: promotion(**given, validate=False) and None, run_conf={"id": "a b"})
    found = states(done)
    assert done.run.state == "failed"
    assert found[step] == "failed"
    assert set(service.accepted()) <= {VALIDATION}


def test_templates_and_results_of_other_tasks_reach_every_step(service: EmulatorDoor, perform: Perform) -> None:
    from airflow.sdk import task

    def choose() -> str:
        return UNGOVERNED

    conf = {"package": V3, "reason": "accuracy", "watch": "0"}
    done = perform(
        lambda: (
            promotion(
                deployment_id=task(choose)(),
                model_package_id="{{ params.package }}",
                reason="{{ params.reason }}",
                watch="{{ params.watch }}",
                deactivate_meanwhile="{{ params.watch }}",
                group_display_name="Churn",
            )
            and None
        ),
        run_conf=conf,
    )
    assert {**states(done), "choose": None} == {**WELL, "choose": None}
    [sent] = service.log(operationId="replaceDeploymentModel")
    assert sent["body"] == {"modelPackageId": V3, "reason": "ACCURACY"}


def test_the_steps_stand_in_order_and_the_group_has_one_end() -> None:
    from airflow.sdk import DAG

    with DAG("order", schedule=None) as dag:
        group = promotion(challenger={"metric": "AUC"}, approval_steps=True)
    behind = {name.removeprefix("promotion."): dag.task_dict[name].downstream_task_ids for name in dag.task_ids}
    plain = {name: sorted(one.removeprefix("promotion.") for one in ids) for name, ids in behind.items()}
    assert plain == {
        "before": ["validate"],
        "validate": ["challenger"],
        "challenger": ["replay"],
        "replay": ["compare"],
        "compare": ["request"],
        "request": ["approve"],
        "approve": ["apply"],
        "apply": ["watch"],
        "watch": ["promoted", "roll_back"],
        "roll_back": ["promoted"],
        "promoted": [],
    }
    assert [one.task_id for one in group.get_leaves()] == ["promotion.promoted"]
