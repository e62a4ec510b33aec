"""Connections that end badly, and ports where nobody answers."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

RST = struct.pack("ii", 1, 0)  # SO_LINGER without patience: closing sends RST instead of FIN


def bound(host: str) -> socket.socket:
    """A port that is taken, and where nobody listens."""
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # so that it can be listened on by another socket
    kept.bind((host, 0))
    return kept


@contextmanager
def full_port(host: str = "127.0.0.1") -> Iterator[int]:
    """A port whose queue is full: connections to it do not come about."""
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind((host, 0))
        full.listen(0)
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        yield full.getsockname()[1]


def silent(client: socket.socket) -> bool:
    """Says nothing until the client has gone; the connection is good for nothing more."""
    client.recv(1)
    return False


def reset(client: socket.socket) -> bool:
    """Closing will be a reset; the connection is good for nothing more."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    return False


def end(connection: socket.socket) -> None:
    """Wakes whoever reads from it, or accepts on it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
