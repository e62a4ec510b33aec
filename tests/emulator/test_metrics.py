"""The metrics' formulas, held against scikit-learn, and where it has none against the definition written out."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import pytest
from sklearn import metrics as sk  # type: ignore[import-untyped]

from airflow_provider.emulator.metrics import BY_TARGET, binary, multiclass, percent_change, regression

DICE = random.Random(3)  # noqa: S311 - data, no secret
SHARES = [round(DICE.betavariate(2, 3), 2) for _ in range(2_000)]  # rounded, so that there are ties
POSITIVE = [DICE.random() < share for share in SHARES]
ROUNDED = [share >= 0.5 for share in SHARES]
ACTUALS = [round(DICE.lognormvariate(3, 0.6), 1) + 0.1 for _ in range(2_000)]
PREDICTED = [round(actual * DICE.lognormvariate(0, 0.3), 1) + 0.1 for actual in ACTUALS]
NAMES = ["red", "green", "blue"]
CAME = [DICE.choice(NAMES) for _ in range(1_000)]
CLASSES: list[dict[str, float]] = []
for came in CAME:
    weights = {name: DICE.random() + (name == came) for name in NAMES}
    CLASSES.append({name: weight / sum(weights.values()) for name, weight in weights.items()})
TABLE = [[classes[name] for name in sorted(NAMES)] for classes in CLASSES]
MEAN = sum(ACTUALS) / len(ACTUALS)


def nothing_known() -> list[float]:
    return [sum(POSITIVE) / len(POSITIVE)] * len(POSITIVE)


def rate_at_top(share: float) -> float:
    """The mean outcome of the rows above the border, and the mean of those on it for the rest."""
    wanted = math.ceil(len(SHARES) * share)
    border = sorted(SHARES, reverse=True)[wanted - 1]
    above = [came for share, came in zip(SHARES, POSITIVE, strict=True) if share > border]
    on_it = [came for share, came in zip(SHARES, POSITIVE, strict=True) if share == border]
    return (sum(above) + (wanted - len(above)) * sum(on_it) / len(on_it)) / wanted


def kolmogorov_smirnov() -> float:
    fpr, tpr, _ = sk.roc_curve(POSITIVE, SHARES)
    return float(max(abs(tpr - fpr)))


def gini(by: list[float]) -> float:
    """Area between the Lorenz curve, highest first, and the diagonal; here without ties."""
    order = sorted(range(len(by)), key=lambda row: by[row], reverse=True)
    curve = [0.0]
    for row in order:
        curve.append(curve[-1] + ACTUALS[row] / sum(ACTUALS))
    return sum((before + after) / 2 for before, after in pairwise(curve)) / len(by) - 0.5


EXPECTED: dict[str, dict[str, Any]] = {
    "Binary": {
        "LogLoss": lambda: sk.log_loss(POSITIVE, SHARES),
        "AUC": lambda: sk.roc_auc_score(POSITIVE, SHARES),
        "Kolmogorov-Smirnov": kolmogorov_smirnov,
        "Gini Norm": lambda: 2 * sk.roc_auc_score(POSITIVE, SHARES) - 1,
        "Rate@Top10%": lambda: rate_at_top(0.1),
        "Rate@Top5%": lambda: rate_at_top(0.05),
        "FVE Binomial": lambda: 1 - sk.log_loss(POSITIVE, SHARES) / sk.log_loss(POSITIVE, nothing_known()),
        "Accuracy": lambda: sk.accuracy_score(POSITIVE, ROUNDED),
        "Balanced Accuracy": lambda: sk.balanced_accuracy_score(POSITIVE, ROUNDED),
        "F1": lambda: sk.f1_score(POSITIVE, ROUNDED),
        "TPR": lambda: sk.recall_score(POSITIVE, ROUNDED),
        "FPR": lambda: 1 - sk.recall_score(POSITIVE, ROUNDED, pos_label=0),
        "TNR": lambda: sk.recall_score(POSITIVE, ROUNDED, pos_label=0),
        "PPV": lambda: sk.precision_score(POSITIVE, ROUNDED),
        "NPV": lambda: sk.precision_score(POSITIVE, ROUNDED, pos_label=0),
        "MCC": lambda: sk.matthews_corrcoef(POSITIVE, ROUNDED),
    },
    "Regression": {
        "RMSE": lambda: sk.root_mean_squared_error(ACTUALS, PREDICTED),
        "MAE": lambda: sk.mean_absolute_error(ACTUALS, PREDICTED),
        "R Squared": lambda: sk.r2_score(ACTUALS, PREDICTED),
        "MAPE": lambda: sk.mean_absolute_percentage_error(ACTUALS, PREDICTED) * 100,
        "RMSLE": lambda: sk.root_mean_squared_log_error(ACTUALS, PREDICTED),
        "Gini Norm": lambda: gini(PREDICTED) / gini(ACTUALS),
        "Poisson Deviance": lambda: sk.mean_poisson_deviance(ACTUALS, PREDICTED),
        "FVE Poisson": lambda: sk.d2_tweedie_score(ACTUALS, PREDICTED, power=1),
        "Gamma Deviance": lambda: sk.mean_gamma_deviance(ACTUALS, PREDICTED),
        "FVE Gamma": lambda: sk.d2_tweedie_score(ACTUALS, PREDICTED, power=2),
        "Tweedie Deviance": lambda: sk.mean_tweedie_deviance(ACTUALS, PREDICTED, power=1.5),
        "FVE Tweedie": lambda: sk.d2_tweedie_score(ACTUALS, PREDICTED, power=1.5),
    },
    "Multiclass": {
        "LogLoss": lambda: sk.log_loss(CAME, TABLE, labels=sorted(NAMES)),
        "AUC": lambda: sk.roc_auc_score(CAME, TABLE, multi_class="ovr", average="weighted", labels=sorted(NAMES)),
        "FVE Multinomial": lambda: sk.d2_log_loss_score(CAME, TABLE, labels=sorted(NAMES)),
        "Accuracy": lambda: sk.accuracy_score(CAME, [multiclass.predicted(one) for one in CLASSES]),
        "Balanced Accuracy": lambda: sk.balanced_accuracy_score(CAME, [multiclass.predicted(one) for one in CLASSES]),
    },
}
FOUND = {
    "Binary": binary.values(zip(SHARES, POSITIVE, strict=True)),
    "Regression": regression.values(zip(PREDICTED, ACTUALS, strict=True)),
    "Multiclass": multiclass.values(zip(CLASSES, CAME, strict=True)),
}


@pytest.mark.parametrize(("target", "name"), [(target, name) for target in BY_TARGET for name in BY_TARGET[target]])
def test_a_metric_is_what_scikit_learn_says(target: str, name: str) -> None:
    tolerance = 1e-3 if (target, name) == ("Regression", "Gini Norm") else 1e-9  # the definition here knows no ties
    assert FOUND[target][name] == pytest.approx(EXPECTED[target][name](), rel=tolerance)


@pytest.mark.parametrize("target", BY_TARGET)
def test_every_metric_of_a_target_type_is_there(target: str) -> None:
    assert set(FOUND[target]) == set(BY_TARGET[target]) == set(EXPECTED[target])


def test_no_rows_have_no_metrics() -> None:
    assert (binary.values([]), regression.values([]), multiclass.values([])) == ({}, {}, {})


def test_a_single_class_cannot_be_ranked() -> None:
    found = binary.values([(0.2, True), (0.9, True)])
    without = {name for name, value in found.items() if value is None}
    assert without >= {"AUC", "Gini Norm", "Kolmogorov-Smirnov", "FVE Binomial", "FPR", "TNR", "MCC"}
    assert found["Rate@Top10%"] == found["TPR"] == 1 or found["TPR"] == 0.5
    assert multiclass.values([({"a": 0.4, "b": 0.6}, "a")])["AUC"] is None


def test_a_certain_error_costs_much_and_not_infinitely_much() -> None:
    loss = binary.values([(0.0, True), (1.0, False)])["LogLoss"]
    assert loss is not None
    assert 30 < loss < 40


def test_what_has_no_meaning_for_some_numbers_is_none() -> None:
    found = regression.values([(1.0, 0.0), (-2.0, 1.0)])
    assert (found["MAPE"], found["RMSLE"], found["Gamma Deviance"], found["FVE Poisson"]) == (None, None, None, None)
    assert regression.values([(1.0, 2.0), (3.0, 2.0)])["R Squared"] is None


@pytest.mark.parametrize(
    ("name", "value", "baseline", "percent"),
    [
        ("LogLoss", 0.880778024500618, 0.454221484838069, -93.91),
        ("AUC", 0.5294117647058824, 0.8690358459556535, -39.08),
        ("Kolmogorov-Smirnov", 0.4117647058823529, 0.5753202944706626, -28.43),
        ("Rate@Top10%", 1.0, 0.9603223806571606, 4.13),
        ("Gini Norm", 0.05882352941176472, 0.7380716919113071, -92.03),
        ("AUC", None, 0.8, None),
        ("AUC", 0.8, None, None),
        ("AUC", 0.8, 0.0, None),
    ],
)
def test_the_change_in_percent(name: str, value: float | None, baseline: float | None, percent: float | None) -> None:
    """Seed 002:614, the page's own numbers: worse is negative."""
    assert percent_change(name, value, baseline) == percent
