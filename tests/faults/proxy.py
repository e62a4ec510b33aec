"""A small proxy on loopback, in front of the emulator, that does what only a network can do.

    worker, triggerer ──► proxy (counts requests, and spoils the nth) ──► emulator

What an answer says is the service's, and what it says wrong is a fault of the emulator. Connections are the proxy's: it
refuses them, resets them, cuts what they carry, or says nothing. It reads a whole message before it passes it on, so a
request that is spoilt before it is forwarded never reaches the service, not even in part.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal, get_args
from urllib.parse import urlsplit

from tests.faults import sockets
from tests.faults.framing import Broken, Message

Deed = Literal[
    "refuse", "reset before", "reset after", "silent before", "silent after", "cut head", "cut body", "half JSON"
]
HERE = "127.0.0.1"
PATIENCE = 60.0  # real seconds until something is wrong


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to so many requests in a row from the nth on; ``seconds`` holds for ``refuse`` alone."""

    deed: Deed
    nth: int
    times: int
    seconds: float

    def meets(self, number: int) -> bool:
        return self.nth <= number < self.nth + self.times


class Proxy:
    """The proxy while it runs, in threads of this process; made by :func:`proxied`.

    :param target: origin of the service.
    """

    def __init__(self, target: str) -> None:
        address = urlsplit(target)
        self._target = (address.hostname, address.port)
        self._kept = sockets.bound(HERE)  # nobody else gets the port while nobody listens
        self._port: int = self._kept.getsockname()[1]
        self._lock = threading.Condition()
        self._busy: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        self._idle: set[socket.socket] = set()
        self._asking: set[socket.socket] = set()
        self._calls: list[tuple[str, str]] = []
        self._plan: Plan | None = None
        self._listener: socket.socket | None = None
        self.up()

    @property
    def origin(self) -> str:
        """Where clients find it; the same as long as it lives."""
        return f"http://{HERE}:{self._port}"

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Method and path of every request that came, over all connections, oldest first."""
        with self._lock:
            return list(self._calls)

    def plan(self, deed: Deed, nth: int = 1, times: int = 1, seconds: float = 1.0) -> None:
        """Spoils the nth request from now on, and so many in a row; takes the place of an earlier plan.

        ``refuse``         from the answer to the request before on, nobody listens
        ``reset before``   the connection is reset, and the service does not see the request
        ``reset after``    the service has answered, and the connection is reset
        ``silent before``  there is no answer, and the service does not see the request
        ``silent after``   the service has answered, and the answer is kept back
        ``cut body``       the answer ends in the middle of its body (of its head, where it has no body)
        ``cut head``       the answer ends in the middle of its head
        ``half JSON``      an answer of JSON has half of its body, and a Content-Length that says so

        :param seconds: real ones for which ``refuse`` lasts, whatever ``times`` is: who is refused is not seen, and so
            cannot be counted. Who can count takes :meth:`down` and :meth:`up`.
        """
        assert deed in get_args(Deed), deed
        with self._lock:
            self._plan = Plan(deed, len(self._calls) + nth, times, seconds)
            self._refuse_from(len(self._calls) + 1)

    def await_done(self, count: int) -> None:
        """Returns as soon as so many requests have come, and the service has answered all that were passed on."""
        with self._lock:
            assert self._lock.wait_for(lambda: len(self._calls) >= count and not self._asking, PATIENCE), self._calls

    def anew(self) -> None:
        """Nothing was sent, nothing is planned, and somebody listens."""
        with self._lock:
            self._calls.clear()
            self._plan = None
            self.up()

    def down(self) -> None:
        """Nobody listens, and connections on which nothing is under way are closed."""
        with self._lock:
            if self._listener is not None:
                sockets.end(self._listener)
                self._listener.close()
                self._listener = None
            self._lock.wait_for(lambda: not self._busy, timeout=1.0)
            for one in self._idle:
                sockets.end(one)

    def up(self) -> None:
        """Somebody listens again."""
        with self._lock:
            if self._listener is None:
                self._listener = socket.create_server((HERE, self._port), backlog=128)
                threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """The end: nobody listens, and what is under way is dropped."""
        with self._lock:
            self._plan = None
            self.down()
            self._kept.close()
            for one in self._open:
                sockets.end(one)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One connection of a client, and one of ours for it, until either ends."""
        with (
            self._known(client),
            contextlib.suppress(OSError),
            socket.create_connection(self._target) as service,
            self._known(service),
            client.makefile("rb") as asked,
            service.makefile("rb") as answered,
        ):
            while (request := self._next(client, asked)) is not None:
                if not self._exchange(request, client, service, answered):
                    return

    def _next(self, client: socket.socket, asked: BinaryIO) -> Message | None:
        with self._lock:
            if self._listener is None:
                return None
            self._idle.add(client)
        try:
            return Message.read(asked)
        except Broken:
            return None
        finally:
            with self._lock:
                self._idle.discard(client)

    def _exchange(self, request: Message, client: socket.socket, service: socket.socket, answered: BinaryIO) -> bool:
        """One request and its answer; whether the connection is good for another."""
        with self._lock:
            self._calls.append(request.line)
            number = len(self._calls)
            deed = self._plan.deed if self._plan is not None and self._plan.meets(number) else None
            if deed not in ("reset before", "silent before"):
                self._asking.add(client)
            self._lock.notify_all()
        if deed == "reset before":
            return sockets.reset(client)
        if deed == "silent before":
            return sockets.silent(client)
        try:
            service.sendall(bytes(request))
            answer = Message.read(answered)
        except Broken as broken:
            client.sendall(broken.part)
            return False
        except OSError:
            answer = None
        finally:
            with self._lock:
                self._asking.discard(client)
                self._lock.notify_all()
        if answer is None or deed == "reset after":
            return sockets.reset(client)
        if deed == "silent after":
            return sockets.silent(client)
        if deed in ("cut head", "cut body"):
            client.sendall(answer.half_of_head if deed == "cut head" or not answer.body else answer.half_of_body)
            return False
        if deed == "half JSON":
            answer = answer.half_of_json()
        if self._refuse_from(number + 1):
            client.sendall(bytes(answer.last()))
            return False
        with self._answering(client):
            client.sendall(bytes(answer))
        return True

    @contextmanager
    def _answering(self, client: socket.socket) -> Iterator[None]:
        """Afterwards the connection is idle, without a moment between in which :meth:`down` would miss it."""
        with self._lock:
            self._busy.add(client)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(client)
                self._idle.add(client)
                self._lock.notify_all()

    def _refuse_from(self, number: int) -> bool:
        """Begins a planned refusal if it is to begin with this request; whether it was."""
        with self._lock:
            if self._plan is not None and (self._plan.deed, self._plan.nth) == ("refuse", number):
                self.down()
                timer = threading.Timer(self._plan.seconds, self._reopen, [self._plan])
                timer.daemon = True
                timer.start()
                return True
        return False

    def _reopen(self, plan: Plan) -> None:
        with self._lock:
            if self._plan is plan:
                self.up()

    @contextmanager
    def _known(self, connection: socket.socket) -> Iterator[None]:
        """The connection is dropped when the proxy ends, and closed at the end of the block."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()


@contextmanager
def proxied(target: str) -> Iterator[Proxy]:
    """A proxy in front of a service, for the block; clients may be in other processes."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
