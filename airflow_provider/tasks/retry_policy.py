"""A ready retry policy for tasks that call the hook themselves (Airflow 3.3 and later; None before).

Our operators need none: they tell Airflow themselves what is worth a retry.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError

if TYPE_CHECKING:
    from airflow.sdk import RetryPolicy


def _policy() -> RetryPolicy | None:
    try:
        from airflow.sdk import RetryDecision, RetryPolicy
    except ImportError:
        return None

    class DataRobotRetryPolicy(RetryPolicy):
        """Fails at once what will be the same at the next attempt, and waits as long as the service asks."""

        def evaluate(
            self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
        ) -> RetryDecision:
            """The decision about one of our errors; everything else is Airflow's to decide."""
            if not isinstance(exception, DataRobotError):
                return RetryDecision.default()
            kind = type(exception).__name__
            if not exception.retryable:
                return RetryDecision.fail(f"{kind} will be the same at the next attempt")
            if exception.retry_after is not None:
                return RetryDecision.retry(timedelta(seconds=exception.retry_after), f"{kind} asks for this pause")
            return RetryDecision.default()

    return DataRobotRetryPolicy()


DATAROBOT_RETRY_POLICY = _policy()
