"""Metrics of a binary target, from pairs of a probability of the positive class and whether it came so."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

from airflow_provider.emulator.metrics import Values

Pair = tuple[float, bool]
EPSILON = sys.float_info.epsilon  # a probability of 0 or 1 is moved by it: a certain error would cost infinitely much


def values(rows: Iterable[Pair], threshold: float = 0.5) -> Values:
    """All metrics.

    :param threshold: from this probability on the positive class is said to be predicted
    """
    pairs = sorted(rows, reverse=True)
    if not pairs:
        return {}
    steps = list(_steps(pairs))
    loss = log_loss(pairs)
    share = sum(positive for _, positive in pairs) / len(pairs)
    both = 0 < share < 1
    nothing_known = -share * math.log(share) - (1 - share) * math.log(1 - share) if both else 0.0
    auc = _auc(steps) if both else None
    return {
        "LogLoss": loss,
        "AUC": auc,
        "Kolmogorov-Smirnov": max(abs(true - false) for true, false in steps) if both else None,
        "Gini Norm": None if auc is None else 2 * auc - 1,
        "Rate@Top10%": rate_at_top(pairs, 10),
        "Rate@Top5%": rate_at_top(pairs, 5),
        "FVE Binomial": 1 - loss / nothing_known if both else None,
        **_of_confusion(pairs, threshold),
    }


def log_loss(pairs: Iterable[Pair]) -> float:
    """Mean of the negative logarithm of the probability given to what came."""
    losses = [-math.log(min(max(share if positive else 1 - share, EPSILON), 1 - EPSILON)) for share, positive in pairs]
    return math.fsum(losses) / len(losses)


def _steps(pairs: list[Pair]) -> Iterator[tuple[float, float]]:
    """Points of the ROC curve, from the highest probability down: shares of positives and of negatives passed."""
    positives = sum(positive for _, positive in pairs)
    negatives = len(pairs) - positives
    true = false = 0
    yield 0.0, 0.0
    for _, same in groupby(pairs, key=lambda pair: pair[0]):
        for _, positive in same:
            true += positive
            false += not positive
        yield true / (positives or 1), false / (negatives or 1)


def _auc(steps: list[tuple[float, float]]) -> float:
    """Area under the ROC curve, by trapezoids."""
    return math.fsum((after[1] - before[1]) * (after[0] + before[0]) / 2 for before, after in pairwise(steps))


def rate_at_top(pairs: list[Pair], percent: int) -> float:
    """Share of positives in the top so many percent of the probabilities, at least one row.

    Of rows with the same probability at the border as many count as fit, each with their mean.
    """
    wanted = max(1, -(-len(pairs) * percent // 100))
    left, found = wanted, 0.0
    for _, same in groupby(pairs, key=lambda pair: pair[0]):
        outcomes = [positive for _, positive in same]
        taken = min(left, len(outcomes))
        found += sum(outcomes) * taken / len(outcomes)
        left -= taken
        if not left:
            break
    return found / wanted


def _of_confusion(pairs: list[Pair], threshold: float) -> Values:
    true_positive = sum(positive for share, positive in pairs if share >= threshold)
    false_positive = sum(share >= threshold for share, _ in pairs) - true_positive
    false_negative = sum(positive for _, positive in pairs) - true_positive
    true_negative = len(pairs) - true_positive - false_positive - false_negative
    recall = _share(true_positive, true_positive + false_negative)
    rejected = _share(true_negative, true_negative + false_positive)
    margins = (
        (true_positive + false_positive)
        * (true_positive + false_negative)
        * (true_negative + false_positive)
        * (true_negative + false_negative)
    )
    return {
        "Accuracy": (true_positive + true_negative) / len(pairs),
        "Balanced Accuracy": None if recall is None or rejected is None else (recall + rejected) / 2,
        "F1": _share(2 * true_positive, 2 * true_positive + false_positive + false_negative),
        "TPR": recall,
        "FPR": None if rejected is None else 1 - rejected,
        "TNR": rejected,
        "PPV": _share(true_positive, true_positive + false_positive),
        "NPV": _share(true_negative, true_negative + false_negative),
        "MCC": (true_positive * true_negative - false_positive * false_negative) / math.sqrt(margins)
        if margins
        else None,
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
