"""The only module that imports httpx: how connections are opened, and what their failures say about a request.

Cookies are neither kept nor sent: the token says who we are, and a session would outlive a change of it. Redirects
are never followed. Which proxies of the environment count is told in ``settings.py``.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from airflow_provider.api import trickling
from airflow_provider.api.errors import AnswerLost, DataRobotError, InvalidCall, NotReached, NotTrusted, NotUnderstood
from airflow_provider.api.messages import Call
from airflow_provider.api.settings import Settings
from airflow_provider.contract.secrets import scrub

Http = httpx.Client
AsyncHttp = httpx.AsyncClient
Response = httpx.Response
Transport = httpx.BaseTransport
AsyncTransport = httpx.AsyncBaseTransport
Tls = ssl.SSLContext | bool

CONNECTIONS = 10
# Idle seconds after which a connection of a client outside the pool is not used again. Servers close theirs after
# 5 s and more, and a write on a connection that is just being closed is a write whose outcome nobody knows.
KEEPALIVE = 5.0
POOL_TIMEOUT = 120.0  # seconds that a request may wait for a free connection

# What each failure says about the request; the nearest class of its family tree counts.
ERRORS: Mapping[type[Exception], type[DataRobotError]] = {
    httpx.ConnectError: NotReached,
    httpx.ConnectTimeout: NotReached,
    httpx.PoolTimeout: NotReached,  # never left the queue
    httpx.ProxyError: NotReached,  # the proxy refused the tunnel
    httpx.UnsupportedProtocol: InvalidCall,
    httpx.InvalidURL: InvalidCall,
    httpx.CookieConflict: InvalidCall,
    httpx.TooManyRedirects: NotUnderstood,
    httpx.HTTPStatusError: NotUnderstood,
    httpx.StreamError: AnswerLost,
    httpx.HTTPError: AnswerLost,  # everything else may have happened after the request went out
}
TRANSPORT_ERRORS = tuple(ERRORS)


def _without_query(record: logging.LogRecord) -> bool:
    """What httpx tells of every request, without queries and credentials: the URLs of storages are signed."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    record.args = tuple(
        one.copy_with(query=None, fragment=None, userinfo=b"") if isinstance(one, httpx.URL) else one
        for one in arguments
    )
    return True


def _without_headers(record: logging.LogRecord) -> bool:
    """What httpcore tells at level DEBUG, without the headers that have come."""
    record.msg = str(record.msg).partition(" return_value=")[0]
    return True


logging.getLogger("httpx").addFilter(_without_query)
logging.getLogger("httpcore.http11").addFilter(_without_headers)


def open_sync(settings: Settings, transport: Transport | None = None) -> Http:
    """A client for ordinary code; a transport of one's own does without our certificates."""
    tls = tls_context(settings) if transport is None else False
    client = httpx.Client(transport=transport, **_options(settings, tls, CONNECTIONS, KEEPALIVE))
    trickling.bound(client, trickling.Streams)
    return client


def open_async(
    settings: Settings,
    tls: Tls,
    *,
    connections: int = CONNECTIONS,
    keepalive: float = KEEPALIVE,
    transport: AsyncTransport | None = None,
) -> AsyncHttp:
    """A client for an event loop; ``tls`` comes of :func:`tls_context`, called in a thread."""
    client = httpx.AsyncClient(transport=transport, **_options(settings, tls, connections, keepalive))
    trickling.bound(client, trickling.AsyncStreams)
    return client


def let_go(response: Response) -> None:
    """Parts a response that was read from its stream.

    They hold each other, and would stay in memory until Python's collector walks over everything, which takes a third
    of a second in a triggerer.
    """
    response.stream = httpx.ByteStream(b"")


def tls_context(settings: Settings) -> Tls:
    """Which certificates count. Costs 25 ms and much memory for https, so one serves many clients."""
    if settings.endpoint.startswith("http://") and not settings.proxy:
        return False
    try:
        context = _trust(settings.verify)
    except OSError as error:
        raise InvalidCall(f"verify: no certificates can be read from {settings.verify!r} ({_told(error)})") from None
    if settings.client_cert:
        try:
            # Never None: OpenSSL would ask for a password on the terminal, and a worker would hang.
            password = settings.client_key_password or ""
            context.load_cert_chain(settings.client_cert, settings.client_key, password)
        except (OSError, ValueError) as error:
            files = " and ".join(repr(one) for one in (settings.client_cert, settings.client_key) if one)
            raise InvalidCall(
                f"client_cert: no certificate with its key can be read from {files} ({_told(error)}); "
                "a key with a password needs client_key_password"
            ) from None
    return context


def lost(error: Exception, call: Call, settings: Settings) -> DataRobotError:
    """Our error for a failure of the transport; names the origin, never the query.

    A traceback shows the causes too, and some of them repeat what the server has sent: they are masked in place.
    """
    _mask_chain(error, settings.secrets)
    told = scrub(str(error), settings.secrets) or "no details"
    return kind_of(error)(f"{type(error).__name__} at {settings.origin}: {told}", operation=call.operation.id)


def kind_of(error: Exception) -> type[DataRobotError]:
    """What a failure of the transport says about the request."""
    found = next(ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS)
    return NotTrusted if found is NotReached and _distrusts(error) else found


def _mask_chain(error: BaseException | None, secrets: tuple[str, ...]) -> None:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.args = tuple(scrub(one, secrets) if isinstance(one, str) else one for one in error.args)
        error = error.__cause__ or error.__context__


def _options(settings: Settings, tls: Tls, connections: int, keepalive: float) -> dict[str, Any]:
    limits = httpx.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=keepalive
    )
    proxy = settings.proxy
    proxy_tls = tls if isinstance(tls, ssl.SSLContext) and proxy and proxy.startswith("https://") else None
    return {
        "verify": tls,
        "timeout": httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout, pool=POOL_TIMEOUT),
        "limits": limits,
        "proxy": httpx.Proxy(proxy, ssl_context=proxy_tls) if proxy else None,
        "trust_env": proxy is None and not settings.loopback,
        "follow_redirects": False,
        "cookies": CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
    }


def _trust(verify: bool | str) -> ssl.SSLContext:
    if isinstance(verify, bool):
        return httpx.create_ssl_context(verify=verify)
    if os.path.isdir(verify):
        return ssl.create_default_context(capath=verify)
    return ssl.create_default_context(cafile=verify)


def _distrusts(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _told(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
