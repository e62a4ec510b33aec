"""What a submission of custom metric values remembers from call to call, and what it tells at its end.

The state stands in the handle: ``sent`` values and the ``digest`` over them; ``marks``, the ends of the chunks that are
still to be sent, of which the first is ``under_way`` once its call was noted; ``skipped`` values were sent before this
work began; ``rows``, ``rejected`` and ``naive`` are counts of the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider.api.client import Client
    from airflow_provider.mlops.metric_values import Survey
    from airflow_provider.tasks.memory import Handle
    from airflow_provider.tasks.metric_order import MetricOrder

State = dict[str, Any]
COUNTS = ("rows", "rejected", "naive")


def begun(survey: Survey, sent: int, digest: str) -> State:
    """The state before the first call."""
    counts = {name: getattr(survey, name) for name in COUNTS}
    return {"sent": sent, "digest": digest, "marks": [list(mark) for mark in survey.marks], "skipped": sent, **counts}


def advanced(handle: Handle | None) -> State:
    """The state behind the chunk that was under way."""
    assert handle is not None, "what was submitted has a handle"
    (sent, digest), *rest = handle.before["marks"]
    return {**handle.before, "sent": sent, "digest": digest, "marks": rest, "under_way": False}


def told(handle: Handle | None) -> str:
    """The values that are under way, in words."""
    state = handle.before if handle else {}
    if not state.get("marks"):
        return "values"
    return f"values {state['sent'] + 1} to {state['marks'][0][0]} of the source"


def account(metric_id: str, state: State) -> dict[str, Any]:
    """The result of the task."""
    counts = {name: state[name] for name in ("skipped", *COUNTS)}
    return {"custom_metric_id": metric_id, "sent": state["sent"] - state["skipped"], **counts}


def planned(order: MetricOrder, metric_id: str, survey: Survey, sent: int) -> dict[str, Any]:
    """What would be sent: how much, and the first values."""
    path = f"deployments/{order.deployment_id}/customMetrics/{metric_id}/fromJSON/"
    first = next((chunk.buckets[:3] for chunk in order.chunks(sent)), [])
    plan = {"operation": "submitDeploymentCustomMetricValuesFromJson", "method": "POST", "path": path, "first": first}
    counts = {name: getattr(survey, name) for name in COUNTS}
    return {"plan": plan, "calls": len(survey.marks), "values": survey.good - sent, "skipped": sent, **counts}


def validated(
    order: MetricOrder,
    client: Client,
    metric_id: str,
    survey: Survey,
    sent: int,
    extra_body: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Lets the service check all values (its own ``dryRun``), and keeps nothing anywhere."""
    from airflow_provider.mlops.metric_values import call_of

    for chunk in order.chunks(sent):
        client.send(call_of(order.deployment_id, metric_id, chunk, order.model, extra_body, dry_run=True))
    counts = {name: getattr(survey, name) for name in COUNTS}
    return {"custom_metric_id": metric_id, "validated": survey.good - sent, "skipped": sent, **counts}
