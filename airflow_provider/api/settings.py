"""Where the service is and how to speak to it: one frozen object, checked when it is made.

Proxies: ``proxy`` wins; without it the environment's ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` count, in the
sync and in the async client alike, except for a service on this machine, which is always asked directly.
"""

from __future__ import annotations

import base64
import ipaddress
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from airflow_provider.api.errors import InvalidCall

API_PATH = "/api/v2"
DEFAULT_PORTS = {"http": 80, "https": 443}
SCHEMES = ("Bearer", "Token")  # wire.md B: the service takes both
LOCATIONS = ("refuse", "rebase")
PROXY_SCHEMES = ("http", "https")
PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
SECRET = frozenset({"token", "client_key_password"})
# RFC 9110, 5.6.2: the letters of a header's name.
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# A header of such a name carries a credential; the values of others (a tenant, a user) stand rightly in answers, too.
CREDENTIAL_NAME = re.compile(r"key|token|secret|auth|passw|credential|cookie|session|signature", re.IGNORECASE)
# Ours to set: another value would send the token elsewhere, break the framing, or hide what is asked for.
OWN_HEADERS = frozenset(
    {"authorization", "host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"}
)

log = logging.getLogger(__name__)
_warned: set[str] = set()


@dataclass(frozen=True, repr=False)
class Settings:
    """How to reach one tenant of the service.

    :param endpoint: ``https://host[:port][/prefix]/api/v2``; a bare host gets ``https://`` and ``/api/v2``.
    :param token: the API token; it is sent to the endpoint's origin and nowhere else.
    :param scheme: ``Bearer`` or ``Token``, the word before the token.
    :param verify: True, False, or the path of a CA bundle (file or folder).
    :param client_cert: PEM file with a client certificate, with its key in it or in ``client_key``.
    :param proxy: URL of a proxy, credentials included; see the module for what counts without it.
    :param connect_timeout: seconds (6.05, as the vendor's client: wire.md B).
    :param read_timeout: seconds without a byte of the answer (60, as the vendor's client).
    :param extra_headers: name and value pairs that go with every request.
    :param location: what to do with a ``Location`` on another origin: ``refuse``, or ``rebase`` its path and query
        onto the endpoint (for installations behind a proxy that answer with internal addresses).

    Hashable (clients are shared by equal settings); its repr shows no secret. Raises :class:`InvalidCall`.
    """

    endpoint: str
    token: str
    scheme: Literal["Bearer", "Token"] = "Bearer"
    verify: bool | str = True
    client_cert: str | None = None
    client_key: str | None = None
    client_key_password: str | None = None
    proxy: str | None = None
    connect_timeout: float = 6.05
    read_timeout: float = 60.0
    extra_headers: tuple[tuple[str, str], ...] = ()
    location: Literal["refuse", "rebase"] = "refuse"

    def __post_init__(self) -> None:
        object.__setattr__(self, "endpoint", _endpoint(self.endpoint))
        object.__setattr__(self, "token", _token(self.token))
        _one_of("scheme", self.scheme, SCHEMES)
        _one_of("location", self.location, LOCATIONS)
        _check_files(self)
        _check_proxy(self.proxy)
        _check_seconds("connect_timeout", self.connect_timeout)
        _check_seconds("read_timeout", self.read_timeout)
        object.__setattr__(self, "extra_headers", _headers(self.extra_headers))
        _warn_plain(self)

    @classmethod
    def from_env(cls, **given: Any) -> Settings:
        """Settings of DATAROBOT_ENDPOINT and DATAROBOT_API_TOKEN, for notebooks; ``given`` wins over them."""
        for name, variable in (("endpoint", "DATAROBOT_ENDPOINT"), ("token", "DATAROBOT_API_TOKEN")):
            if name not in given:
                if not os.environ.get(variable):
                    raise InvalidCall(f"the environment variable {variable} is not set, and no {name} was given")
                given[name] = os.environ[variable]
        return cls(**given)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the endpoint."""
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def api_path(self) -> str:
        """Path of the endpoint with a slash at its end: what the path of every ``Location`` must begin with."""
        return urlsplit(self.endpoint).path + "/"

    @property
    def web_url(self) -> str:
        """Root of the service's web pages, for links: the endpoint without ``/api/v2``."""
        return self.endpoint.removesuffix(API_PATH)

    @property
    def loopback(self) -> bool:
        """Whether the service runs on this machine."""
        return is_loopback(urlsplit(self.endpoint).hostname or "")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no log and no error may show."""
        headers = [value for _, value in self.extra_headers]
        named = (self.token, quote(self.token, safe=""), self.client_key_password, *self._proxy_secrets, *headers)
        return tuple(dict.fromkeys(text for text in named if text))

    @property
    def credentials(self) -> tuple[str, ...]:
        """What the service is sent to know us by: no answer has a reason to repeat it."""
        return (self.token, *(value for name, value in self.extra_headers if CREDENTIAL_NAME.search(name)))

    @property
    def _proxy_secrets(self) -> tuple[str, ...]:
        """Passwords of the proxy, or of those that the environment names where the settings name none."""
        environment = [url for name, url in os.environ.items() if name.upper() in PROXY_VARIABLES]
        return tuple(secret for url in ([self.proxy] if self.proxy else environment) for secret in _passwords(url))

    def __repr__(self) -> str:
        shown = {one.name: getattr(self, one.name) for one in fields(self)}
        shown |= {name: "***" for name in SECRET if shown[name]}
        shown["extra_headers"] = tuple(name for name, _ in self.extra_headers)
        shown["proxy"] = without_credentials(self.proxy) if self.proxy else None
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def origin_of(parts: SplitResult) -> tuple[str, str, int | None]:
    """Scheme, host and port in comparable form; raises ValueError for a port that is none."""
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), parts.port or DEFAULT_PORTS.get(scheme)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def without_credentials(url: str) -> str:
    """The URL with user and password hidden."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"***@{host}" if "@" in parts.netloc else host))


