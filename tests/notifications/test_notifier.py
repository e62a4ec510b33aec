"""The notifier by itself: what it posts, in which words, and what it hides."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow_provider.notifications.remote_event import DataRobotRemoteEventNotifier
    from tests.harness import Stage

CHURN = "64e000000000000000000002"


def notifier(**arguments: Any) -> DataRobotRemoteEventNotifier:
    from airflow_provider.notifications.remote_event import DataRobotRemoteEventNotifier

    return DataRobotRemoteEventNotifier(**{"deployment_id": CHURN, **arguments})


def context(**more: Any) -> dict[str, Any]:
    instance = SimpleNamespace(
        dag_id="nightly", task_id="score", run_id="r1", try_number=2, state="failed", log_url="http://airflow/log"
    )
    return {"ti": instance, "run_id": "r1", "exception": ValueError("no rows"), "params": {"team": "growth"}, **more}


def posted(stage: Stage) -> dict[str, Any]:
    (found,) = stage.service.world("remoteEvents").values()
    event: dict[str, Any] = found["event"]
    return event


def test_by_itself_it_tells_task_run_error_and_log(stage: Stage) -> None:
    notifier()(context())
    assert posted(stage) == {
        "deploymentId": CHURN,
        "eventType": "deploymentInfo",
        "title": "Airflow task nightly.score: failed",
        "message": "Run r1, attempt 2\nValueError: no rows\nhttp://airflow/log",
        "timestamp": posted(stage)["timestamp"],
    }


def test_its_arguments_are_templates(stage: Stage) -> None:
    notifier(title="{{ ti.task_id }} of {{ params.team }}", message="{{ exception }}", event_type="deploymentInfo")(
        context()
    )
    assert (posted(stage)["title"], posted(stage)["message"]) == ("score of growth", "no rows")


def test_texts_that_are_too_long_are_cut(stage: Stage) -> None:
    notifier(title="t" * 600, message="m" * 20_000)(context())
    assert (len(posted(stage)["title"]), len(posted(stage)["message"])) == (512, 16_384)
    assert posted(stage)["title"].endswith("...")


def test_what_airflow_masks_is_masked_in_the_event(stage: Stage) -> None:
    from airflow.sdk.log import mask_secret

    mask_secret("the-database-password")
    notifier()(context(exception=ValueError("cannot log in with the-database-password")))
    assert posted(stage)["message"].splitlines()[1] == "ValueError: cannot log in with ***"


def test_a_dag_without_a_task(stage: Stage) -> None:
    notifier()(
        {"dag": SimpleNamespace(dag_id="nightly", get_template_env=None), "reason": "task_failure"} | _rendered()
    )
    assert posted(stage)["title"] == "Airflow DAG nightly: task_failure"


def _rendered() -> dict[str, Any]:
    """A DAG that templates can be rendered with."""
    from airflow.sdk import DAG

    return {"dag": DAG("nightly", schedule=None), "run_id": "r1"}


def test_it_can_be_awaited(stage: Stage) -> None:
    from airflow_provider.notifications.remote_event import DataRobotRemoteEventNotifier

    async def wait() -> None:
        await DataRobotRemoteEventNotifier(deployment_id=CHURN, title="late", message="", context={})

    asyncio.run(wait())
    assert posted(stage)["title"] == "late"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"deployment_id": ""}, "deployment_id must be an id"), ({"event_type": "x"}, "event_type must be one of")],
)
def test_bad_input_is_told(stage: Stage, arguments: dict[str, str], said: str) -> None:
    from airflow_provider.api.errors import InvalidCall

    with pytest.raises(InvalidCall, match=said):
        notifier(**arguments)(context())
    assert stage.service.log() == []


def test_a_lost_answer_is_not_sent_again(stage: Stage) -> None:
    from airflow_provider.api.errors import DataRobotError

    stage.service.fault("lost_answer", answer="reset", operationId="createRemoteEvent")
    with pytest.raises(DataRobotError):
        notifier()(context())
    assert posted(stage)["deploymentId"] == CHURN
