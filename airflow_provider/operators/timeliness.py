"""Timeliness as a gate: predictions, and their actuals, must keep coming."""

from __future__ import annotations

from airflow_provider.tasks.gating import DataRobotBaseGateOperator
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.timeliness import ActualsTimelinessTask, PredictionsTimelinessTask


class DataRobotCheckPredictionsTimelinessOperator(PredictionsTimelinessTask, DataRobotBaseGateOperator):
    """Checks that a deployment made predictions lately.

    :param deployment_id: the deployment.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``. The window must be at least as long.
    :param minimum_sample: predictions that there must be in the window; fewer, or an unknown number, count as no data.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentPredictionsVsActualsOverTime (modelId,
        segmentAttribute, segmentValue).
    :param on_fail: ``fail``, ``skip`` or ``branch`` when the newest are too old.
    :param on_no_data: ``fail``, ``skip``, ``branch`` or ``pass`` when there is nothing to judge.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and those that say
        ``branch`` (``fail``, ``no_data``). An empty list follows nothing.

    Returns the verdict: ``outcome`` (pass, fail, no_data), ``passed``, ``reason``, ``value`` (hours from the newest to
    the end of the window), ``sample``, ``minimum_sample``, ``age`` and ``max_age`` (hours), ``comparison``,
    ``threshold``, ``details`` (``newest``: the end of its hour), ``deployment_id``, ``window`` (start, end, hours) and
    the rest as every gate has it. The same stands in XCom under ``verdict``, also when the task fails or is skipped.
    Fails for good when the newest are too old, and with the errors of the service. Operations:
    getDeploymentPredictionsVsActualsOverTime; getVersion where nothing else tells the present time.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        *PredictionsTimelinessTask.gate_fields,
        *DataRobotBaseGateOperator.form_fields,
    )


class DataRobotCheckActualsTimelinessOperator(ActualsTimelinessTask, DataRobotBaseGateOperator):
    """Checks that predictions made lately have their actual.

    :param deployment_id: the deployment.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``. The window must be at least as long.
    :param minimum_sample: predictions with an actual that there must be in the window; fewer, or an unknown number,
        count as no data.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentPredictionsVsActualsOverTime (modelId,
        segmentAttribute, segmentValue).
    :param on_fail: ``fail``, ``skip`` or ``branch`` when the newest with an actual are too old.
    :param on_no_data: ``fail``, ``skip``, ``branch`` or ``pass`` when there is nothing to judge.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and those that say
        ``branch`` (``fail``, ``no_data``). An empty list follows nothing.

    Returns the verdict: ``outcome`` (pass, fail, no_data), ``passed``, ``reason``, ``value`` (hours from the newest
    with an actual to the end of the window), ``sample``, ``minimum_sample``, ``age`` and ``max_age`` (hours),
    ``comparison``, ``threshold``, ``details`` (``newest``: the end of its hour), ``deployment_id``, ``window`` (start,
    end, hours) and the rest as every gate has it. The same stands in XCom under ``verdict``, also when the task fails
    or is skipped. Fails for good when the newest with an actual are too old, and with the errors of the service.
    Operations: getDeploymentPredictionsVsActualsOverTime; getVersion where nothing else tells the present time.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        *ActualsTimelinessTask.gate_fields,
        *DataRobotBaseGateOperator.form_fields,
    )
