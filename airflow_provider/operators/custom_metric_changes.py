"""Custom metrics: change one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops import custom_metrics
from airflow_provider.mlops.custom_metrics import TYPES
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.metric_arguments import COLUMNS, LENGTH, baselines, change, settings_given

if TYPE_CHECKING:
    from airflow_provider.tasks.run import Run


class DataRobotUpdateCustomMetricOperator(DataRobotBaseOperator):
    """Changes a custom metric; writes only what differs.

    :param deployment_id: the deployment.
    :param custom_metric_id: the metric, or
    :param name: its name.
    :param new_name: what it shall be called; and likewise ``units``, ``metric_type``, ``directionality``,
        ``description`` and the columns, as in the operator that creates one. None: stays as it is.
    :param baseline_values: a number or a list of numbers; an empty list takes the baseline away.

    Returns ``custom_metric_id``, ``changed`` (what was written) and ``metric``. Fails with CustomMetricMissing,
    CustomMetricNotSeen (done by word, not in fact) and the errors of the service. Operations:
    listDeploymentCustomMetrics, getDeploymentCustomMetric, updateDeploymentCustomMetric. Memory before Airflow 3.3:
    none is needed, the wanted values are compared first.
    """

    operation = "updateDeploymentCustomMetric"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "custom_metric_id",
        "name",
        "new_name",
        "units",
        "metric_type",
        "directionality",
        "description",
        "baseline_values",
        *COLUMNS,
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        custom_metric_id: str | None = None,
        name: str | None = None,
        new_name: str | None = None,
        units: str | None = None,
        metric_type: str | None = None,
        directionality: str | None = None,
        description: str | None = None,
        baseline_values: float | str | Sequence[float] | None = None,
        value_column: str | None = None,
        timestamp_column: str | None = None,
        timestamp_format: str | None = None,
        sample_size_column: str | None = None,
        batch_column: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.custom_metric_id = custom_metric_id
        self.name = name
        self.new_name = new_name
        self.units = units
        self.metric_type = metric_type
        self.directionality = directionality
        self.description = description
        self.baseline_values = baseline_values
        self.value_column = value_column
        self.timestamp_column = timestamp_column
        self.timestamp_format = timestamp_format
        self.sample_size_column = sample_size_column
        self.batch_column = batch_column

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.custom_metric_id, self.name = arguments.id_or_name(
            "custom_metric_id", self.custom_metric_id, self.name, LENGTH
        )
        wanted = settings_given(self)
        if not arguments.absent(self.new_name):
            wanted["name"] = arguments.named("new_name", self.new_name, LENGTH)
        if not arguments.absent(self.units):
            wanted["units"] = arguments.text("units", self.units, LENGTH)
        if not arguments.absent(self.metric_type):
            wanted["type"] = arguments.one_of("metric_type", self.metric_type, TYPES)
        if not arguments.absent(self.baseline_values):
            wanted["baselineValues"] = baselines(self.baseline_values)
        if not wanted and not self.extra_body:
            raise InvalidCall("nothing is to be changed: give at least one new value")
        self._wanted = wanted

    def identity(self) -> dict[str, Any]:
        """The metric and the wanted values."""
        return {"deployment_id": self.deployment_id, "id": self.custom_metric_id, "is": self.name, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        metric_id = custom_metrics.identify(run.client, self.deployment_id, self.custom_metric_id, self.name)
        now = custom_metrics.get(run.client, self.deployment_id, metric_id)
        differs = custom_metrics.differing(self._wanted, now)
        if differs or self.extra_body:
            now = change(run, self.deployment_id, metric_id, differs, self.extra_body)
        return {"custom_metric_id": metric_id, "changed": differs, "metric": now}
