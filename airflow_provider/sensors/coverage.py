"""Waiting for late labels: until enough predictions of a window have an actual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.gates import Gate, coverage_gate
from airflow_provider.mlops.windows import Window
from airflow_provider.tasks import arguments
from airflow_provider.tasks.gating import DataRobotBaseGateSensor, GateTask
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class DataRobotActualsCoverageSensor(DataRobotBaseGateSensor):
    """Waits until at least this share of the predictions of a window has an actual.

    :param deployment_id: the deployment.
    :param share: more than 0, at most 1: the share of predictions whose actual must be known.
    :param minimum_predictions: how many predictions the window must hold; a window without predictions never passes.
    :param by: ``summary``: the row counts that the service keeps by the hour. ``rows``: count the predictions one by
        one, page after page, for windows of at most 20,000.
    :param window_start: where the window begins (inside); on the hour, in ISO 8601 or as a datetime, naive is UTC.
    :param window_end: where it ends (outside). Default: the end of the run's data interval, else the present time, each
        rounded down to the hour.
    :param window_last: how long before its end the window begins, when no ``window_start`` is given: whole hours, as a
        timedelta, or ``24h``, ``7d`` (default), ``P7D``.
    :param filters: further documented arguments of the operation (modelId, segmentAttribute, ...).
    :param wait_for: ``pass``, or ``data``: take what is there as soon as there are predictions, and let ``on_fail`` say
        what becomes of too few actuals.
    :param on_fail: with ``wait_for="data"``: ``fail``, ``skip`` or ``branch``.
    :param branches: task id, task group id or list of them to follow for each outcome: ``pass`` and ``fail``.

    Returns the verdict: ``value`` (the share), ``sample`` (predictions), ``details`` (``predictions`` and
    ``with_actual``), ``outcome``, ``passed``, ``reason``, ``threshold``, ``minimum_sample``, ``deployment_id``,
    ``window`` (start, end, hours) and the rest as accuracy gates have it. Fails after ``timeout``. Operations:
    getDeploymentPredictionsVsActualsOverTime, or listDeploymentPredictionResults; getVersion where nothing else tells
    the present time.
    """

    template_fields = (
        *DataRobotBaseSensor.template_fields,
        *GateTask.gate_fields,
        *DataRobotBaseGateSensor.form_fields,
        "share",
        "minimum_predictions",
        "by",
    )

    def __init__(
        self, *, share: float | str, minimum_predictions: int | str = 1, by: str = "summary", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.share = share
        self.minimum_predictions = minimum_predictions
        self.by = by

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._share = arguments.number("share", self.share)
        if not 0 < self._share <= 1:
            raise InvalidCall(f"share must be more than 0 and at most 1, not {self.share!r}")
        self._least = arguments.whole("minimum_predictions", self.minimum_predictions, 1)
        self.by = arguments.one_of("by", self.by, ("summary", "rows"))

    def identity(self) -> dict[str, Any]:
        """The window, and how many actuals are enough."""
        window = self._plan.to_json()
        wanted = [self._share, self._least, self.by]
        return {"deployment_id": self.deployment_id, "window": window, "wanted": wanted, **self._filters}

    def gate(self, client: Client, window: Window) -> Gate:
        """The share over the window."""
        return coverage_gate(
            self.deployment_id,
            window,
            self._share,
            minimum_predictions=self._least,
            by=self.by,
            filters=self._filters,
        )
