"""Watching a deployment after a change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.tasks import UNGOVERNED, V2, V3, Perform, meanwhile, refused

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


def watch(task_id: str = "watch", **arguments: Any) -> Any:
    from airflow_provider.operators.watch import DataRobotWatchDeploymentOperator

    return DataRobotWatchDeploymentOperator(task_id=task_id, **{"deployment_id": UNGOVERNED, **arguments})


def ill(service: EmulatorDoor, word: str = "failing") -> None:
    service.change("deployments", UNGOVERNED, health={"service": word, "model": "passing", "accuracy": "passing"})


def test_a_deployment_that_stays_well(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(
        lambda: [
            watch("one_look", watch=0, model_package_id="{{ none }}"),
            watch("on_the_worker", watch="{{ 0.3 }}", model_package_id=V2),
            watch("deferred", watch=timedelta(seconds=0.3), model_package_id=V2, deferrable=True),
        ]
    )
    result = done["on_the_worker"].result
    assert set(result) == {"deployment_id", "champion", "status", "service_health", "watched"}
    assert result["champion"]["model_package_id"] == V2
    assert (result["status"], result["service_health"], result["watched"]) == ("active", "passing", 0.3)
    assert done["deferred"].result == result
    assert done["one_look"].result == {**result, "watched": 0.0}
    assert done.xcom("deferred", "_link_DataRobotLink").endswith(f"/deployments/{UNGOVERNED}/overview")


def test_what_is_wrong_fails_at_the_first_look(service: EmulatorDoor, perform: Perform) -> None:
    ill(service)
    done = perform(
        lambda: [
            watch("ill"),
            watch("ill_at_one_look", watch=0),
            watch("ill_is_fine", watch=0, unhealthy="warning, unknown"),
            watch("both", unhealthy=["warning", "failing"], model_package_id=V3),
            watch("absent", deployment_id="f" * 24, watch=0),
        ]
    )
    assert done["ill"].error == f"PostCheckFailed: deployment {UNGOVERNED}: serviceHealth.status is 'failing'"
    assert done["ill_at_one_look"].error == done["ill"].error
    assert done["ill_is_fine"].result["service_health"] == "failing"
    assert f"modelPackage.id is '{V2}', not '{V3}'; serviceHealth.status is 'failing'" in done["both"].error
    assert done["absent"].state == "failed"


@pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])
def test_what_goes_wrong_later_fails_before_the_time_is_over(
    service: EmulatorDoor, perform: Perform, deferrable: bool
) -> None:
    with meanwhile(service, lambda: ill(service), operationId="getDeployment", nth=3):
        done = perform(lambda: [watch(watch=600, deferrable=deferrable)])
    assert done["watch"].error.startswith("PostCheckFailed: ")
    assert len(service.log(operationId="getDeployment")) == 3


def test_what_is_wrong_at_the_very_end_fails(service: EmulatorDoor, perform: Perform) -> None:
    """The last look of the wait was good, the truth that is read for the result is not."""
    with meanwhile(service, lambda: ill(service), operationId="getDeployment", nth=2):
        done = perform(lambda: [watch(watch=0)])
    assert done["watch"].error.startswith("PostCheckFailed: ")


def test_a_watch_that_is_cut_short_is_no_success(service: EmulatorDoor, perform: Perform) -> None:
    done = perform(lambda: [watch(watch=600, execution_timeout=timedelta(seconds=1), deferrable=True)])
    assert done["watch"].error.startswith("WaitTimedOut: ")
    assert "s of 600 s; all is well so far" in done["watch"].error


def test_bad_arguments_are_told_before_anything_is_sent(service: EmulatorDoor) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"deployment_id": "a/b"}, "deployment_id must be an id"),
        ({"model_package_id": "a b"}, "model_package_id must be an id"),
        ({"watch": "long"}, "watch must be a number of seconds or a timedelta, not 'long'"),
        ({"watch": 90_000, "timeout": 86_400}, "watch (90000 s) must not be longer than timeout (86400 s)"),
        ({"unhealthy": "red"}, "unhealthy must be one of failing, warning, unknown, notStarted, unavailable, passing"),
    ]
    refused(service, watch, {}, bad)
