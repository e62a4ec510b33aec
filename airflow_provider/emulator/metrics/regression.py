"""Metrics of a regression, from pairs of what was predicted and what came."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from airflow_provider.emulator.metrics import Values

Pair = tuple[float, float]
TWEEDIE_POWER = 1.5  # between Poisson (1) and gamma (2)


def values(rows: Iterable[Pair]) -> Values:
    """All metrics; MAPE in percent."""
    pairs = list(rows)
    if not pairs:
        return {}
    errors = [predicted - actual for predicted, actual in pairs]
    mean = math.fsum(actual for _, actual in pairs) / len(pairs)
    spread = math.fsum((actual - mean) ** 2 for _, actual in pairs)
    squares = math.fsum(error * error for error in errors)
    return {
        "RMSE": math.sqrt(squares / len(pairs)),
        "MAE": math.fsum(map(abs, errors)) / len(pairs),
        "R Squared": 1 - squares / spread if spread else None,
        "MAPE": _mape(pairs),
        "RMSLE": _rmsle(pairs),
        "Gini Norm": _gini_norm(pairs),
        **_deviances(pairs, mean),
    }


def _mape(pairs: list[Pair]) -> float | None:
    if any(actual == 0 for _, actual in pairs):
        return None
    return math.fsum(abs((predicted - actual) / actual) for predicted, actual in pairs) / len(pairs) * 100


def _rmsle(pairs: list[Pair]) -> float | None:
    if any(one <= -1 for pair in pairs for one in pair):
        return None
    squares = ((math.log1p(predicted) - math.log1p(actual)) ** 2 for predicted, actual in pairs)
    return math.sqrt(math.fsum(squares) / len(pairs))


def _gini_norm(pairs: list[Pair]) -> float | None:
    """How well the predictions rank the actuals: their Gini coefficient over that of a perfect ranking."""
    perfect = _gini([(actual, actual) for _, actual in pairs])
    return _gini(pairs) / perfect if perfect else None


def _gini(pairs: list[Pair]) -> float:
    """Area between the curve of gained actuals, highest prediction first, and the diagonal.

    Rows with the same prediction gain together, each their mean, so that their order does not matter.
    """
    total = math.fsum(actual for _, actual in pairs)
    if not total:
        return 0.0
    by_prediction: dict[float, tuple[int, float]] = {}
    for predicted, actual in pairs:
        count, gained = by_prediction.get(predicted, (0, 0.0))
        by_prediction[predicted] = (count + 1, gained + actual)
    area, before, size = 0.0, 0.0, len(pairs)
    for predicted in sorted(by_prediction, reverse=True):
        count, gained = by_prediction[predicted]
        area += count / size * (before + gained / total / 2)
        before += gained / total
    return area - 0.5


def _deviances(pairs: list[Pair], mean: float) -> Values:
    found: dict[str, float | None] = {}
    for name, deviance in DEVIANCES.items():
        value, nothing_known = _mean(deviance, pairs), _mean(deviance, [(mean, actual) for _, actual in pairs])
        found[f"{name} Deviance"] = value
        found[f"FVE {name}"] = None if value is None or not nothing_known else 1 - value / nothing_known
    return found


def _mean(deviance: Callable[[float, float], float], pairs: list[Pair]) -> float | None:
    try:
        return math.fsum(deviance(predicted, actual) for predicted, actual in pairs) / len(pairs)
    except ValueError:
        return None


def _poisson(predicted: float, actual: float) -> float:
    _check(actual >= 0 and predicted > 0)
    return 2 * ((actual * math.log(actual / predicted) if actual else 0.0) - actual + predicted)


def _gamma(predicted: float, actual: float) -> float:
    _check(actual > 0 and predicted > 0)
    return 2 * (math.log(predicted / actual) + actual / predicted - 1)


def _tweedie(predicted: float, actual: float) -> float:
    _check(actual >= 0 and predicted > 0)
    one, two = 1 - TWEEDIE_POWER, 2 - TWEEDIE_POWER
    fits = math.pow(actual, two) / (one * two) - actual * math.pow(predicted, one) / one
    return 2 * (fits + math.pow(predicted, two) / two)


def _check(fits: bool) -> None:
    """A deviance is defined for some values only."""
    if not fits:
        raise ValueError


DEVIANCES: dict[str, Callable[[float, float], float]] = {"Poisson": _poisson, "Gamma": _gamma, "Tweedie": _tweedie}
