"""Accuracy of a deployment: metrics over the matched rows of a period, beside what they were in training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import invalid
from airflow_provider.emulator.behaviour.matching import Row, against_the_rest, predictions_in, scored
from airflow_provider.emulator.behaviour.periods import Period
from airflow_provider.emulator.behaviour.segments import EVERYTHING, Only
from airflow_provider.emulator.metrics import BY_TARGET, percent_change

if TYPE_CHECKING:
    from airflow_provider.emulator.calls import Call
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

PER_CLASS = ("Binary", "Multiclass")  # target types that have classes
MINIMUM = 100  # actuals with a prediction before accuracy is shown (wire.md D)
ALWAYS = Period(float("-inf"), float("inf"))


class Accuracy:
    """The metrics of one deployment's models.

    :param models: the models that are asked for
    :param only: the segment and the monitoring batches that the rows must be of
    :param classes: score rows that came out as one of these classes; none: all rows
    """

    def __init__(
        self,
        service: Service,
        deployment: Record,
        target: Record,
        models: list[str],
        only: Only = EVERYTHING,
        classes: tuple[str, ...] = (),
    ) -> None:
        self.only = only
        self.classes = classes if target["type"] in PER_CLASS else ()
        self.service = service
        self.deployment = deployment
        self.target = target
        self.models = models
        self.names = BY_TARGET.get(target["type"], ())

    def rows(self, period: Period) -> list[Row]:
        """The predictions of the models in the period."""
        return list(predictions_in(self.service, self.deployment, self.models, period, self.only))

    def values(self, rows: Iterable[Row]) -> tuple[int, dict[str, float | None]]:
        """How many rows were scored, and every metric of the target's type; None where there is no value."""
        if self.classes:
            rows = (row for row in rows if row.actual in self.classes)
        count, found = scored(self.target, rows)
        return count, {name: _scale(self.service, name, found.get(name)) for name in self.names}

    def enough(self, rows: Iterable[Row]) -> bool:
        """Whether there are so many actuals that accuracy is shown; of the period or of all (``accuracy_minimum``)."""
        if self.service.switches["accuracy_minimum"] == "deployment":
            rows = predictions_in(self.service, self.deployment, self.models, ALWAYS, self.only)
        return sum(row.actual is not None for row in rows) >= MINIMUM

    def per_class(self, metric: str, rows: list[Row]) -> list[dict[str, Any]]:
        """The metric of each class that was asked for: of the rows that came out so, or against all others."""
        found = []
        for name in self.classes:
            if self.service.switches["class_accuracy"] == "against_the_rest":
                values = against_the_rest(self.target, name, rows)
            else:
                values = scored(self.target, (row for row in rows if row.actual == name))[1]
            found.append({"className": name, "value": values.get(metric)})
        return found

    def baseline(self, model: str) -> tuple[int | None, dict[str, float]]:
        """Rows and metrics of the training's holdout; nothing by classes, nor of most packages of the worlds."""
        if self.classes:
            return None, {}
        for package in self.service.store.rows("packages"):
            if package["modelId"] == model and package.get("baseline"):
                found = package["baseline"]
                return found["sampleSize"], found["metrics"]
        return None, {}

    def check_metric(self, name: str) -> None:
        """A metric of another target type has no value, or is refused (switch ``foreign_metric``); MAD is no answer."""
        refused = name not in self.names and self.service.switches["foreign_metric"] == "refuse_422"
        if refused or name == "MAD":  # the table of the answer does not have MAD
            raise invalid([f"must be one of {', '.join(self.names)}, not {name!r} @ $.metric"])


def _scale(service: Service, name: str, value: float | None) -> float | None:
    if value is not None and name == "MAPE" and service.switches["mape_unit"] == "fraction":
        return value / 100
    return value


def asked_classes(call: Call) -> tuple[str, ...]:
    """The classes that a call names: by ``targetClass`` one or several, by ``targetClasses`` joined by commas."""
    one, joined = (call.arguments.get(name) or () for name in ("targetClass", "targetClasses"))
    named = [one] if isinstance(one, str) else [*one]
    named += str(joined).split(",") if joined else []
    return tuple(dict.fromkeys(named))


def lines(accuracy: Accuracy, rows: list[Row]) -> list[dict[str, Any]]:
    """One line for each model and metric, as the newer API has them (wire.md K.1)."""
    parts: dict[str, list[Row]] = {model: [] for model in accuracy.models}
    for row in rows:
        parts[row.model].append(row)
    return [line for model, part in parts.items() for line in summed_up(accuracy, model, part)]


def summed_up(accuracy: Accuracy, model: str | None, rows: list[Row]) -> list[dict[str, Any]]:
    """One line for each metric of these rows, beside the baseline of their model (None: of the first)."""
    count, values = accuracy.values(rows)
    baseline_count, baseline = accuracy.baseline(model or accuracy.models[0])
    return [
        {
            "modelId": model,
            "metricName": name,
            "value": value,
            "sampleSize": count,
            "baselineValue": baseline.get(name),
            "baselineSampleSize": baseline_count,
            "percentChange": percent_change(name, value, baseline.get(name)),
        }
        for name, value in values.items()
    ]
