"""Custom metrics: what one comes to, over a window or over monitoring batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.mlops import custom_metrics
from airflow_provider.tasks import arguments
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.metric_arguments import LENGTH
from airflow_provider.tasks.reading import DataRobotBaseReadOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client


class DataRobotGetCustomMetricSummaryOperator(DataRobotBaseReadOperator):
    """Reads what a custom metric comes to over a window, or over monitoring batches.

    :param deployment_id: the deployment.
    :param custom_metric_id: the metric, or
    :param name: its name.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time,
        each rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d``, ``P7D``.
    :param batch_ids: sum up over these monitoring batches in place of a window; ``all`` for all of them.
    :param model_id: of a metric that is specific to models; default: the champion. Or
    :param model_package_id: the same by the package.

    Returns ``custom_metric_id``, ``name``, ``value``, ``baseline``, ``percent_change`` and ``sample`` (None where there
    is none), ``window`` (start, end, hours; None for batches) and ``metric``, the whole answer. Fails with
    CustomMetricMissing and the errors of the service. Operations: listDeploymentCustomMetrics (for a name),
    getDeploymentCustomMetricSummary or getDeploymentCustomMetricBatchSummary, getVersion where nothing else tells the
    present time.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        "deployment_id",
        "custom_metric_id",
        "name",
        "window_start",
        "window_end",
        "window_last",
        "batch_ids",
        "model_id",
        "model_package_id",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        custom_metric_id: str | None = None,
        name: str | None = None,
        window_start: datetime | str | None = None,
        window_end: datetime | str | None = None,
        window_last: timedelta | str = "7d",
        batch_ids: str | Sequence[str] | None = None,
        model_id: str | None = None,
        model_package_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.custom_metric_id = custom_metric_id
        self.name = name
        self.window_start = window_start
        self.window_end = window_end
        self.window_last = window_last
        self.batch_ids = batch_ids
        self.model_id = model_id
        self.model_package_id = model_package_id
        self._interval_end: datetime | None = None

    def introduce(self, context: Context) -> None:
        """Notes the end of the data interval."""
        super().introduce(context)
        self._interval_end = context.get("data_interval_end")

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        from airflow_provider.mlops.windows import WindowPlan

        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.custom_metric_id, self.name = arguments.id_or_name(
            "custom_metric_id", self.custom_metric_id, self.name, LENGTH
        )
        self.model_id = arguments.optional_identifier("model_id", self.model_id)
        self.model_package_id = arguments.optional_identifier("model_package_id", self.model_package_id)
        self._batches = arguments.several("batch_ids", self.batch_ids)
        self._plan = WindowPlan.of(self.window_start, self.window_end, self.window_last)

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def read(self, client: Client) -> dict[str, Any]:
        """The summary, in our words and in the service's."""
        metric_id = custom_metrics.identify(client, self.deployment_id, self.custom_metric_id, self.name)
        window = None if self._batches else self._plan.window(self._interval_end, client)
        found = custom_metrics.summary(
            client,
            self.deployment_id,
            metric_id,
            window,
            model_id=self.model_id,
            model_package_id=self.model_package_id,
            batch_ids=() if self._batches == ["all"] else self._batches,
        )
        return {
            "custom_metric_id": metric_id,
            "name": found.get("name"),
            "value": found.get("value"),
            "baseline": found.get("baselineValue"),
            "percent_change": found.get("percentChange"),
            "sample": found.get("sampleCount"),
            "window": None if window is None else window.to_json(),
            "metric": found,
        }