def _passwords(url: str) -> tuple[str, ...]:
    """The password of a proxy: as it is, as the URL has it, and as it goes over the wire."""
    try:
        parts = urlsplit(url)
    except ValueError:  # of the environment, where nobody has checked it
        return ()
    if not parts.password:
        return ()
    user, password = unquote(parts.username or ""), unquote(parts.password)
    return password, parts.password, base64.b64encode(f"{user}:{password}".encode()).decode()


def _endpoint(given: Any) -> str:
    text = given.strip() if isinstance(given, str) else ""
    if not text:
        raise InvalidCall("endpoint must be the URL of the API, https://host/api/v2, not empty")
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        scheme, host, port = origin_of(parts)
    except ValueError as error:
        raise InvalidCall(f"endpoint {_shown(text)} is no URL: {error}") from None
    if scheme not in DEFAULT_PORTS or not host or re.search(r"[\s\\]", text):
        raise InvalidCall(f"endpoint must be like https://host/api/v2 (http or https), not {_shown(text)}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidCall(f"endpoint must have no user, password, query or fragment: {_shown(text)}")
    host = f"[{host}]" if ":" in host else host
    netloc = host if port == DEFAULT_PORTS[scheme] else f"{host}:{port}"
    return f"{scheme}://{netloc}{_path(parts.path, text)}"


def _path(path: str, text: str) -> str:
    path = re.sub(r"/+", "/", path).rstrip("/")
    if not path:
        return API_PATH
    if not path.endswith(API_PATH):
        raise InvalidCall(f"endpoint must end with {API_PATH}, not with the path {path!r}: {_shown(text)}")
    return path


def _shown(url: str) -> str:
    """An endpoint for an error text: never its user, password or query."""
    try:
        return repr(urlunsplit(urlsplit(without_credentials(url))._replace(query="", fragment="")))
    except ValueError:
        return repr(re.sub(r"//[^/]*@", "//***@", url.partition("?")[0]))


def _token(given: Any) -> str:
    text = given.strip() if isinstance(given, str) else ""
    if not text:
        raise InvalidCall("token must be the API token, not empty")
    if not text.isascii() or not text.isprintable() or " " in text:
        # Its letters are not shown: they are the secret.
        raise InvalidCall("token must be one word of printable ASCII letters, without blanks or line ends in it")
    return text


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidCall(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def _check_files(settings: Settings) -> None:
    verify: Any = settings.verify  # callers without a type checker give anything
    if not isinstance(verify, (bool, str)) or verify == "":
        raise InvalidCall(f"verify must be true, false or the path of a CA bundle, not {settings.verify!r}")
    if settings.client_key and not settings.client_cert:
        raise InvalidCall("client_key is given without client_cert: give the certificate too")
    if settings.client_key_password and not settings.client_cert:
        raise InvalidCall("client_key_password is given without client_cert: give the certificate too")


def _check_proxy(proxy: Any) -> None:
    if proxy is None:
        return
    try:
        parts = urlsplit(proxy)
        fits = parts.scheme in PROXY_SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except (TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        # The value is not shown: where the rest is wrong, nobody knows which part of it is the password.
        raise InvalidCall(f"proxy must be a URL like http://host:port ({', '.join(PROXY_SCHEMES)})")


def _check_seconds(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise InvalidCall(f"{name} must be a positive number of seconds, not {value!r}")


def _headers(given: Any) -> tuple[tuple[str, str], ...]:
    pairs = tuple(given.items()) if isinstance(given, Mapping) else tuple(given)
    for pair in pairs:
        if len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise InvalidCall("extra_headers must be pairs of a name and a value, both texts")
        name, value = pair
        if not HEADER_NAME.fullmatch(name):
            raise InvalidCall(f"extra_headers: {name!r} is no name of a header")
        if name.lower() in OWN_HEADERS:
            raise InvalidCall(f"extra_headers must not set {name}: the client does")
        if not value.isascii() or not value.isprintable():
            raise InvalidCall(f"extra_headers: the value of {name} must be printable ASCII on one line")
    return tuple((name, value) for name, value in pairs)


def _warn_plain(settings: Settings) -> None:
    if settings.endpoint.startswith("http://") and not settings.loopback and settings.origin not in _warned:
        _warned.add(settings.origin)
        log.warning("%s is not encrypted: the API token travels in plain text; use https", settings.origin)
