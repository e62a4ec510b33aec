"""Whether a number that was measured is good enough: one pure function for every gate.

    Reading (what the service says) + Rule (what is wanted) ──► judge ──► Verdict: pass │ fail │ no_data

Rules of this file:

1. Nothing passes without data. A value that is absent or no finite number, a sample that is smaller than asked for or
   not known though one was asked for, rows that are older than allowed (stale), a baseline that is needed and absent:
   each is ``no_data`` and says what it lacks.
2. What becomes of ``no_data`` and of ``fail`` is chosen by the author of the DAG, elsewhere (``tasks/gating.py``).
3. A verdict carries every number that it was made of, so that a log line or an XCom explains it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from airflow_provider.api.errors import InvalidCall

Outcome = Literal["pass", "fail", "no_data"]

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda measured, threshold: measured < threshold,
    "<=": lambda measured, threshold: measured <= threshold,
    ">": lambda measured, threshold: measured > threshold,
    ">=": lambda measured, threshold: measured >= threshold,
}
# What of a reading is compared with the threshold. All but the first need a baseline.
VIEWS: Mapping[str, str] = {
    "value": "the value itself",
    "difference": "value - baseline",
    "ratio": "value / baseline",
    "improvement": "percent by which the value is better than the baseline (negative: worse)",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured.

    :param value: None where the service has none.
    :param sample: how many rows the value is made of; None where the service does not say.
    :param baseline: what the service compares it with (accuracy: on the training data).
    :param improvement: in percent, positive is better; None where nobody knows which direction is better.
    :param details: further numbers for the verdict.
    :param age: hours from the newest rows to the end of the window; None where nobody asked, or there are none.
    """

    value: float | None
    sample: int | None = None
    baseline: float | None = None
    improvement: float | None = None
    details: dict[str, Any] = field(default_factory=dict)
    age: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wanted: the chosen view of a reading ``comparison`` ``threshold``, of at least ``minimum_sample`` rows.

    With ``max_age`` the newest of these rows must be at most so many hours older than the end of the window. Raises
    :class:`InvalidCall` for a comparison, view or number that makes no sense.
    """

    comparison: str
    threshold: float
    view: str = "value"
    minimum_sample: int = 1
    max_age: float | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (("comparison", self.comparison, COMPARISONS), ("view", self.view, VIEWS)):
            if value not in allowed:
                raise InvalidCall(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        if _number(self.threshold) is None:
            raise InvalidCall(f"threshold must be a finite number, not {self.threshold!r}")
        if isinstance(self.minimum_sample, bool) or self.minimum_sample < 1:
            raise InvalidCall(f"minimum_sample must be a whole number from 1 on, not {self.minimum_sample!r}")
        if self.max_age is not None and (_number(self.max_age) is None or self.max_age < 0):
            raise InvalidCall(f"max_age must be a number of hours from 0 on, not {self.max_age!r}")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rule:
        """The rule of :func:`dataclasses.asdict`; keys that a newer release added are passed over."""
        return cls(**{one.name: data[one.name] for one in fields(cls) if one.name in data})


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a reading was judged, and every number that counted; ``measured`` is what was held against the threshold."""

    outcome: Outcome
    reason: str
    value: float | None
    measured: float | None
    comparison: str
    threshold: float
    view: str
    sample: int | None
    minimum_sample: int
    baseline: float | None
    details: dict[str, Any] = field(default_factory=dict)
    age: float | None = None
    max_age: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def judge(reading: Reading, rule: Rule) -> Verdict:
    """The verdict on a reading; without data it is never ``pass``."""
    missing = _missing(reading, rule)
    measured = None if missing else _measured(reading, rule.view)
    if measured is None:
        outcome: Outcome = "no_data"
        reason = missing or f"{rule.view} ({VIEWS[rule.view]}) cannot be told for this value and baseline"
    else:
        good = COMPARISONS[rule.comparison](measured, rule.threshold)
        outcome = "pass" if good else "fail"
        reason = f"{rule.view} {measured:.6g} is {'' if good else 'not '}{rule.comparison} {rule.threshold:.6g}"
    return Verdict(
        outcome=outcome,
        reason=reason,
        value=_number(reading.value),
        measured=measured,
        comparison=rule.comparison,
        threshold=rule.threshold,
        view=rule.view,
        sample=reading.sample,
        minimum_sample=rule.minimum_sample,
        baseline=_number(reading.baseline),
        details=dict(reading.details),
        age=_number(reading.age),
        max_age=rule.max_age,
    )


def _missing(reading: Reading, rule: Rule) -> str | None:
    """What is not there, or None."""
    if reading.sample is not None and reading.sample < rule.minimum_sample:
        return f"the sample has {reading.sample} rows, fewer than {rule.minimum_sample}"
    if reading.sample is None and rule.minimum_sample > 1:
        return f"the size of the sample is not known, and {rule.minimum_sample} rows are asked for"
    if rule.max_age is not None and (reading.age is None or reading.age > rule.max_age):
        age = "of unknown age" if reading.age is None else f"{reading.age:.6g} hours old"
        return f"stale: the newest rows are {age} at the end of the window, and {rule.max_age:.6g} hours are allowed"
    if _number(reading.value) is None:
        return "there is no value"
    if rule.view != "value" and _number(reading.baseline) is None:
        return f"there is no baseline, and {rule.view} needs one"
    return None


def _measured(reading: Reading, view: str) -> float | None:
    """The view of a reading whose numbers are there; None where it has none (a ratio to zero)."""
    value, baseline = float(reading.value or 0.0), float(reading.baseline or 0.0)
    match view:
        case "value":
            return value
        case "difference":
            return _number(value - baseline)
        case "ratio":
            return _number(value / baseline) if baseline else None
        case _:
            return _number(reading.improvement)


def _number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
