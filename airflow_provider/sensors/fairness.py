"""Waiting until a deployment is fair enough."""

from __future__ import annotations

from airflow_provider.tasks.fairness import FairnessTask
from airflow_provider.tasks.gating import DataRobotBaseGateSensor
from airflow_provider.tasks.sensing import DataRobotBaseSensor


class DataRobotFairnessSensor(FairnessTask, DataRobotBaseGateSensor):
    """Waits until the worst score among the classes of a protected feature is good enough.

    :param deployment_id: the deployment.
    :param protected_feature: one of those in the deployment's settings.
    :param threshold: from 0 to 1: what every class must reach, relative to the one that is treated best. Default: the
        threshold in the deployment's settings.
    :param metric: as the service calls it, ``proportionalParity``, ``trueFavorableRateParity``, ...; default: the one
        in the deployment's settings.
    :param only_significant: whether classes that the service calls too small are left out (default). With none left
        there is no data.
    :param minimum_sample: rows that the class with the worst score must have; fewer, or an unknown number, count as no
        data.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``; older ones count as no data. Default: any age. Costs a second request a look.
    :param wait_for: ``pass``: until every class reaches the threshold. ``data``: until there is anything to judge, then
        ``on_fail`` says what becomes of it when a class is below the threshold.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentFairnessScoresOverTime (modelId,
        includePrivilegedClass).
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch`` when a class is below the threshold.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Nothing to judge is never a pass: it is waited out until ``timeout``. The window moves on with the service's clock,
    hour by hour, unless ``window_start`` or ``window_end`` is given. Returns the verdict: ``outcome`` (pass, fail),
    ``passed``, ``reason``, ``value`` (the worst score), ``sample``, ``minimum_sample``, ``age`` and ``max_age``
    (hours), ``comparison``, ``threshold``, ``details`` (``worst`` and ``privileged_class``, ``scores`` by class,
    ``left_out``, ``metric``), ``deployment_id``, ``window`` (start, end, hours) and the rest as every gate has it. The
    same stands in XCom under ``verdict``, also when the sensor fails or is skipped. Operations:
    getDeploymentFairnessScoresOverTime; getDeploymentPredictionsVsActualsOverTime with ``max_age``; getVersion where
    nothing else tells the present time.
    """

    moves = True
    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *FairnessTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
    )
