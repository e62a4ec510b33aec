"""What a model's training data looked like, feature by feature: what drift is measured against.

Records of the table ``baselines`` have the id of their model package::

    {"id": ..., "sampleSize": 5000, "features": {NAME: feature}, "target": feature}

A feature is numeric, ``{"type": "numeric", "edges": [10, 20], "counts": [900, 3000, 1100]}`` (values up to 10, beyond
10 up to 20, beyond 20), or it has classes, ``{"type": "categorical", "counts": {"a": 3000, "b": 2000}}``; both may have
``importance``, from 0 to 1, of the model. The target's baseline is one of predictions: of numbers, or of labels.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider.emulator.behaviour.predictions import Prediction
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

NUMERIC = "numeric"
MISSING = "missing"  # the bin of rows without a value, and of numbers that are none
OTHER = "other"  # the bin of classes that the training data did not have
NOTHING: dict[str, Any] = {"sampleSize": None, "features": {}, "target": None}


def baseline_of(service: Service, model_id: str) -> Record:
    """The baseline of a model; an empty one where the world gives none."""
    for package in service.store.rows("packages"):
        if package["modelId"] == model_id:
            found = service.store.get("baselines", package["id"])
            if found is not None:
                return found
    return NOTHING


def size(feature: Mapping[str, Any]) -> int:
    """How many rows of the training data the feature was counted in."""
    return sum(expected(feature).values())


def expected(feature: Mapping[str, Any]) -> dict[Any, int]:
    """Rows of the training data by bin."""
    if feature["type"] == NUMERIC:
        return dict(enumerate(feature["counts"]))
    return dict(feature["counts"])


def observed(feature: Mapping[str, Any], values: Iterable[Any]) -> Counter[Any]:
    """Rows by the bins of the training data, and by ``missing`` and ``other`` where there are such."""
    return Counter(_bin(feature, value) for value in values)


def _bin(feature: Mapping[str, Any], value: Any) -> Any:
    if value is None:
        return MISSING
    if feature["type"] != NUMERIC:
        return str(value) if str(value) in feature["counts"] else OTHER
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return MISSING
    return bisect_left(feature["edges"], value)


def with_features(rows: Iterable[Prediction], baseline: Record, drift: float, seed: int) -> Iterator[Prediction]:
    """The same rows with values as the training had them; this share of them from the other end of each feature."""
    dice = random.Random(seed)  # noqa: S311 - data, no secret
    for row in rows:
        turned = dice.random() < drift
        values = {name: _drawn(feature, dice, turned=turned) for name, feature in baseline["features"].items()}
        yield row._replace(features=values)


def _drawn(feature: Mapping[str, Any], dice: random.Random, *, turned: bool) -> Any:
    counts = expected(feature)
    weights = list(counts.values())
    if turned:
        weights = [max(weights) + min(weights) - weight for weight in weights]
    found = dice.choices(list(counts), weights)[0]
    if feature["type"] != NUMERIC:
        return found
    edges = feature["edges"]
    width = (edges[-1] - edges[0]) / max(len(edges) - 1, 1) or 1.0
    top = edges[found] if found < len(edges) else edges[-1] + width
    bottom = edges[found - 1] if found else edges[0] - width
    return round(top - dice.random() * (top - bottom) * 0.999, 4)
