"""Waiting until predictions, or their actuals, are up to date."""

from __future__ import annotations

from airflow_provider.tasks.gating import DataRobotBaseGateSensor
from airflow_provider.tasks.sensing import DataRobotBaseSensor
from airflow_provider.tasks.timeliness import ActualsTimelinessTask, PredictionsTimelinessTask


class DataRobotPredictionsTimelinessSensor(PredictionsTimelinessTask, DataRobotBaseGateSensor):
    """Waits until a deployment has made predictions lately.

    :param deployment_id: the deployment.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``. The window must be at least as long.
    :param minimum_sample: predictions that there must be in the window; fewer, or an unknown number, count as no data.
    :param wait_for: ``pass``: until the newest are new enough. ``data``: until there is anything to judge, then
        ``on_fail`` says what becomes of it when the newest are too old.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentPredictionsVsActualsOverTime (modelId,
        segmentAttribute, segmentValue).
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch`` when the newest are too old.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Nothing to judge is never a pass: it is waited out until ``timeout``. The window moves on with the service's clock,
    hour by hour, unless ``window_start`` or ``window_end`` is given. Returns the verdict: ``outcome`` (pass, fail),
    ``passed``, ``reason``, ``value`` (hours from the newest to the end of the window), ``sample``, ``minimum_sample``,
    ``age`` and ``max_age`` (hours), ``comparison``, ``threshold``, ``details`` (``newest``: the end of its hour),
    ``deployment_id``, ``window`` (start, end, hours) and the rest as every gate has it. The same stands in XCom under
    ``verdict``, also when the sensor fails or is skipped. Operations: getDeploymentPredictionsVsActualsOverTime;
    getVersion where nothing else tells the present time.
    """

    moves = True
    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *PredictionsTimelinessTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
    )


class DataRobotActualsTimelinessSensor(ActualsTimelinessTask, DataRobotBaseGateSensor):
    """Waits until predictions made lately have their actual.

    :param deployment_id: the deployment.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``. The window must be at least as long.
    :param minimum_sample: predictions with an actual that there must be in the window; fewer, or an unknown number,
        count as no data.
    :param wait_for: ``pass``: until the newest with an actual are new enough. ``data``: until there is anything to
        judge, then ``on_fail`` says what becomes of it when the newest with an actual are too old.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentPredictionsVsActualsOverTime (modelId,
        segmentAttribute, segmentValue).
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch`` when the newest with an actual are too
        old.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Nothing to judge is never a pass: it is waited out until ``timeout``. The window stays what it was at the first
    look. Returns the verdict: ``outcome`` (pass, fail), ``passed``, ``reason``, ``value`` (hours from the newest with
    an actual to the end of the window), ``sample``, ``minimum_sample``, ``age`` and ``max_age`` (hours),
    ``comparison``, ``threshold``, ``details`` (``newest``: the end of its hour), ``deployment_id``, ``window`` (start,
    end, hours) and the rest as every gate has it. The same stands in XCom under ``verdict``, also when the sensor fails
    or is skipped. Operations: getDeploymentPredictionsVsActualsOverTime; getVersion where nothing else tells the
    present time.
    """

    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *ActualsTimelinessTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
    )
