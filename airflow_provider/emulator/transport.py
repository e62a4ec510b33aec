"""Below HTTP: closing a connection without an answer, or in the middle of one."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

KEY = "emulator.transport"
LINGER_ZERO = struct.pack("ii", 1, 0)  # close by RST instead of FIN


class TransportProtocol(H11Protocol):
    """uvicorn's protocol, which lets the application see the connection below it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport into the scope of every request on this connection."""
        super().connection_made(transport)
        app: ASGIApp = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[KEY] = transport
            await app(scope, receive, send)

        self.app = with_transport


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Reset the connection: the client gets no answer at all."""
    transport: asyncio.Transport = scope[KEY]
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    transport.abort()
    await _gone(receive)


async def cut_short(response: Response, half: Iterator[bytes], scope: Scope, receive: Receive, send: Send) -> None:
    """Send the headers and half of the body, then close."""
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    for piece in half:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    scope[KEY].close()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
