"""The real network on loopback: what breaks there, and whom we trust."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_provider.api import errors, transport
from tests.api.server import Server, Visit
from tests.api.tools import ID, TOKEN, ask, settings

WRITE = ("updateDeploymentStatus", {"status": "inactive"})


async def resets(visit: Visit) -> None:
    visit.reset()


async def says_nothing(visit: Visit) -> None:
    visit.writer.close()


async def cuts_the_head(visit: Visit) -> None:
    await visit.raw(b"HTTP/1.1 202 Acc")
    visit.writer.close()


async def cuts_the_body(visit: Visit) -> None:
    await visit.raw(
        b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n" + b'{"id": '
    )
    visit.writer.close()


async def cuts_a_chunk(visit: Visit) -> None:
    await visit.raw(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n" + b'10\r\n{"id": ')
    visit.writer.close()


async def speaks_another_language(visit: Visit) -> None:
    await visit.raw(b"220 mail.example.com ESMTP\r\n")
    visit.writer.close()


async def packs_badly(visit: Visit) -> None:
    await visit.say("200 OK", b"no gzip at all", "Content-Encoding: gzip")


async def stalls(visit: Visit) -> None:
    await visit.raw(b"HTTP/1.1 202 Accepted\r\n")
    await asyncio.Event().wait()


BREAKS = [
    resets,
    says_nothing,
    cuts_the_head,
    cuts_the_body,
    cuts_a_chunk,
    speaks_another_language,
    packs_badly,
    stalls,
]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("behaviour", BREAKS, ids=lambda one: one.__name__)
async def test_a_write_that_breaks_off_may_have_happened(kind: str, behaviour: Any) -> None:
    async with Server(behaviour).running() as server:
        with pytest.raises(errors.AnswerLost) as caught:
            await ask(kind, settings(endpoint=server.endpoint, read_timeout=0.2), *WRITE, deploymentId=ID)
        assert caught.value.sent == "maybe"
        assert f"updateDeploymentStatus: {type(caught.value.__cause__).__name__} at http://127.0.0.1" in str(
            caught.value
        )
        assert len(server.seen) == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_port_where_nobody_listens_is_not_reached(kind: str) -> None:
    async with Server(resets).running() as server:
        pass
    with pytest.raises(errors.NotReached) as caught:
        await ask(kind, settings(endpoint=server.endpoint), *WRITE, deploymentId=ID)
    assert caught.value.sent == "no"
    assert type(caught.value) is errors.NotReached


async def answers(visit: Visit) -> None:
    await visit.say("200 OK", b'{"major": 2}')


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with Server(answers).running() as server:
        assert (await ask(kind, settings(endpoint=server.endpoint), "getVersion")).json() == {"major": 2}


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("by", ["setting", "environment"])
async def test_a_proxy_is_used_for_the_rest(kind: str, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Server(answers).running() as server:
        address = f"http://me:pw-of-proxy@127.0.0.1:{server.port}"
        if by == "environment":
            monkeypatch.setenv("HTTP_PROXY", address)
            monkeypatch.setenv("NO_PROXY", "")
        made = settings(endpoint="http://far.example.com/api/v2", proxy=address if by == "setting" else None)
        assert (await ask(kind, made, "getVersion")).json() == {"major": 2}
        assert server.seen == ["GET http://far.example.com/api/v2/version/ HTTP/1.1"]
        assert "proxy-authorization: basic" in server.heads[0].lower()


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_proxy_that_refuses_is_told_without_its_password(kind: str) -> None:
    async def refuses(visit: Visit) -> None:
        await visit.say("407 Proxy Authentication Required")

    async with Server(refuses).running() as server:
        proxy = f"http://me:pw-of-proxy@127.0.0.1:{server.port}"
        with pytest.raises(errors.NotReached) as caught:
            await ask(kind, settings(proxy=proxy), *WRITE, deploymentId=ID)
        assert server.seen == ["CONNECT app.example.com:443 HTTP/1.1"]
        assert TOKEN not in server.heads[0]
    assert "407" in str(caught.value)
    assert "pw-of-proxy" not in str(caught.value)


# --- certificates


class Authority:
    """A certificate authority of our own, and what it has signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self._write("ca", self._sign("our ca", self._key, authority=True))

    def issue(self, name: str, password: str | None = None) -> tuple[str, str]:
        """Certificate and key files for 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        sealed = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)
        return self._write(name, self._sign(name, key)), self._write(f"{name}-key", pem)

    def _sign(self, name: str, key: ec.EllipticCurvePrivateKey, authority: bool = False) -> bytes:
        start = datetime.now(UTC) - timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "our ca")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _write(self, name: str, data: bytes) -> str:
        file = self.folder / f"{name}.pem"
        file.write_bytes(data)
        return str(file)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    return context


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_certificate_that_nobody_knows_is_not_trusted(kind: str, tls: ssl.SSLContext) -> None:
    async with Server(answers, tls).running() as server:
        with pytest.raises(errors.NotTrusted, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await ask(kind, settings(endpoint=server.endpoint), *WRITE, deploymentId=ID)
        assert not caught.value.retryable
        assert server.seen == []


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_ca_bundle_or_no_check_at_all(kind: str, tls: ssl.SSLContext, authority: Authority) -> None:
    async with Server(answers, tls).running() as server:
        for verify in (authority.ca, False):
            made = settings(endpoint=server.endpoint, verify=verify)
            assert (await ask(kind, made, "getVersion")).status == 200


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("password", [None, "pw-of-key"])
async def test_a_client_certificate(kind: str, password: str | None, authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server2"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca)
    certificate, key = authority.issue("client", password)
    async with Server(answers, context).running() as server:
        made = settings(
            endpoint=server.endpoint,
            verify=authority.ca,
            client_cert=certificate,
            client_key=key,
            client_key_password=password,
        )
        assert (await ask(kind, made, "getVersion")).status == 200


def test_what_cannot_be_read_is_named(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("sealed", "pw-of-key")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"verify": str(tmp_path / "none.pem")}, "verify: no certificates can be read from '.*none.pem' .No such file"),
        (
            {"client_cert": str(tmp_path / "none.pem")},
            "client_cert: no certificate with its key can be read from '.*none",
        ),
        ({"client_cert": certificate, "client_key": key}, "a key with a password needs client_key_password"),
        (
            {"client_cert": certificate, "client_key": key, "client_key_password": "pw-of-other"},
            "client_cert: no certificate with its key can be read",
        ),
        ({"client_cert": certificate}, "client_cert: no certificate with its key"),
    ]
    for given, told in cases:
        with pytest.raises(errors.InvalidCall, match=told) as caught:
            transport.tls_context(settings(**given))
        assert "pw-of" not in str(caught.value)


def test_a_folder_of_certificates(tmp_path: Path) -> None:
    assert isinstance(transport.tls_context(settings(verify=str(tmp_path))), ssl.SSLContext)


def test_plain_http_reads_no_certificates() -> None:
    assert transport.tls_context(settings(endpoint="http://127.0.0.1:1", verify="/does/not/exist")) is False
