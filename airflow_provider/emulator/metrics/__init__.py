"""Accuracy metrics from rows: what was predicted and how it came out. Plain Python, held against scikit-learn in tests.

A metric is None where it has no meaning: no rows, a single class, an actual of zero under a fraction.
"""

from __future__ import annotations

from collections.abc import Mapping

Values = Mapping[str, float | None]

BINARY = (
    "LogLoss", "AUC", "Kolmogorov-Smirnov", "Gini Norm", "Rate@Top10%", "Rate@Top5%", "FVE Binomial", "Accuracy",
    "Balanced Accuracy", "F1", "TPR", "FPR", "TNR", "PPV", "NPV", "MCC",
)  # fmt: skip
REGRESSION = (
    "RMSE", "MAE", "R Squared", "MAPE", "RMSLE", "Gini Norm", "Poisson Deviance", "FVE Poisson", "Gamma Deviance",
    "FVE Gamma", "Tweedie Deviance", "FVE Tweedie",
)  # fmt: skip
MULTICLASS = ("LogLoss", "AUC", "FVE Multinomial", "Accuracy", "Balanced Accuracy")
BY_TARGET: Mapping[str, tuple[str, ...]] = {"Binary": BINARY, "Regression": REGRESSION, "Multiclass": MULTICLASS}
ERRORS = frozenset(
    {"LogLoss", "RMSE", "MAE", "MAPE", "RMSLE", "FPR", "Poisson Deviance", "Gamma Deviance", "Tweedie Deviance"}
)  # the smaller the better


def percent_change(name: str, value: float | None, baseline: float | None) -> float | None:
    """By how many percent a value is better than its baseline; worse is negative (seed 002:614: -93.91 for LogLoss)."""
    if value is None or not baseline:
        return None
    change = (value - baseline) / abs(baseline) * 100
    return round(-change if name in ERRORS else change, 2)
