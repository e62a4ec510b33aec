"""What tasks on custom metrics share: which metric is meant, what it shall be, and the write that makes it so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops import custom_metrics
from airflow_provider.mlops.custom_metrics import DIRECTIONS
from airflow_provider.tasks import arguments

if TYPE_CHECKING:
    from airflow_provider.tasks.run import Run

LENGTH = 1000  # characters of a name
COLUMNS = ("value_column", "timestamp_column", "timestamp_format", "sample_size_column", "batch_column")


def settings_given(task: Any) -> dict[str, Any]:
    """What both operators may set besides the name: the body's keys, and only what was given."""
    given: dict[str, Any] = {}
    if not arguments.absent(task.directionality):
        given["directionality"] = arguments.one_of("directionality", task.directionality, DIRECTIONS)
    if not arguments.unset(task.description):
        given["description"] = arguments.text("description", task.description, 10_000)
    for key, argument in (("value", "value_column"), ("sampleCount", "sample_size_column"), ("batch", "batch_column")):
        if not arguments.absent(getattr(task, argument)):
            given[key] = {"columnName": arguments.named(argument, getattr(task, argument), LENGTH)}
    if not arguments.absent(task.timestamp_column):
        given["timestamp"] = {"columnName": arguments.named("timestamp_column", task.timestamp_column, LENGTH)}
        if not arguments.absent(task.timestamp_format):
            given["timestamp"]["timeFormat"] = str(task.timestamp_format)
    elif not arguments.absent(task.timestamp_format):
        raise InvalidCall("timestamp_format needs timestamp_column")
    return given


def baselines(given: Any) -> list[dict[str, float]]:
    """The baseline values of a body, from one number or several."""
    values = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    return [{"value": arguments.number("baseline_values", one)} for one in values]


def change(
    run: Run, deployment_id: str, metric_id: str, differs: dict[str, Any], extra_body: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Writes, and looks whether it is so."""

    def look() -> dict[str, Any] | None:
        now = custom_metrics.get(run.client, deployment_id, metric_id)
        return None if custom_metrics.differing(differs, now) else now

    run.submit(
        "updateDeploymentCustomMetric",
        differs,
        stage="update",
        look=look,
        extra_body=extra_body,
        before={"changed": differs},
        deploymentId=deployment_id,
        customMetricId=metric_id,
    )
    now = look()
    if now is None:
        raise custom_metrics.CustomMetricNotSeen(
            f"the service says that it is done, and custom metric {metric_id} still is not {differs}"
        )
    return now
