"""A server in front of the emulator that repeats what it was sent: headers and body, wherever an answer has room.

    worker or triggerer ──► Mirror ──► (the emulator, for echoes in good answers) ──► an answer with an echo

It speaks HTTP over real sockets, so the lines of the HTTP libraries are among what is looked through.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    content: bytes
    headers: Headers = field(default_factory=list)
    kind: str = "application/json"


@dataclass(frozen=True)
class Heard:
    """A request; ``forward`` has the service carry it out."""

    line: str
    headers: Headers
    body: bytes

    @property
    def private(self) -> str:
        """The headers, as one line."""
        return "; ".join(f"{name}: {value}" for name, value in self.headers)

    @property
    def text(self) -> str:
        """All of it."""
        head = "\r\n".join([self.line, *(f"{name}: {value}" for name, value in self.headers)])
        return f"{head}\r\n\r\n{self.body.decode('utf-8', 'replace')}"

    @property
    def token(self) -> str:
        """The token alone."""
        return dict(self.headers)["authorization"].partition(" ")[2]

    @property
    def parts(self) -> dict[str, Any]:
        """The request as a service would log it."""
        try:
            body = json.loads(self.body)
        except ValueError:
            body = self.body.decode("utf-8", "replace")
        return {"line": self.line, "headers": dict(self.headers), "body": body, "raw": self.text}

    def forward(self) -> Said:
        """What the service answers."""
        method, target, _ = self.line.split()
        there = http.client.HTTPConnection(dict(self.headers)["host"], timeout=30)
        there.request(method, target, self.body or None, dict(self.headers))
        answer = there.getresponse()
        kept = [one for one in answer.getheaders() if one[0].lower() not in ("content-length", "content-type")]
        said = Said(answer.status, answer.read(), kept, answer.headers.get("content-type", ""))
        there.close()
        return said


def _json(status: int, body: Any, headers: Headers | None = None) -> Said:
    return Said(status, json.dumps(body).encode(), headers or [])


def _in_headers(heard: Heard) -> Headers:
    names = ("X-Request-ID", "Warning", "X-Echo", "Set-Cookie", "Content-Disposition")
    return [(name, heard.private) for name in names]


def _everywhere(heard: Heard) -> Any:
    told = heard.text
    words = dict.fromkeys(("message", "detail", "error", "reason", "status", "note", "errorMessage"), told)
    return {**words, "errors": {told: [told], "field": told}, "request": heard.parts, "data": [heard.parts]}


def _page(heard: Heard) -> Said:
    return Said(502, f"<html><title>{heard.text}</title><pre>{heard.text}</pre></html>".encode(), [], "text/html")


def _in_a_good_answer(heard: Heard) -> Said:
    said = heard.forward()
    return Said(said.status, _changed(said, lambda body: {**_everywhere(heard), **body}), _with(said, heard), said.kind)


def _as_ids(heard: Heard) -> Said:
    said = heard.forward()
    return Said(said.status, _changed(said, lambda body: _replaced(body, heard.private)), said.headers, said.kind)


def _as_location(heard: Heard) -> Said:
    said = heard.forward()
    headers = [one for one in said.headers if one[0].lower() != "location"]
    return Said(202, said.content, [*headers, ("Location", f"/api/v2/status/{heard.token}/")], said.kind)


def _after_commit(heard: Heard) -> Said:
    heard.forward()
    return _json(504, _everywhere(heard), _in_headers(heard))


def _with(said: Said, heard: Heard) -> Headers:
    return [one for one in said.headers if one[0].lower() != "x-request-id"] + _in_headers(heard)


def _changed(said: Said, change: Callable[[dict[str, Any]], Any]) -> bytes:
    try:
        body = json.loads(said.content)
    except ValueError:
        return said.content
    return json.dumps(change(body)).encode() if isinstance(body, dict) else said.content


def _replaced(value: Any, text: str, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _replaced(below, text, name) for name, below in value.items()}
    if isinstance(value, list):
        return [_replaced(below, text, key) for below in value]
    named = key.lower().endswith(("id", "name", "status", "label", "message", "comment"))
    return text if named and isinstance(value, str) else value


ECHOES: Mapping[str, Callable[[Heard], Said]] = {
    "401, the headers": lambda heard: _json(401, {"message": f"bad header in {heard.private}"}, _in_headers(heard)),
    "422, everywhere": lambda heard: _json(422, _everywhere(heard), _in_headers(heard)),
    "409, everywhere": lambda heard: _json(409, _everywhere(heard)),
    "429, everywhere": lambda heard: _json(429, _everywhere(heard), [("Retry-After", "1")]),
    "502, a page": _page,
    "400, plain text": lambda heard: Said(400, heard.text.encode(), [], "text/plain"),
    "404, in headers": lambda heard: _json(404, {}, [*_in_headers(heard), ("Location", f"/api/v2/{heard.token}/")]),
    "302, elsewhere": lambda heard: _json(302, {}, [("Location", f"http://127.0.0.1:9/{heard.token}/?a=1")]),
    "200, plain text": lambda heard: Said(200, heard.text.encode(), _in_headers(heard), "text/plain"),
    "200, JSON": lambda heard: _json(200, _everywhere(heard), _in_headers(heard)),
    "200, JSON that is cut": lambda heard: Said(200, json.dumps(_everywhere(heard)).encode()[:-9], _in_headers(heard)),
    "504 after commit": _after_commit,
    "a good answer": _in_a_good_answer,
    "ids of a good answer": _as_ids,
    "202, a Location": _as_location,
}


class Mirror(ThreadingHTTPServer):
    """Answers every request with the echo that is set."""

    echo: Callable[[Heard], Said]
    heard: int = 0

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self.server_address[1])


class _Visit(BaseHTTPRequestHandler):
    server: Mirror

    def _answer(self) -> None:
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.heard += 1
        said = self.server.echo(Heard(self.requestline, headers, body))
        self.send_response(said.status)
        for name, value in said.headers:
            self.send_header(name, value)
        self.send_header("Content-Type", said.kind)
        self.send_header("Content-Length", str(len(said.content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(said.content)
        self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def mirroring() -> Iterator[Mirror]:
    """A mirror in a thread of its own."""
    mirror = Mirror(("127.0.0.1", 0), _Visit)
    mirror.daemon_threads = True
    thread = threading.Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield mirror
    finally:
        mirror.shutdown()
        thread.join()
        mirror.server_close()
