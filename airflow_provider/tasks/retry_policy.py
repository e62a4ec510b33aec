"""A ready retry policy for tasks that call the hook themselves (Airflow 3.3 and later; None before).

Our operators need none: they tell Airflow themselves what is worth a retry.
"""

from __future__ import annotations

from typing import Any


def _policy() -> Any:
    try:
        from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
    except ImportError:
        return None
    from airflow_provider.api import errors

    permanent = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.DataRobotError) and not kind.retryable
    ]
    # The first rule that fits decides, so the most special class comes first.
    ranked = sorted(permanent, key=lambda kind: -len(kind.__mro__))
    return ExceptionRetryPolicy(
        rules=[
            RetryRule(exception=kind, action=RetryAction.FAIL, reason=f"{kind.__name__} is final") for kind in ranked
        ]
    )


DATAROBOT_RETRY_POLICY = _policy()
