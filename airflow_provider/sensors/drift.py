"""Waiting until data have not drifted, or until their drift can be told."""

from __future__ import annotations

from airflow_provider.tasks.drift import FeatureDriftTask, TargetDriftTask
from airflow_provider.tasks.gating import DataRobotBaseGateSensor
from airflow_provider.tasks.sensing import DataRobotBaseSensor


class DataRobotFeatureDriftSensor(FeatureDriftTask, DataRobotBaseGateSensor):
    """Waits until no feature of a deployment, or few of them, have drifted over a window.

    :param deployment_id: the deployment.
    :param threshold: a feature whose score is higher has drifted (default 0.15).
    :param metric: the measure: ``psi`` (default), ``kl_divergence``, ``dissimilarity``, ``hellinger``,
        ``js_divergence``.
    :param most_drifted: how many features may have drifted (default 0).
    :param features: look at these only, as a list or with commas between. Each must have a score, else there is no
        data.
    :param excluded_features: look at all but these.
    :param minimum_importance: look at features of this importance (0 to 1) or more only.
    :param minimum_sample: rows that the score of every feature must be made of; fewer, or an unknown number, count as
        no data.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``; older ones count as no data. Default: any age. Costs a second request a look.
    :param wait_for: ``pass``: until few enough features have drifted. ``data``: until there is anything to judge, then
        ``on_fail`` says what becomes of it when too many features have drifted.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentFeatureDrift (modelId, segmentAttribute, segmentValue,
        batchId).
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch`` when too many features have drifted.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Nothing to judge is never a pass: it is waited out until ``timeout``. The window moves on with the service's clock,
    hour by hour, unless ``window_start`` or ``window_end`` is given. Returns the verdict: ``outcome`` (pass, fail),
    ``passed``, ``reason``, ``value`` (how many features have drifted), ``sample``, ``minimum_sample``, ``age`` and
    ``max_age`` (hours), ``comparison``, ``threshold``, ``details`` (``drifted``: name and score of each, the highest
    first; ``highest``, ``features`` (how many have a score), ``unscored``, ``metric``, ``drift_threshold``),
    ``deployment_id``, ``window`` (start, end, hours) and the rest as every gate has it. The same stands in XCom under
    ``verdict``, also when the sensor fails or is skipped. Operations: getDeploymentFeatureDrift (all pages);
    getDeploymentPredictionsVsActualsOverTime with ``max_age``; getVersion where nothing else tells the present time.
    """

    moves = True
    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *FeatureDriftTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
    )


class DataRobotTargetDriftSensor(TargetDriftTask, DataRobotBaseGateSensor):
    """Waits until the predictions of a deployment are distributed as in training, over a window.

    :param deployment_id: the deployment.
    :param threshold: the score may be so high (default 0.15).
    :param metric: the measure: ``psi`` (default), ``kl_divergence``, ``dissimilarity``, ``hellinger``,
        ``js_divergence``.
    :param minimum_sample: predictions that there must be in the window; fewer, or an unknown number, count as no data.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``; older ones count as no data. Default: any age. Costs a second request a look.
    :param wait_for: ``pass``: until the target has not drifted. ``data``: until there is anything to judge, then
        ``on_fail`` says what becomes of it when the target has drifted.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentTargetDrift (modelId, segmentAttribute, segmentValue,
        batchId).
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch`` when the target has drifted.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Nothing to judge is never a pass: it is waited out until ``timeout``. The window moves on with the service's clock,
    hour by hour, unless ``window_start`` or ``window_end`` is given. Returns the verdict: ``outcome`` (pass, fail),
    ``passed``, ``reason``, ``value`` (the score), ``sample``, ``minimum_sample``, ``age`` and ``max_age`` (hours),
    ``comparison``, ``threshold``, ``details`` (``metric``, ``target``, ``baseline_sample``, ``model_id``),
    ``deployment_id``, ``window`` (start, end, hours) and the rest as every gate has it. The same stands in XCom under
    ``verdict``, also when the sensor fails or is skipped. Operations: getDeploymentTargetDrift;
    getDeploymentPredictionsVsActualsOverTime with ``max_age``; getVersion where nothing else tells the present time.
    """

    moves = True
    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *TargetDriftTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
    )
