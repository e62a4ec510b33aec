"""One fault of a schedule: at the emulator where the service is at fault, at the proxy where the network is."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from airflow_provider.contract import contract
from airflow_provider.contract.model import API_ROOT
from airflow_provider.emulator.door import DoorError
from tests.faults.replays import pace

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.faults.replays.gate import Gate
    from tests.faults.replays.plans import Plan


class Spoiling:
    """Plans the fault at its start; ``met`` says at its end whether the request met it that was to meet it.

    :param failed: the operations of those tries of the task that came to no connection.
    """

    def __init__(self, plan: Plan, service: EmulatorDoor, gate: Gate, failed: Callable[[], list[str]]) -> None:
        self.met = False
        self._plan, self._kind = plan, plan.kind
        self._service, self._gate, self._failed = service, gate, failed
        self._id, self._earlier = "", 0
        self._over = threading.Event()

    def __enter__(self) -> Spoiling:
        kind, service = self._kind, self._service
        self._earlier = len(service.log(user=self._plan.of.username))
        counted = self._counted()
        if kind.emulator:
            wanted = pace.fault(kind.emulator)
            self._id = service.fault(**({**wanted, **counted} if kind.on != "story" else wanted))
        elif kind.clock and kind.on == "story":
            self._jump()
        elif kind.clock:
            self._id = service.fault("hold", **counted)
            threading.Thread(target=self._jump_when_held, daemon=True).start()
        elif kind.network == "full" or kind.network == "refuse":
            self._gate.refuse(self._plan.nth, kind.times, kind.network == "full", lambda: len(self._failed()))
        elif kind.network:
            self._gate.spoil(kind.network, self._fits, self._plan.kth)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._kind.on == "story":
            self.met = True
        elif self._kind.times > 1 and self._id:
            met = self._service.log(user=self._plan.of.username)[self._earlier :][self._plan.nth - 1 : self._plan.nth]
            self.met = [one["operationId"] for one in met] == [self._plan.operation]
        elif self._id:
            self.met = any(one["fired"] for one in self._service.faults() if one["id"] == self._id)
        elif self._kind.network in ("refuse", "full"):
            self.met = self._failed()[:1] == [self._plan.operation]
        else:
            self.met = sum(self._fits(*one) for one in self._gate.calls) >= self._plan.kth

    def _fits(self, method: str, path: str) -> bool:
        """Whether a request asks for the operation that is to meet the fault."""
        wanted = contract().operation(self._plan.operation)
        shape = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(API_ROOT + wanted.path))
        return method == wanted.method and re.fullmatch(shape, path) is not None

    def _counted(self) -> dict[str, Any]:
        """The request by its operation; several in a row are of several operations, and meet it by their numbers."""
        plan, times = self._plan, self._kind.times
        if times > 1:
            return {"user": plan.of.username, "nth": plan.nth, "times": times}
        return {"user": plan.of.username, "operationId": plan.operation, "nth": plan.kth, "times": 1}

    def _jump(self) -> None:
        self._service.clock(offset=self._service.clock()["offset"] + self._kind.clock)

    def _jump_when_held(self) -> None:
        """The request waits at the door while the clock jumps, and then goes on."""
        while not self._over.is_set():
            with suppress(DoorError):  # nothing was held for half a minute
                self._service.await_held(self._id)
                self._jump()
                self._service.release(self._id)
                return
