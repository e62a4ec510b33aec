"""A receiver of webhooks on loopback: what came, and whether it was signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

PATIENCE = 20.0  # seconds until a test gives up


@dataclass(frozen=True, slots=True)
class Hook:
    """One request that came."""

    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value

    def signed_with(self, secret: str) -> bool:
        """Whether ``DR-Signature`` is the HMAC-SHA1 of the body (wire.md I), worked out here by itself."""
        wanted = hmac.new(secret.encode(), self.body, hashlib.sha1).hexdigest()
        return hmac.compare_digest(wanted, self.headers.get("dr-signature", ""))


class Receiver:
    """What a test asks of the receiver; ``status`` is what it answers."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook?from=datarobot"
        self.status = 200
        self.came: Queue[Hook] = Queue()

    def next(self) -> Hook:
        """The next request; waits for it."""
        return self.came.get(timeout=PATIENCE)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.status)
            if receiver.status == 302:
                self.send_header("Location", "http://192.0.2.1/")
            self.end_headers()
            self.wfile.write(b"thanks")
            receiver.came.put(Hook(self.path, headers, body))

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
