"""Which error costs an attempt, and which ends the task: our operators' own way, and the ready policy of 3.3."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

from airflow_provider import mlops
from airflow_provider.api import errors
from airflow_provider.api.errors import DataRobotError
from airflow_provider.tasks import DATAROBOT_RETRY_POLICY
from airflow_provider.tasks.outcomes import end_as, translated

WORTH_ANOTHER = {
    "NotReached",
    "AnswerLost",
    "TooManyRequests",
    "ServiceFailed",
    "GatewayFailed",
    "JobFailed",
    "NotUnderstood",
    "PollBudgetSpent",
}


for module in pkgutil.iter_modules(mlops.__path__, f"{mlops.__name__}."):
    importlib.import_module(module.name)  # errors of the pipelines are defined there


def tree(kind: type[DataRobotError] = DataRobotError) -> Iterator[type[DataRobotError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


ALL = sorted(
    {kind for kind in tree() if kind.__module__.startswith("airflow_provider.")}, key=lambda kind: kind.__name__
)
EACH = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)


def made(kind: type[DataRobotError], **known: Any) -> DataRobotError:
    """An error of this class, whatever its own arguments are."""
    error = kind.__new__(kind, "text")
    DataRobotError.__init__(error, "text", operation="getDeployment", **known)
    return error


def test_the_errors_worth_another_attempt_are_these() -> None:
    assert {kind.__name__ for kind in ALL if kind.retryable and kind.__module__ == errors.__name__} == WORTH_ANOTHER


@EACH
def test_every_error_becomes_one_of_airflows(kind: type[DataRobotError]) -> None:
    with pytest.raises(AirflowException) as caught, translated():
        raise made(kind)
    assert isinstance(caught.value, AirflowFailException) is not kind.retryable
    assert str(caught.value) == f"{kind.__name__}: getDeployment: text"
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize("other", [ValueError("x"), AirflowSkipException("x"), KeyboardInterrupt()], ids=repr)
def test_errors_that_are_not_ours_pass_unchanged(other: BaseException) -> None:
    with pytest.raises(type(other)) as caught, translated():
        raise other
    assert caught.value is other


def test_a_task_ends_as_its_author_chose() -> None:
    with pytest.raises(AirflowSkipException):
        end_as("skip", "the request was cancelled")
    with pytest.raises(AirflowFailException):
        end_as("fail", "the request was cancelled")


policy_only = pytest.mark.skipif(DATAROBOT_RETRY_POLICY is None, reason="retry policies came with Airflow 3.3")


@policy_only
@EACH
def test_the_policy_fails_at_once_what_will_be_the_same(kind: type[DataRobotError]) -> None:
    from airflow.sdk import RetryAction

    assert DATAROBOT_RETRY_POLICY is not None
    decision = DATAROBOT_RETRY_POLICY.evaluate(made(kind), 1, 3)
    assert decision.action is (RetryAction.DEFAULT if kind.retryable else RetryAction.FAIL)


@policy_only
def test_the_policy_waits_as_long_as_the_service_asks() -> None:
    assert DATAROBOT_RETRY_POLICY is not None
    decision = DATAROBOT_RETRY_POLICY.evaluate(made(errors.TooManyRequests, retry_after=90.0), 1, 3)
    assert decision.retry_delay == timedelta(seconds=90)


@policy_only
def test_the_policy_leaves_other_errors_to_airflow() -> None:
    from airflow.sdk import RetryAction

    assert DATAROBOT_RETRY_POLICY is not None
    assert DATAROBOT_RETRY_POLICY.evaluate(ValueError(), 1, 3).action is RetryAction.DEFAULT


def test_before_3_3_there_is_no_policy_and_importing_it_is_no_error() -> None:
    import airflow.sdk

    assert (DATAROBOT_RETRY_POLICY is None) is not hasattr(airflow.sdk, "RetryPolicy")
