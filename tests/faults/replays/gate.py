"""The proxy of a lane: it knows requests by what they ask for, and refuses as often as the task's log tells."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import BinaryIO

from tests.faults.framing import Message
from tests.faults.proxy import HERE, Deed, Proxy

WINDOW = 45.0  # real seconds after which somebody listens again, whatever the log says
GLANCE = 0.05


class Gate(Proxy):
    """A proxy that, instead of not listening, can also leave connections without an answer."""

    _mute = False
    _full: socket.socket | None = None
    _waiting: tuple[socket.socket, ...] = ()

    _wanted: tuple[Deed, Callable[[str, str], bool], int] | None = None

    def spoil(self, deed: Deed, fits: Callable[[str, str], bool], kth: int) -> None:
        """Spoils the kth request from now on whose method and path fit."""
        self._wanted = (deed, fits, kth)

    def refuse(self, nth: int, times: int, mute: bool, failed: Callable[[], int]) -> None:
        """Makes so many connections fail from the nth request on.

        :param mute: they time out instead of being refused.
        :param failed: how many have failed so far, which only the client knows.
        """
        self._mute = mute
        self.plan("refuse", nth, seconds=WINDOW)
        plan = self._plan
        threading.Thread(target=self._watch, args=(plan, times, failed), daemon=True).start()

    def down(self) -> None:
        with self._lock:
            super().down()
            if self._mute and self._full is None:
                self._fill()

    def up(self) -> None:
        with self._lock:
            self._empty()
            super().up()

    def close(self) -> None:
        with self._lock:
            self._mute = False
            super().close()
            self._empty()

    def anew(self) -> None:
        with self._lock:
            self._mute, self._wanted = False, None
            super().anew()

    def _next(self, client: socket.socket, asked: BinaryIO) -> Message | None:
        request = super()._next(client, asked)
        with self._lock:
            if request is not None and self._wanted is not None and self._wanted[1](*request.line):
                deed, fits, kth = self._wanted
                self._wanted = (deed, fits, kth - 1)
                if kth == 1:
                    self.plan(deed)
        return request

    def _fill(self) -> None:
        """A queue of one place, which we take ourselves: whoever comes then gets no answer."""
        self._full = socket.socket()
        self._full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._full.bind((HERE, self._port))
        self._full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect((HERE, self._port))
        self._waiting = tuple(waiting)

    def _empty(self) -> None:
        for one in (*self._waiting, *([self._full] if self._full else [])):
            one.close()
        self._full, self._waiting = None, ()

    def _watch(self, plan: object, times: int, failed: Callable[[], int]) -> None:
        while self._plan is plan:
            if failed() >= times:
                with self._lock:
                    if self._plan is plan:
                        self._plan = None
                        self.up()
                return
            threading.Event().wait(GLANCE)
