"""The proxy, seen by a client of raw HTTP; the service behind it answers what came."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.faults.proxy import Deed, Proxy, proxied

SHORT = httpx.Timeout(60.0, read=0.1)  # for an answer that never comes


class Echo(BaseHTTPRequestHandler):
    """Answers the body of a POST, and remembers it."""

    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(body)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("Content-Type", self.headers.get("Content-Type", "text/plain"))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """An answer that ends too early by itself."""
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def log_message(self, *words: Any) -> None:
        """Quiet."""


@pytest.fixture
def seen() -> list[bytes]:
    return []


@pytest.fixture
def proxy(seen: list[bytes]) -> Iterator[Proxy]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Echo,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with proxied(f"http://127.0.0.1:{server.server_port}") as proxy:
        yield proxy
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.origin, trust_env=False, timeout=60.0) as client:
        yield client


def test_requests_pass_and_are_counted_over_all_connections(proxy: Proxy, client: httpx.Client) -> None:
    assert client.post("/a/?x=1", content=b"one").content == b"one"
    assert httpx.post(f"{proxy.origin}/b/", content=iter([b"in ", b"pieces"]), trust_env=False).content == b"in pieces"
    assert proxy.calls == [("POST", "/a/"), ("POST", "/b/")]
    proxy.anew()
    assert proxy.calls == []


BEFORE = {"reset before", "silent before"}
ERRORS: dict[Deed, type[httpx.TransportError]] = {
    "reset before": httpx.ReadError,
    "reset after": httpx.ReadError,
    "silent before": httpx.ReadTimeout,
    "silent after": httpx.ReadTimeout,
    "cut body": httpx.RemoteProtocolError,
    "cut head": httpx.RemoteProtocolError,
}


@pytest.mark.parametrize("deed", ERRORS)
def test_the_nth_request_is_spoilt_and_the_next_is_not(
    proxy: Proxy, client: httpx.Client, seen: list[bytes], deed: Deed
) -> None:
    client.post("/", content=b"first of all")
    proxy.plan(deed, nth=2, times=2)
    client.post("/", content=b"1")
    for body in (b"two", b"three"):
        with pytest.raises(ERRORS[deed]):
            client.post("/", content=body, timeout=SHORT if deed.startswith("silent") else 60.0)
    client.post("/", content=b"4")
    spoilt = [] if deed in BEFORE else [b"two", b"three"]
    assert seen == [b"first of all", b"1", *spoilt, b"4"]
    proxy.await_done(5)
    assert len(proxy.calls) == 5


@pytest.mark.parametrize(("deed", "whole"), [("cut body", False), ("cut head", False), ("cut body", True)])
def test_where_an_answer_is_cut(proxy: Proxy, deed: Deed, whole: bool) -> None:
    body = b"" if whole else b"0123456789"
    proxy.plan(deed)
    with socket.create_connection(("127.0.0.1", httpx.URL(proxy.origin).port or 0)) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        came = b""
        while more := raw.recv(1000):
            came += more
    assert came.startswith(b"HTTP/1.1 200")
    if deed == "cut body" and not whole:
        assert came.endswith(b"\r\n\r\n01234")
    else:
        assert b"\r\n\r\n" not in came


@pytest.mark.parametrize(("kind", "came"), [("application/json", b'{"a": '), ("text/csv", b'{"a": [1]}  ')])
def test_half_of_the_json_is_a_whole_answer(proxy: Proxy, client: httpx.Client, kind: str, came: bytes) -> None:
    proxy.plan("half JSON")
    assert client.post("/", content=b'{"a": [1]}  ', headers={"Content-Type": kind}).content == came
    assert client.post("/", content=b"{}", headers={"Content-Type": kind}).content == b"{}"


def test_an_answer_that_ends_too_early_by_itself_is_passed_on_as_it_is(client: httpx.Client) -> None:
    with client.stream("GET", "/") as answer, pytest.raises(httpx.RemoteProtocolError):
        answer.read()
    assert answer.num_bytes_downloaded == 4


def test_nobody_listens_until_somebody_does(proxy: Proxy, client: httpx.Client, seen: list[bytes]) -> None:
    client.post("/", content=b"1")
    proxy.down()
    for _ in range(2):  # the connection of the first request is closed, too
        with pytest.raises(httpx.ConnectError, match="refused"):
            client.post("/", content=b"2")
    proxy.up()
    assert client.post("/", content=b"3").content == b"3"
    assert seen == [b"1", b"3"]
    assert len(proxy.calls) == 2


@pytest.mark.parametrize("nth", [1, 2])
def test_a_planned_refusal_begins_with_its_request(proxy: Proxy, client: httpx.Client, nth: int) -> None:
    proxy.plan("refuse", nth=nth, seconds=600.0)
    for _ in range(nth - 1):
        client.post("/", content=b"passes")
    with pytest.raises(httpx.ConnectError, match="refused"):
        client.post("/", content=b"does not")
    proxy.anew()
    client.post("/", content=b"passes again")


def test_a_planned_refusal_ends_by_itself(proxy: Proxy) -> None:
    proxy.plan("refuse", seconds=0.05)
    patient = httpx.HTTPTransport(retries=4, trust_env=False)  # over some seconds
    with httpx.Client(transport=patient, trust_env=False) as client:
        assert client.post(proxy.origin, content=b"late").content == b"late"


def test_everything_ends_with_the_proxy(seen: list[bytes]) -> None:
    with proxied("http://127.0.0.1:9") as proxy:
        proxy.plan("silent before")
    with pytest.raises(httpx.ConnectError, match="refused"):
        httpx.post(proxy.origin, trust_env=False)
