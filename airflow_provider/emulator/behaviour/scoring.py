"""Made-up scores of rows: the same row gets the same score of the same model, always."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.behaviour.matching import THRESHOLD
from airflow_provider.emulator.behaviour.predictions import Prediction
from airflow_provider.emulator.jobs import JobFails

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider.emulator.store import Record


class Scoring:
    """What becomes of each row: a line of the results, and a prediction that monitoring can keep."""

    def __init__(self, spec: Mapping[str, Any], target: Record, model: str, association: list[str]) -> None:
        self._spec = spec
        self._target = target
        self._model = model
        self._association = association

    def write(
        self, rows: Iterator[dict[str, str]], path: Path, moment: float, batch: str | None
    ) -> Iterator[Prediction]:
        """Writes the results while the predictions are taken."""
        settings = self._spec.get("csvSettings") or {}
        with path.open("w", encoding="utf-8", newline="") as text:
            out = csv.writer(text, delimiter=settings.get("delimiter") or ",", lineterminator="\n")
            for number, row in enumerate(rows):
                shares = self._shares(row)
                found = {**self._passed(row), **self._columns(shares)}
                if number == 0:
                    out.writerow(found)
                out.writerow(found.values())
                yield self._prediction(row, shares, moment, batch)

    def _shares(self, row: Mapping[str, str]) -> dict[str, float]:
        """The probability of each class; of a number the one entry is its value."""
        text = self._model + "\n" + "\n".join(f"{name}={value}" for name, value in row.items())
        drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
        if self._target["type"] == "Regression":
            return {"": round(50 + 100 * drawn, 3)}
        names = self._target["classNames"]
        if len(names) == 2:
            return {names[0]: round(drawn, 6), names[1]: round(1 - round(drawn, 6), 6)}
        weights = [1 + (drawn * (7 + place)) % 1 for place in range(len(names))]
        return {name: weight / sum(weights) for name, weight in zip(names, weights, strict=True)}

    def _label(self, shares: Mapping[str, float]) -> str:
        names = self._target["classNames"]
        if len(names) != 2:
            return max(shares, key=lambda name: shares[name])
        threshold = self._spec.get("predictionThreshold")
        return str(names[0] if shares[names[0]] >= (THRESHOLD if threshold is None else threshold) else names[1])

    def _passed(self, row: Mapping[str, str]) -> dict[str, Any]:
        if self._spec.get("passthroughColumnsSet") == "all":
            return dict(row)
        wanted = self._spec.get("passthroughColumns") or []
        missing = [name for name in wanted if name not in row]
        if missing:
            raise JobFails(f"The rows have no column {', '.join(missing)}.")
        return {name: row[name] for name in wanted}

    def _columns(self, shares: Mapping[str, float]) -> dict[str, Any]:
        name = self._target["name"]
        if self._target["type"] == "Regression":
            found: dict[str, Any] = {f"{name}_PREDICTION": shares[""]}
        else:
            shown = shares if self._spec.get("includeProbabilities", True) else {}
            found = {f"{name}_{label}_PREDICTION": share for label, share in shown.items()}
            found[f"{name}_PREDICTION"] = self._label(shares)
            if self._target["type"] == "Binary":
                found |= {"THRESHOLD": self._spec.get("predictionThreshold", THRESHOLD)}
                found |= {"POSITIVE_CLASS": self._target["classNames"][0]}
        if self._spec.get("includePredictionStatus"):
            found["prediction_status"] = "OK"
        return found

    def _prediction(
        self, row: Mapping[str, str], shares: Mapping[str, float], moment: float, batch: str | None
    ) -> Prediction:
        known = [row[name] for name in self._association if row.get(name)]
        association = "_".join(known) if known and len(known) == len(self._association) else None
        kind = self._target["type"]
        value = None if kind == "Multiclass" else next(iter(shares.values()))
        classes = dict(shares) if kind == "Multiclass" else None
        return Prediction(moment, association, value, classes, None, batch, {n: _plain(v) for n, v in row.items() if n})


def _plain(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
