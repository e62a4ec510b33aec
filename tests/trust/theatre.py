"""Where stories with echoes are played: the cases of ``tests/faults``, on a stage whose requests can meet a mirror."""

from __future__ import annotations

import asyncio
import functools
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.faults.case import CONNECTIONS, Case, World, kind_of
from tests.faults.playing import Played
from tests.harness import Store, staged
from tests.receiver import receiving
from tests.trust.mirror import Mirror, mirroring

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.harness import Stage
    from tests.receiver import Receiver

GATEWAY = "k3y-of-the-gateway"  # goes with every request of every connection


@dataclass
class Way:
    """How requests go: so many from the nth on to the mirror, the others to the service."""

    mirror: Mirror
    count: int = 0
    nth: int = 0
    times: int = 0

    def begin(self, nth: int = 0, times: int = 0) -> None:
        """Counts from here."""
        self.count, self.nth, self.times = 0, nth, times

    def lead(self, request: httpx.Request) -> httpx.Request:
        """The request, with the address to which it goes."""
        self.count += 1
        if self.nth <= self.count < self.nth + self.times:
            request.url = request.url.copy_with(port=self.mirror.port)
        return request


class Worker(httpx.HTTPTransport):
    """The worker's connections."""

    def __init__(self, way: Way) -> None:
        super().__init__(verify=False, trust_env=False)
        self._way = way

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(self._way.lead(request))


class Triggerer(httpx.AsyncHTTPTransport):
    """The triggerer's connections."""

    def __init__(self, way: Way) -> None:
        super().__init__(verify=False, trust_env=False)
        self._way = way

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(self._way.lead(request))


@dataclass
class EchoTheatre:
    """Plays one story after the other.

    :param folder: where the files of a story may be.
    """

    stage: Stage
    way: Way
    receiver: Receiver
    folder: Path
    counted: dict[tuple[str, bool, bool], int] = field(default_factory=dict)

    def requests(self, case: Case, store: bool, deferrable: bool) -> int:
        """How many requests the case makes when nothing goes wrong."""
        key = (case.name, store, deferrable)
        if key not in self.counted:
            ending = self.play(case, store, deferrable).endings[-1]
            assert ending.state == "success", f"{case.name}: {ending}"
            self.counted[key] = self.way.count
        return self.counted[key]

    def play(
        self,
        case: Case,
        store: bool,
        deferrable: bool,
        nth: int = 0,
        times: int = 0,
        more: Mapping[str, Any] | None = None,
    ) -> Played:
        """A task in a world as at the start, with one retry; its requests from the nth on meet the mirror."""
        self.stage.anew()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        given = {**case.given, **case.ready(World(self.stage, self.folder, self.receiver)), **(more or {})}
        if case.people is not None:
            case.people(self.stage)
        kind, named = kind_of(case.operator), {"task_id": "task", "datarobot_conn_id": CONNECTIONS[case.user]}
        arguments = {**named, "deferrable": deferrable, "timeout": 3600.0, **given}
        self.stage.transport = Worker(self.way)
        task = Played(self.stage, lambda: kind(**arguments), Store() if store else None, 1)
        self.way.begin(nth, times)
        task.run()
        return task


@contextmanager
def echo_theatre(service: EmulatorDoor, folder: Path, patches: pytest.MonkeyPatch) -> Iterator[EchoTheatre]:
    """The theatre; everybody of the demo world has a connection with a private header."""
    from airflow_provider.api import exchange, transport

    patches.setattr(exchange, "UNLIKELY", len(service.tokens["admin"]))  # it is shorter than real ones
    for user, name in CONNECTIONS.items():
        extra = {"extra_headers": {"X-Key": GATEWAY}}
        given = {"conn_type": "datarobot", "host": service.endpoint, "password": service.tokens[user], "extra": extra}
        patches.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(given))
    with ExitStack() as stack:
        way = Way(stack.enter_context(mirroring()))
        open_async = transport.open_async

        @functools.wraps(open_async)
        def opened(*arguments: Any, **options: Any) -> Any:
            return open_async(*arguments, **{**options, "transport": Triggerer(way)})

        patches.setattr(transport, "open_async", opened)
        receiver, runner = stack.enter_context(receiving()), stack.enter_context(asyncio.Runner())
        yield EchoTheatre(stack.enter_context(staged(service, patches, runner)), way, receiver, folder / "story")
