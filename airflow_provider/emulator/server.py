"""The application on a socket: in this process's main thread, or in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from airflow_provider.emulator.app import build
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.transport import TransportProtocol

KEEP_ALIVE = 300  # seconds an idle connection stays open; longer than clients keep theirs


class EmulatorServer(uvicorn.Server):
    """A uvicorn server that says when it is ready, and lets go held requests when it ends."""

    def __init__(self, config: uvicorn.Config, service: Service, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.service = service
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As always, and then say so."""
        await super().startup(sockets)
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drop what faults hold, and end."""
        self.service.faults.clear(drop=True)
        await super().shutdown(sockets)


def open_socket(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named; 40 ms an answer otherwise
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


def url_of(bound: socket.socket) -> str:
    """The origin under which the socket answers."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(service: Service, on_ready: Callable[[], None]) -> EmulatorServer:
    """A server for this service; it runs on the sockets given to ``run``."""
    config = uvicorn.Config(
        build(service),
        http=TransportProtocol,
        ws="none",
        lifespan="on",
        loop="asyncio",  # the same everywhere, whether or not uvloop is installed
        log_config=None,
        access_log=False,
        date_header=False,  # the service's clock tells the date
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=1,
    )
    return EmulatorServer(config, service, on_ready)


@contextmanager
def running(service: Service, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The service in a thread of its own, as long as the block lasts; gives its origin."""
    ready = threading.Event()
    bound = open_socket(host, port)
    server = make_server(service, ready.set)
    thread = threading.Thread(target=server.run, args=([bound],), name="datarobot-emulator", daemon=True)
    thread.start()
    if not ready.wait(timeout=30):
        raise RuntimeError("the emulator did not start within 30 s")
    try:
        yield url_of(bound)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        bound.close()
