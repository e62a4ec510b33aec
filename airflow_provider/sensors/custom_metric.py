"""Waiting until a custom metric is good enough."""

from __future__ import annotations

from airflow_provider.tasks.custom_metric import CustomMetricTask
from airflow_provider.tasks.gating import DataRobotBaseGateSensor
from airflow_provider.tasks.sensing import DataRobotBaseSensor


class DataRobotCustomMetricSensor(CustomMetricTask, DataRobotBaseGateSensor):
    """Waits until a custom metric of a deployment meets a rule.

    :param deployment_id: the deployment.
    :param custom_metric_id: the metric; or
    :param name: its name.
    :param comparison: ``<``, ``<=``, ``>`` or ``>=``: how the metric must compare with
    :param threshold: this number.
    :param view: what is compared: the ``value``, its ``difference`` or ``ratio`` to the metric's baseline, or the
        ``improvement`` over it in percent, negative when it is worse (the metric says which direction is better).
    :param model_id: of this model; default: as the service chooses.
    :param minimum_sample: samples that the value must be made of; fewer, or an unknown number, count as no data.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``; older ones count as no data. Default: any age. Costs a second request a look.
    :param wait_for: ``pass``: until the rule is met. ``data``: until there is anything to judge, then ``on_fail`` says
        what becomes of it when the rule is not met.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentCustomMetricSummary (modelPackageId).
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch`` when the rule is not met.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Nothing to judge is never a pass: it is waited out until ``timeout``. The window moves on with the service's clock,
    hour by hour, unless ``window_start`` or ``window_end`` is given. Returns the verdict: ``outcome`` (pass, fail),
    ``passed``, ``reason``, ``value`` (the metric), ``sample``, ``minimum_sample``, ``age`` and ``max_age`` (hours),
    ``comparison``, ``threshold``, ``details`` (``custom_metric``, ``custom_metric_id``), ``deployment_id``, ``window``
    (start, end, hours) and the rest as every gate has it. The same stands in XCom under ``verdict``, also when the
    sensor fails or is skipped. Operations: getDeploymentCustomMetricSummary; listDeploymentCustomMetrics for a name;
    getDeploymentCustomMetric for an improvement; getDeploymentCustomMetricValuesOverTime with ``max_age``; getVersion
    where nothing else tells the present time.
    """

    moves = True
    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *CustomMetricTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
    )
