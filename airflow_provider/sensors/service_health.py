"""Waiting until the service of a deployment is healthy."""

from __future__ import annotations

from airflow_provider.tasks.gating import DataRobotBaseGateSensor
from airflow_provider.tasks.sensing import DataRobotBaseSensor
from airflow_provider.tasks.service_health import ServiceHealthTask


class DataRobotServiceHealthSensor(ServiceHealthTask, DataRobotBaseGateSensor):
    """Waits until one metric of a deployment's service health meets a rule: error rates, latency, load.

    :param deployment_id: the deployment.
    :param metric: as the service calls it: ``serverErrorRate`` (default), ``userErrorRate``, ``responseTime`` and
        ``executionTime`` (milliseconds), ``slowRequests``, ``totalRequests``, ``totalPredictions``, ``numConsumers``,
        ``cacheHitRatio``, ``medianLoad``, ``peakLoad`` (requests a minute); or ``errorRate`` (users' and server's
        together), ``slowRequestRate``. Rates are from 0 to 1.
    :param threshold: the metric must be so much at most;
    :param comparison: or compare with it in another way: ``<``, ``<=`` (default), ``>``, ``>=``.
    :param quantile: of ``responseTime`` or ``executionTime``, from 0 to 1: 0.95 is what 95 % of the requests took at
        most. Default: the median.
    :param slow_threshold: from how many milliseconds on a request is slow; default: the service's own (1,000).
    :param minimum_sample: requests that there must have been in the window; fewer, or an unknown number, count as no
        data.
    :param max_age: how old the newest of them may be at the end of the window: whole hours, as a timedelta, or ``6h``,
        ``1d``; older ones count as no data. Default: any age. Costs a second request a look.
    :param wait_for: ``pass``: until the rule is met. ``data``: until there is anything to judge, then ``on_fail`` says
        what becomes of it when the rule is not met.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentServiceStats (modelId, segmentAttribute, segmentValue).
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch`` when the rule is not met.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Nothing to judge is never a pass: it is waited out until ``timeout``. The window moves on with the service's clock,
    hour by hour, unless ``window_start`` or ``window_end`` is given. Returns the verdict: ``outcome`` (pass, fail),
    ``passed``, ``reason``, ``value`` (the metric), ``sample``, ``minimum_sample``, ``age`` and ``max_age`` (hours),
    ``comparison``, ``threshold``, ``details`` (``metric`` and the usual figures), ``deployment_id``, ``window`` (start,
    end, hours) and the rest as every gate has it. The same stands in XCom under ``verdict``, also when the sensor fails
    or is skipped. Operations: getDeploymentServiceStats; getDeploymentServiceStatsOverTime with ``max_age``; getVersion
    where nothing else tells the present time.
    """

    moves = True
    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *ServiceHealthTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
    )
