"""How far a distribution has moved from that of the training data: the five documented measures.

Both are counts by bin. Every measure is 0 for equal shares and does not depend on the order of the bins; ``None`` where
one side has no rows. Natural logarithms; held against numpy and scipy in tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping

Counts = Mapping[Hashable, int]
Pairs = list[tuple[float, float]]  # share in the training data, share now; one pair a bin

LEAST = 0.0001  # what an empty bin counts as where a logarithm would be infinite


def score(measure: str, training: Counts, now: Counts, *, floor: bool = True) -> float | None:
    """One measure.

    :param measure: psi, kl_divergence, dissimilarity, hellinger or js_divergence; klDivergence, jsDivergence too
    :param floor: whether an empty bin counts as a very small share; else bins that are empty on one side are left out
    """
    before, after = sum(training.values()), sum(now.values())
    if not before or not after:
        return None
    pairs = [(training.get(one, 0) / before, now.get(one, 0) / after) for one in {**training, **now}]
    return MEASURES[SPELLED.get(measure, measure)](_bridged(pairs, floor=floor), pairs)


def _bridged(pairs: Pairs, *, floor: bool) -> Pairs:
    known = [(old, new) for old, new in pairs if old or new]
    if floor:
        return [(max(old, LEAST), max(new, LEAST)) for old, new in known]
    return [(old, new) for old, new in known if old and new]


def _psi(bridged: Pairs, _: Pairs) -> float:
    return math.fsum((new - old) * math.log(new / old) for old, new in bridged)


def _kl(bridged: Pairs, _: Pairs) -> float:
    return math.fsum(new * math.log(new / old) for old, new in bridged)


def _dissimilarity(_: Pairs, pairs: Pairs) -> float:
    """Half of what the shares differ by in all: the share of rows that would have to be in another bin."""
    return math.fsum(abs(new - old) for old, new in pairs) / 2


def _hellinger(_: Pairs, pairs: Pairs) -> float:
    return math.sqrt(math.fsum((math.sqrt(new) - math.sqrt(old)) ** 2 for old, new in pairs) / 2)


def _js(_: Pairs, pairs: Pairs) -> float:
    halves = [(old, new, (old + new) / 2) for old, new in pairs]
    return math.fsum(
        share * math.log(share / middle) / 2 for old, new, middle in halves for share in (old, new) if share
    )


MEASURES: Mapping[str, Callable[[Pairs, Pairs], float]] = {
    "psi": _psi,
    "kl_divergence": _kl,
    "dissimilarity": _dissimilarity,
    "hellinger": _hellinger,
    "js_divergence": _js,
}
SPELLED = {"klDivergence": "kl_divergence", "jsDivergence": "js_divergence"}  # over space (seed 002:3254)
