"""Challengers against their champion, as a gate: one of them must be better on numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.comparing import Comparison, compare
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gate_rules import RuleTask
from airflow_provider.tasks.gating import DataRobotBaseGateOperator
from airflow_provider.tasks.reading import DataRobotBaseReadOperator

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class DataRobotCompareChallengersOperator(RuleTask, DataRobotBaseGateOperator):
    """Compares the challengers of a deployment with its champion: one accuracy metric of each, over one window.

    Passes when at least one challenger meets the rule. Challengers are measured over what a replay has scored, so
    replay them up to the end of the window before (DataRobotReplayChallengersOperator).

    :param deployment_id: the deployment.
    :param metric: as the service calls it: AUC, LogLoss, Accuracy, RMSE, MAE, R Squared, Gini Norm, Rate@Top10%, ...
    :param comparison: ``<``, ``<=``, ``>`` or ``>=``: how a challenger must compare with
    :param threshold: this number; by default it must be better than the champion by more than nothing.
    :param view: what is compared: the ``improvement`` over the champion in percent (the default; positive is better,
        whatever the metric), the ``difference`` or ``ratio`` to the champion's value, or the ``value`` itself.
    :param challenger_ids: only these: an id, a list, or ids with commas between; default: all of the deployment.
    :param minimum_sample: rows with an actual that each value must be made of; fewer count as no data.
    :param minimum_share: champion and challenger are measured over their own rows; the smaller number of rows must be
        at least this share of the larger one, 0 to 1, else the challenger counts as not measured. A replay scores the
        first 10,000 rows of each hour: lower it for deployments with more.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of getDeploymentAccuracy (segmentAttribute, segmentValue, ...).
    :param on_fail: ``fail``, ``skip`` or ``branch`` when no challenger meets the rule.
    :param on_no_data: ``fail``, ``skip``, ``branch`` or ``pass`` when there is nothing to judge: no challengers, no
        value of the champion, or none of any challenger.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and those that say
        ``branch`` (``fail``, ``no_data``). An empty list follows nothing.

    Returns the verdict: ``outcome`` (pass, fail, no_data), ``passed``, ``reason``; of the best challenger that could be
    judged, passed or not, ``best_challenger_id``, ``best_model_package_id``, ``improvement`` (percent), ``value``,
    ``measured``, ``sample``, and all of it as ``best`` (None where none could be judged); ``baseline`` (the champion's
    value); ``champion`` (name, model_id, model_package_id, value, sample, missing) and ``challengers`` (each with
    challenger_id, name, model_id, model_name, model_package_id, prediction_environment_id, value, sample, measured,
    difference, improvement, outcome, reason); ``metric``, ``comparison``, ``threshold``, ``view``, ``minimum_sample``,
    ``minimum_share``, ``deployment_id`` and ``window`` (start, end, hours). The same stands in XCom under ``verdict``,
    also when the task fails or is skipped. Fails for good when the rule is not met, and with the errors of the service.
    Operations: getDeployment, listDeploymentChallengers, getDeploymentChallenger, getDeploymentAccuracy,
    getDeploymentPredictionsVsActualsOverTime where that does not tell the sample, getVersion where nothing else tells
    the present time.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        *RuleTask.gate_fields,
        *DataRobotBaseGateOperator.form_fields,
        "metric",
        "challenger_ids",
        "minimum_share",
    )

    def __init__(
        self,
        *,
        metric: str,
        comparison: str = ">",
        threshold: float | str = 0.0,
        view: str = "improvement",
        challenger_ids: str | Sequence[str] | None = None,
        minimum_sample: int | str = 100,
        minimum_share: float | str = 0.9,
        **kwargs: Any,
    ) -> None:
        super().__init__(comparison=comparison, threshold=threshold, view=view, minimum_sample=minimum_sample, **kwargs)
        self.metric = metric
        self.challenger_ids = challenger_ids
        self.minimum_share = minimum_share

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.metric = arguments.named("metric", self.metric, 60).strip()
        self.minimum_share = arguments.number("minimum_share", self.minimum_share)
        given = arguments.several("challenger_ids", self.challenger_ids)
        self.challenger_ids = [arguments.identifier("challenger_ids", one) for one in given]
        if len(set(self.challenger_ids)) != len(self.challenger_ids):
            raise InvalidCall(f"challenger_ids must name each challenger once, not {self.challenger_ids!r}")
        if not 0 <= self.minimum_share <= 1:
            raise InvalidCall(f"minimum_share must be a number from 0 to 1, not {self.minimum_share!r}")
        if "modelId" in self._filters:
            raise InvalidCall("filters must not name a modelId: the champion and each challenger are asked for")

    def read(self, client: Client) -> dict[str, Any]:
        """The verdict."""
        comparison = Comparison(
            deployment_id=self.deployment_id,
            metric=self.metric,
            window=self._plan.window(self._interval_end, client),
            rule=self._rule,
            share=float(self.minimum_share),
            challenger_ids=list(self.challenger_ids or ()),
            filters=self._filters,
        )
        return compare(client, comparison)
