"""Where a case prepares its world in real time: what it asks of a stage, without a stopped clock."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tests.faults.case import World, kind_of
from tests.faults.replays.pace import SPEED
from tests.harness import Person, Task
from tests.people import Deed, Desk

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.harness import Happening, Stage

PAUSE = 0.3  # seconds between two looks of a person


class Ground:
    """One emulator, and the people who work with it.

    :param service: the emulator itself, not the proxy in front of it.
    """

    def __init__(self, service: EmulatorDoor) -> None:
        self.service = service
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def sleep(self, seconds: float) -> None:
        """Lets the service's time pass."""
        self.service.advance(seconds)

    def at(self, seconds: float, deed: Happening) -> None:
        """What a stopped clock has to be told happens by itself in real time."""

    def enter(self, user: str, deed: Deed, after: float = 0.0, times: int = 1) -> None:
        """Someone who does ``deed`` to so many pending requests, so many service seconds after first seeing each."""
        desk = Desk(self.service.endpoint, self.service.tokens[user])
        someone = Person(desk, deed, after / SPEED, times)

        def work() -> None:
            while not self._over.wait(PAUSE):
                someone.glance()
            desk.close()

        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def leave(self) -> None:
        """Nobody is here any more."""
        self._over.set()
        for one in self._threads:
            one.join()


@dataclass(frozen=True, slots=True)
class RealWorld(World):
    """The world of a case on such a ground.

    :param connections: of the people of the demo world, in this process without the proxy.
    """

    connections: Mapping[str, str]

    def made(self, operator: str, user: str = "requester", **arguments: Any) -> Any:
        """What another operator gives, here in this process; it must go well."""
        given = {"datarobot_conn_id": self.connections[user], "deferrable": False, "poll_interval": 0.1, **arguments}
        kind = kind_of(operator)
        ending = Task(self.stage, lambda: kind(task_id="made", **given)).attempt()
        assert ending.state == "success", f"{operator}: {ending}"
        return ending.result


def world(ground: Ground, folder: Any, receiver: Any, connections: Mapping[str, str]) -> RealWorld:
    """The world of one story; a ground has all that cases ask of a stage."""
    return RealWorld(cast("Stage", ground), folder, receiver, connections)
