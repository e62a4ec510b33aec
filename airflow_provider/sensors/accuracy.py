"""Waiting until a deployment is accurate enough, or until its accuracy can be told."""

from __future__ import annotations

from airflow_provider.tasks.accuracy import AccuracyTask
from airflow_provider.tasks.gating import DataRobotBaseGateSensor
from airflow_provider.tasks.sensing import DataRobotBaseSensor


class DataRobotAccuracySensor(AccuracyTask, DataRobotBaseGateSensor):
    """Waits until one accuracy metric of a deployment meets a rule, or until it can be told.

    :param deployment_id: the deployment.
    :param metric: as the service calls it: AUC, LogLoss, Accuracy, RMSE, MAE, R Squared, Gini Norm, Rate@Top10%, ...
    :param comparison: ``<``, ``<=``, ``>`` or ``>=``: how the metric must compare with
    :param threshold: this number.
    :param view: what is compared: the ``value``, its ``difference`` or ``ratio`` to the baseline (the training data),
        or the ``improvement`` over it in percent, negative when it is worse.
    :param minimum_sample: rows that the metric must be made of; fewer, or an unknown number, count as no data.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``; older ones count as no data. Default: any age. Costs a second request a look.
    :param wait_for: ``pass``: until the rule is met. ``data``: until there is anything to judge, then ``on_fail`` says
        what becomes of a rule that is not met.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param model_id: of this model; default: the champion.
    :param filters: further documented arguments of getDeploymentAccuracy (segmentAttribute, segmentValue, ...).
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch`` when the rule is not met.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Nothing to judge is never a pass: it is waited out until ``timeout``. The window stays what it was at the first
    look. Returns the verdict: ``outcome`` (pass, fail), ``passed``, ``reason``, ``value``, ``measured``,
    ``comparison``, ``threshold``, ``view``, ``sample``, ``minimum_sample``, ``age``, ``max_age``, ``baseline``,
    ``details``, ``deployment_id``, ``metric`` and ``window`` (start, end, hours). The same stands in XCom under
    ``verdict``, also when the sensor fails or is skipped over it. Operations: getDeploymentAccuracy;
    getDeploymentPredictionsVsActualsOverTime where the first does not tell the sample, getVersion where nothing else
    tells the present time.
    """

    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *AccuracyTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
    )
