"""Private certificates and proxies as a connection names them: through the hook, in a worker and in the pool."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from airflow_provider.api import errors, pool
from airflow_provider.hooks.datarobot import DataRobotHook
from tests.api.server import Server, Visit
from tests.api.test_transport import Authority
from tests.trust.scanning import told

TOKEN, PASSWORD, KEY = "token-of-the-network", "pw:of proxy", "pw-of-the-key"
WAYS = pytest.mark.parametrize("way", ["worker", "triggerer"])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def guarded(authority: Authority) -> ssl.SSLContext:
    """A server that lets in only whom our authority has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca)
    return context


@pytest.fixture
def trusted(authority: Authority) -> dict[str, Any]:
    """What a connection says so that both sides trust each other."""
    certificate, key = authority.issue("client", KEY)
    return {
        "ca_bundle": authority.ca,
        "client_cert": certificate,
        "client_key": key,
        "client_key_password": KEY,
    }


async def answers(visit: Visit) -> None:
    await visit.say("200 OK", b'{"major": 2}')


async def asked(way: str, monkeypatch: pytest.MonkeyPatch, endpoint: str, extra: dict[str, Any]) -> Any:
    """One call of the hook, as a worker or as a trigger makes it."""
    given = {"conn_type": "datarobot", "host": endpoint, "password": TOKEN, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_NETWORK", json.dumps(given))
    monkeypatch.setattr("airflow_provider.api.retry.FIRST_PAUSE", 0.0)
    hook = DataRobotHook("network")
    if way == "worker":
        try:
            return await asyncio.to_thread(hook.call, "getVersion")
        finally:
            hook.get_conn().close()
    pool._pools.clear()  # what other tests of this process left belongs to loops that ended
    try:
        return await hook.acall("getVersion")
    finally:
        keepers = [one._keeper for one in pool._pools.values()]
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


class Tunnel:
    """A proxy that opens tunnels for whoever knows the password; it sees what is not encrypted."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.passed = b""
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Tunnel]:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            port = head.split()[1].rpartition(":")[2]
            there, back = await asyncio.open_connection("127.0.0.1", int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(self._pass(reader, back, keep=True), self._pass(there, writer, keep=False))

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, keep: bool) -> None:
        with suppress(ConnectionError):
            while block := await source.read(1 << 16):
                self.passed += block if keep else b""
                target.write(block)
                await target.drain()
        target.close()


@WAYS
async def test_a_private_authority_and_a_client_certificate(
    way: str, guarded: ssl.SSLContext, trusted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Server(answers, guarded).running() as server:
        assert (await asked(way, monkeypatch, server.endpoint, trusted)).json() == {"major": 2}


@WAYS
@pytest.mark.parametrize("missing", ["ca_bundle", "client_cert", "client_key_password"])
async def test_what_is_missing_for_it_is_told(
    way: str, missing: str, guarded: ssl.SSLContext, trusted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = {"client_cert", "client_key", "client_key_password"} if missing == "client_cert" else {missing}
    extra = {name: value for name, value in trusted.items() if name not in absent}
    async with Server(answers, guarded).running() as server:
        with pytest.raises(errors.DataRobotError) as caught:
            await asked(way, monkeypatch, server.endpoint, extra)
        assert server.seen == []
    if missing == "ca_bundle":
        assert isinstance(caught.value, errors.NotTrusted)
    elif missing == "client_key_password":
        assert isinstance(caught.value, errors.InvalidCall)
        assert "needs client_key_password" in str(caught.value)
    else:  # TLS 1.3 tells it after the handshake, and often the connection is gone before
        assert isinstance(caught.value, (errors.AnswerLost, errors.NotReached))
        assert server.endpoint.removesuffix("/api/v2") in str(caught.value)
    assert [one for one in (TOKEN, KEY) if one in told(caught.value)] == []


@WAYS
async def test_a_proxy_with_a_password_sees_nothing_of_what_it_passes_on(
    way: str,
    guarded: ssl.SSLContext,
    trusted: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="httpcore")
    caplog.set_level(logging.DEBUG, logger="httpx")
    async with Server(answers, guarded).running() as server, Tunnel().running() as tunnel:
        extra = {**trusted, "proxy": f"http://me:pw%3Aof%20proxy@127.0.0.1:{tunnel.port}"}
        assert (await asked(way, monkeypatch, server.endpoint, extra)).status == 200
        port = server.port
    basic = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    [head] = tunnel.heads
    assert head.startswith(f"CONNECT 127.0.0.1:{port} HTTP/1.1")
    assert f"proxy-authorization: basic {basic}".lower() in head.lower()
    assert TOKEN not in head
    assert TOKEN.encode() not in tunnel.passed
    assert "proxy-authorization" not in server.heads[0].lower()
    assert [one for one in (TOKEN, KEY, PASSWORD, "pw%3Aof%20proxy", basic) if one in caplog.text] == []


@WAYS
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_keeps_its_password(
    way: str, variable: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It refuses, and repeats what it was sent in its refusal."""
    caplog.set_level(logging.DEBUG)
    basic = base64.b64encode(f"me:{PASSWORD}".encode()).decode()

    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        said = " ".join(head.split("\r\n"))
        writer.write(f"HTTP/1.1 407 {said}\r\nX-Echo: {said}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    heads: list[str] = []
    server = await asyncio.start_server(refuses, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv(variable, f"http://me:pw%3Aof%20proxy@127.0.0.1:{port}")
        with pytest.raises(errors.NotReached) as caught:
            await asked(way, monkeypatch, "https://service.example.com/api/v2", {})
    assert basic in heads[0]
    assert "407" in str(caught.value)
    shown = told(caught.value) + caplog.text
    assert [one for one in (TOKEN, PASSWORD, "pw%3Aof%20proxy", basic) if one in shown] == []


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"ca_bundle": str(tmp_path / "none.pem")}
    with pytest.raises(errors.InvalidCall, match=r"none\.pem"):
        asyncio.run(asked("worker", monkeypatch, "https://127.0.0.1:9/api/v2", extra))
