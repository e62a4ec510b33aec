"""Which schedules are replayed, and what the harness says about each."""

from __future__ import annotations

import itertools
import os
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.case import Case
    from tests.faults.kinds import Kind
    from tests.faults.playing import Request, Schedule, Theatre

LOOKS = 2  # requests of a usual wait here: a look on the worker, and one when the job is over


@dataclass(frozen=True)
class Plan:
    """One schedule, by names, with the verdict of the harness.

    :param nth: which request meets the fault: as in the harness, less the looks of longer waits there.
    :param kth: which request of this operation that is.
    """

    number: int
    case: str
    deferrable: bool
    answer: str
    fault: str
    operation: str
    nth: int
    kth: int
    word: str
    why: str = field(compare=False)

    @property
    def of(self) -> Case:
        """The case itself."""
        from tests.faults.registry import all_cases

        return all_cases()[self.case]

    @property
    def kind(self) -> Kind:
        """The fault itself."""
        from tests.faults.kinds import KINDS

        return KINDS[self.fault]

    def __str__(self) -> str:
        how = "deferred" if self.deferrable else "in place"
        return f"{self.number}: {self.case} ({how}), {self.fault} at {self.operation} #{self.nth}, {self.answer}"


def planned(seed: int, count: int) -> Iterator[Plan]:
    """So many schedules with a store, which Airflow 3.3 always has, as ``drawing.drawn`` draws them.

    They are played in a process of its own, whose clocks the harness may stop; each comes when its verdict is known.
    """
    spawn = get_context("spawn")
    receiving, sending = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_play, args=(seed, count, sending), daemon=True)
    process.start()
    sending.close()
    return _received(receiving)


def _received(plans: Connection) -> Iterator[Plan]:
    while (plan := plans.recv()) is not None:
        if isinstance(plan, str):
            raise RuntimeError(f"the harness broke off: {plan}")
        yield plan


def place(requests: Sequence[Request], nth: int) -> tuple[int, int]:
    """The number of a request, and its number among those of its operation, when no wait takes more than ``LOOKS``."""
    counted: Counter[str] = Counter()
    for operation, group in itertools.groupby(one.operation for one in requests[:nth]):
        counted[operation] += min(sum(1 for _ in group), LOOKS)
    return counted.total(), counted[requests[nth - 1].operation] if nth else 0


def _play(seed: int, count: int, plans: Connection) -> None:
    _quiet()
    try:
        for plan in _played(seed, count):
            plans.send(plan)
    except Exception:
        plans.send(traceback.format_exc())
    plans.send(None)


def _played(seed: int, count: int) -> Iterator[Plan]:
    from tests import airflow_home

    airflow_home.prepare()
    import pytest

    from airflow_provider.emulator.door import EmulatorDoor
    from airflow_provider.emulator.server import running
    from airflow_provider.emulator.service import Service
    from tests.faults.drawing import drawn
    from tests.faults.theatre import theatre

    warnings.simplefilter("ignore")
    with (
        running(Service()) as origin,
        pytest.MonkeyPatch.context() as patches,
        tempfile.TemporaryDirectory() as folder,
        theatre(EmulatorDoor(origin), Path(folder), patches) as played,
    ):
        with_store = (one for one in drawn(played, seed, 100 * count) if one.store)
        for number, one in enumerate(itertools.islice(with_store, count), 1):
            yield _plan(played, number, one)


def _plan(played: Theatre, number: int, one: Schedule) -> Plan:
    verdict = played.play(one)
    nth, kth = place(played.requests(one.case, one.store, one.deferrable), one.nth)
    named = one.case.name, one.deferrable, one.answer, one.fault, one.operation
    return Plan(number, *named, nth, kth, verdict.word, verdict.why)


def _quiet() -> None:
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(sink, stream)
