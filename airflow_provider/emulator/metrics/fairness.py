"""Fairness of a binary target between the classes of a protected feature: the eight documented measures.

Each gives one number a class. The class with the highest is the privileged one; the relative score of a class is its
number over that. None where a class has no rows that count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import fmean
from typing import NamedTuple

FULL = 1_000  # from so many rows on a class counts whatever its share; below FEW never
FEW = 100
SHARE = 0.1  # between the two: this share of the largest class


class Case(NamedTuple):
    """One row: whether the favourable outcome was predicted, its probability, and whether it came; None: not known."""

    predicted: bool
    probability: float
    came: bool | None


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return fmean(found) if found else None


def _rate(cases: Iterable[Case], of: Callable[[Case], bool], wanted: Callable[[Case], bool]) -> float | None:
    return _mean(float(wanted(one)) for one in cases if one.came is not None and of(one))


MEASURES: Mapping[str, Callable[[list[Case]], float | None]] = {
    "proportionalParity": lambda cases: _mean(float(one.predicted) for one in cases),
    "equalParity": lambda cases: float(sum(one.predicted for one in cases)) if cases else None,
    "favorableClassBalance": lambda cases: _mean(one.probability for one in cases if one.came is True),
    "unfavorableClassBalance": lambda cases: _mean(1 - one.probability for one in cases if one.came is False),
    "trueFavorableRateParity": lambda cases: _rate(cases, lambda one: one.came is True, lambda one: one.predicted),
    "trueUnfavorableRateParity": lambda cases: _rate(
        cases, lambda one: one.came is False, lambda one: not one.predicted
    ),
    "favorablePredictiveValueParity": lambda cases: _rate(
        cases, lambda one: one.predicted, lambda one: one.came is True
    ),
    "unfavorablePredictiveValueParity": lambda cases: _rate(
        cases, lambda one: not one.predicted, lambda one: one.came is False
    ),
}


def relative(values: Mapping[str, float | None]) -> tuple[str | None, dict[str, float | None]]:
    """The privileged class, and the score of each class relative to it."""
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return None, dict.fromkeys(values)
    privileged = max(known, key=lambda name: known[name])
    top = known[privileged]
    return privileged, {
        name: None if value is None else (value / top if top else 1.0) for name, value in values.items()
    }


def significant(size: int, largest: int) -> bool:
    """Whether a class has enough rows to be told from chance."""
    return size >= FULL or (size >= FEW and size >= SHARE * largest)
