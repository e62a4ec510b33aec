"""Service health as a gate: error rates, latency and load over a window must meet a rule."""

from __future__ import annotations

from airflow_provider.tasks.gating import DataRobotBaseGateOperator
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.service_health import ServiceHealthTask


class DataRobotCheckServiceHealthOperator(ServiceHealthTask, DataRobotBaseGateOperator):
    """Checks one metric of a deployment's service health over a window: error rates, latency, load.

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
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentServiceStats (modelId, segmentAttribute, segmentValue).
    :param on_fail: ``fail``, ``skip`` or ``branch`` when the rule is not met.
    :param on_no_data: ``fail``, ``skip``, ``branch`` or ``pass`` when there is nothing to judge.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and those that say
        ``branch`` (``fail``, ``no_data``). An empty list follows nothing.

    Returns the verdict: ``outcome`` (pass, fail, no_data), ``passed``, ``reason``, ``value`` (the metric), ``sample``,
    ``minimum_sample``, ``age`` and ``max_age`` (hours), ``comparison``, ``threshold``, ``details`` (``metric`` and the
    usual figures), ``deployment_id``, ``window`` (start, end, hours) and the rest as every gate has it. The same stands
    in XCom under ``verdict``, also when the task fails or is skipped. Fails for good when the rule is not met, and with
    the errors of the service. Operations: getDeploymentServiceStats; getDeploymentServiceStatsOverTime with
    ``max_age``; getVersion where nothing else tells the present time.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        *ServiceHealthTask.gate_fields,
        *DataRobotBaseGateOperator.form_fields,
    )
