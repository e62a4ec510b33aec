"""Metrics of a multiclass target, from pairs of the probability of each class and the class that came."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from airflow_provider.emulator.metrics import Values, binary

Pair = tuple[Mapping[str, float], str]


def values(rows: Iterable[Pair]) -> Values:
    """All metrics."""
    pairs = list(rows)
    if not pairs:
        return {}
    counts = Counter(actual for _, actual in pairs)
    shares = {name: count / len(pairs) for name, count in counts.items()}
    loss = _log_loss(pairs)
    nothing_known = _log_loss([(shares, actual) for _, actual in pairs])
    right = Counter(actual for classes, actual in pairs if predicted(classes) == actual)
    return {
        "LogLoss": loss,
        "AUC": _auc(pairs, shares),
        "FVE Multinomial": 1 - loss / nothing_known if len(counts) > 1 else None,
        "Accuracy": sum(right.values()) / len(pairs),
        "Balanced Accuracy": math.fsum(right[name] / count for name, count in counts.items()) / len(counts),
    }


def predicted(classes: Mapping[str, float]) -> str:
    """The most probable class, of several the first."""
    return max(classes, key=lambda name: classes[name])


def _log_loss(pairs: Iterable[Pair]) -> float:
    losses = [-math.log(max(classes.get(actual, 0.0), binary.EPSILON)) for classes, actual in pairs]
    return math.fsum(losses) / len(losses)


def _auc(pairs: list[Pair], shares: Mapping[str, float]) -> float | None:
    """Each class against the others, averaged by how often the classes came."""
    if len(shares) < 2:
        return None
    found = 0.0
    for name, share in shares.items():
        auc = binary.values([(classes.get(name, 0.0), actual == name) for classes, actual in pairs])["AUC"]
        found += share * (auc or 0.0)
    return found
