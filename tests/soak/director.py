"""Keeps so many waits alive: begins work, defers tasks for it, ends the work in time, and takes what comes of it."""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import httpx

from demo.processes import Unwell
from tests.soak.rows import Rows
from tests.soak.work import Tenant, Work

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

AT_ONCE = 1.5  # seconds of beginning work in a row
AGAIN = 5.0  # seconds after which an end that failed is tried again
FEWEST, MOST = 0.2, 1.8  # of the mean, as long as work lasts


class Director:
    """The state of the run.

    :param wanted: waits that are alive at a time.
    :param mean: seconds that work lasts, on average.
    """

    def __init__(self, rows: Rows, tenants: list[Tenant], wanted: int, mean: float, rng: random.Random) -> None:
        self.rows = rows
        self.tenants = {one.name: one for one in tenants}
        self.wanted = wanted
        self.mean = mean
        self.rng = rng
        self.works: dict[int, Work] = {}
        self.alive: set[int] = set()
        self.strange: list[int] = []  # events of waits that were over
        self.troubles: Counter[str] = Counter()  # of the director itself with the service
        self._ends: list[tuple[float, int]] = []

    def tick(self, filling: bool = False) -> None:
        """Takes events, ends what is due, and begins what is missing."""
        self.collect()
        self.end_due(time.time())
        self._top_up(filling)

    def collect(self) -> None:
        """Takes the events that arrived."""
        for index, event in self.rows.events().items():
            work = self.works[index]
            if index not in self.alive:
                self.strange.append(index)
                continue
            self.alive.remove(index)
            work.arrived, work.event = event["at"], event
            self.tenants[work.tenant].given_back(work)

    def end_due(self, now: float) -> None:
        """Ends work whose time it is."""
        later = []
        while self._ends and self._ends[0][0] <= now:
            _, index = heapq.heappop(self._ends)
            work = self.works[index]
            tenant = self.tenants[work.tenant]
            try:
                if tenant.away:
                    raise Unwell("away")
                tenant.end(work)
            except (Unwell, httpx.HTTPError) as error:
                self.troubles[str(error)[:60]] += 1
                later.append((now + AGAIN, index))
        for one in later:
            heapq.heappush(self._ends, one)

    def end_all(self, run_seconds: float) -> None:
        """From now on nothing goes on: everything that is alive ends."""
        for tenant in self.tenants.values():
            tenant.control("POST", "clock", {"advance": run_seconds})
        self._ends = [(0.0, index) for _, index in self._ends]
        heapq.heapify(self._ends)

    def _top_up(self, filling: bool) -> None:
        begun: list[int] = []
        until = time.monotonic() + AT_ONCE
        here = [one for one in self.tenants.values() if not one.away]
        while here and len(self.alive) + len(begun) < self.wanted and time.monotonic() < until:
            lasting = self.mean * self.rng.uniform(0.1 if filling else FEWEST, MOST)
            try:
                work = self.rng.choice(here).begin(lasting)
            except (Unwell, httpx.HTTPError) as error:
                self.troubles[str(error)[:60]] += 1
                break
            index = len(self.works)
            self.works[index] = work
            begun.append(index)
            if work.ends:
                heapq.heappush(self._ends, (work.ends, index))
        if begun:
            self.rows.defer([(index, self._trigger(index)) for index in begun])
            self.alive.update(begun)

    def _trigger(self, index: int) -> BaseTrigger:
        from airflow_provider.triggers.wait import DataRobotWaitTrigger

        work = self.works[index]
        return DataRobotWaitTrigger(work.tenant, work.wait, {"id": work.id}, work.deadline)
