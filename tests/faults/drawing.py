"""Which schedules are played: drawn by a seed, each equally often by case, way, answer, fault and request."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.faults.kinds import KINDS, Kind
from tests.faults.playing import ANSWERS, Request, Schedule
from tests.faults.registry import all_cases
from tests.harness import dice

if TYPE_CHECKING:
    from tests.faults.playing import Theatre

WAYS = list(itertools.product((True, False), (True, False)))  # with a store, deferrable
STORY = Request("the whole story", False, False)


def drawn(theatre: Theatre, seed: int, count: int) -> Iterator[Schedule]:
    """So many schedules; a fault that no request of the case can meet is drawn again."""
    chance = dice(seed)
    cases = list(all_cases().values())
    while count > 0:
        case, (store, deferrable) = chance.choice(cases), chance.choice(WAYS)
        answer, fault = chance.choice(ANSWERS), chance.choice(list(KINDS))
        places = places_of(KINDS[fault], theatre.requests(case, store, deferrable))
        if places:
            nth, request = chance.choice(places)
            yield Schedule(case, store, deferrable, answer, fault, nth, request.operation)
            count -= 1


def places_of(kind: Kind, requests: list[Request]) -> list[tuple[int, Request]]:
    """The requests of a good run that can meet a fault, with their numbers."""
    if kind.on == "story":
        return [(0, STORY)]
    numbered = list(enumerate(requests, 1))
    return [
        (nth, one)
        for nth, one in numbered
        if kind.on == "any" or (kind.on == "writes" and one.writes) or (kind.on == "jobs" and one.job)
    ]


def product(theatre: Theatre) -> int:
    """How many schedules there are in all: request x fault x answer x way, over all cases."""
    return sum(
        len(places_of(kind, theatre.requests(case, store, deferrable))) * len(ANSWERS)
        for case in all_cases().values()
        for store, deferrable in WAYS
        for kind in KINDS.values()
    )
