"""Custom metrics: create one or take it by its name, delete one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import Refused
from airflow_provider.mlops import custom_metrics
from airflow_provider.mlops.custom_metrics import TAKEN, TYPES
from airflow_provider.mlops.naming import find_soon
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.deleting import delete
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.metric_arguments import COLUMNS, LENGTH, change, settings_given

if TYPE_CHECKING:
    from airflow_provider.tasks.run import Run


class DataRobotCreateCustomMetricOperator(DataRobotBaseOperator):
    """Creates a custom metric, or takes the one that has the name already and compares it.

    :param deployment_id: the deployment; it can have 25 custom metrics.
    :param name: by which people and later tasks know it.
    :param units: the label of its axis.
    :param metric_type: ``average``, ``gauge``, ``sum`` or ``categorical``: how values are put together.
    :param model_specific: whether each model has values of its own.
    :param directionality: ``higherIsBetter`` or ``lowerIsBetter``.
    :param description: for people.
    :param baseline_value: what values are compared with.
    :param value_column: of datasets with values, and likewise ``timestamp_column`` with ``timestamp_format`` (as in
        strftime), ``sample_size_column`` and ``batch_column``: used where a submission does not name them.
    :param on_difference: when the metric is there and differs: ``fail``, ``update`` it, or ``ignore`` that. What kind
        of thing it is (``model_specific``) cannot be updated.

    Returns ``custom_metric_id``, ``name``, ``created``, ``changed`` (what was written to a metric that was there) and
    ``metric`` (as the service shows it). Fails with CustomMetricDiffers, CustomMetricNotSeen and the errors of the
    service. Operations: listDeploymentCustomMetrics, createDeploymentCustomMetric, updateDeploymentCustomMetric.
    Memory before Airflow 3.3: the name.
    """

    operation = "createDeploymentCustomMetric"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "name",
        "units",
        "metric_type",
        "model_specific",
        "directionality",
        "description",
        "baseline_value",
        *COLUMNS,
        "on_difference",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        name: str,
        units: str,
        metric_type: str = "average",
        model_specific: bool | str = False,
        directionality: str | None = None,
        description: str | None = None,
        baseline_value: float | str | None = None,
        value_column: str | None = None,
        timestamp_column: str | None = None,
        timestamp_format: str | None = None,
        sample_size_column: str | None = None,
        batch_column: str | None = None,
        on_difference: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.name = name
        self.units = units
        self.metric_type = metric_type
        self.model_specific = model_specific
        self.directionality = directionality
        self.description = description
        self.baseline_value = baseline_value
        self.value_column = value_column
        self.timestamp_column = timestamp_column
        self.timestamp_format = timestamp_format
        self.sample_size_column = sample_size_column
        self.batch_column = batch_column
        self.on_difference = on_difference

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.name = arguments.named("name", self.name, LENGTH)
        self.on_difference = arguments.one_of("on_difference", self.on_difference, ("fail", "update", "ignore"))
        self._wanted = {
            "name": self.name,
            "units": arguments.text("units", self.units, LENGTH),
            "type": arguments.one_of("metric_type", self.metric_type, TYPES),
            "isModelSpecific": arguments.flag("model_specific", self.model_specific),
            **settings_given(self),
        }
        if not arguments.absent(self.baseline_value):
            self._wanted["baselineValues"] = [{"value": arguments.number("baseline_value", self.baseline_value)}]

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted metric."""
        return {"deployment_id": self.deployment_id, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Takes the metric of this name, or creates it."""
        found = self._find(run)
        if found is not None:
            return self._take(run, found)
        try:
            sent = run.submit(
                self.operation,
                {**self._wanted, "timeStep": "hour"},
                stage="create",
                look=lambda: self._find(run),
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
        except Refused as refused:
            taken = refused.message.startswith(TAKEN)  # by whom, the list may not have shown yet
            found = find_soon(run.client, lambda: self._find(run)) if taken else None
            if found is None:
                raise
            return self._take(run, found)
        metric = sent.found if sent.answer is None else sent.answer.object()
        self.log.info("Custom metric %s is %s.", self.name, metric["id"])
        return self._result(metric, created=True, changed={})

    def _take(self, run: Run, found: dict[str, Any]) -> dict[str, Any]:
        differs = custom_metrics.differing(self._wanted, found)
        if not differs or self.on_difference == "ignore":
            self.log.info("Custom metric %s is there already: %s.", self.name, found["id"])
            return self._result(found, created=False, changed={})
        fixed = sorted(set(differs) - set(custom_metrics.SETTABLE))
        if self.on_difference == "fail" or fixed:
            now = {name: found.get(name) for name in differs}
            hint = f"; {', '.join(fixed)} cannot be changed" if fixed else ""
            raise custom_metrics.CustomMetricDiffers(
                f"custom metric {found['id']} of this name has {now}, and {differs} is wanted{hint}"
            )
        changed = change(run, self.deployment_id, found["id"], differs, None)
        return self._result(changed, created=False, changed=differs)

    def _find(self, run: Run) -> dict[str, Any] | None:
        return custom_metrics.find(run.client, self.deployment_id, self.name)

    def _result(self, metric: Mapping[str, Any], *, created: bool, changed: dict[str, Any]) -> dict[str, Any]:
        told = {"custom_metric_id": metric["id"], "name": metric.get("name"), "created": created, "changed": changed}
        return {**told, "metric": dict(metric)}


class DataRobotDeleteCustomMetricOperator(DataRobotBaseOperator):
    """Deletes a custom metric with its values; one that is gone is a success without a write.

    :param deployment_id: the deployment.
    :param custom_metric_id: the metric, or
    :param name: its name.

    Returns ``custom_metric_id`` (None where no metric has the name) and ``deleted``. Fails with the errors of the
    service. Operations: listDeploymentCustomMetrics, getDeploymentCustomMetric, deleteDeploymentCustomMetric. Memory
    before Airflow 3.3: a metric that is gone was deleted.
    """

    operation = "deleteDeploymentCustomMetric"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "custom_metric_id", "name")

    def __init__(
        self, *, deployment_id: str, custom_metric_id: str | None = None, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.custom_metric_id = custom_metric_id
        self.name = name

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.custom_metric_id, self.name = arguments.id_or_name(
            "custom_metric_id", self.custom_metric_id, self.name, LENGTH
        )

    def identity(self) -> dict[str, Any]:
        """The metric."""
        return {"deployment_id": self.deployment_id, "id": self.custom_metric_id, "name": self.name}

    def start(self, run: Run) -> Step:
        """Deletes it, unless it is gone."""
        metric_id = self.custom_metric_id
        if metric_id is None:
            found = custom_metrics.find(run.client, self.deployment_id, str(self.name))
            metric_id = None if found is None else str(found["id"])
        if metric_id is None:
            return {"custom_metric_id": None, "deleted": False}
        where = {"deploymentId": self.deployment_id, "customMetricId": metric_id}
        found = delete(
            run, self.operation, lambda: custom_metrics.get(run.client, self.deployment_id, metric_id), **where
        )
        return {"custom_metric_id": metric_id, "deleted": found is not None}
