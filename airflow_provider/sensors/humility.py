"""Waiting until few predictions meet a humility rule."""

from __future__ import annotations

from airflow_provider.tasks.gating import DataRobotBaseGateSensor
from airflow_provider.tasks.humility import HumilityTask
from airflow_provider.tasks.sensing import DataRobotBaseSensor


class DataRobotHumilitySensor(HumilityTask, DataRobotBaseGateSensor):
    """Waits until few enough predictions of a window met a humility rule, or any of them.

    :param deployment_id: the deployment.
    :param threshold: so much at most.
    :param measure: of the predictions, the ``share`` (0 to 1, default), or the ``count``. With several rules a
        prediction counts once for each that it met.
    :param humility_rule: name or id of one rule; default: all of them together.
    :param minimum_sample: predictions that there must be in the window; fewer, or an unknown number, count as no data.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``; older ones count as no data. Default: any age. Costs a second request a look.
    :param wait_for: ``pass``: until few enough met a rule. ``data``: until there is anything to judge, then ``on_fail``
        says what becomes of it when too many met a rule.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentHumilityStats (modelId, segmentAttribute,
        segmentValue).
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch`` when too many met a rule.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Nothing to judge is never a pass: it is waited out until ``timeout``. The window moves on with the service's clock,
    hour by hour, unless ``window_start`` or ``window_end`` is given. Returns the verdict: ``outcome`` (pass, fail),
    ``passed``, ``reason``, ``value`` (share or count), ``sample``, ``minimum_sample``, ``age`` and ``max_age`` (hours),
    ``comparison``, ``threshold``, ``details`` (``hits``, ``predictions``, ``rules``: count of each), ``deployment_id``,
    ``window`` (start, end, hours) and the rest as every gate has it. The same stands in XCom under ``verdict``, also
    when the sensor fails or is skipped. Operations: getDeploymentHumilityStats;
    getDeploymentPredictionsVsActualsOverTime for the number of predictions; the same by the hour with ``max_age``;
    getVersion where nothing else tells the present time.
    """

    moves = True
    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *HumilityTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
    )
