"""Reads an Airflow connection as api settings. Pure: a connection's parts go in, settings or one clear error come out.

host = endpoint, password = API token, everything else stands in ``extra``. Records of the older provider
(``extra__http__endpoint``, ``extra__http__api_key``) are understood as they are. Explicit nulls, which the
connection form writes for empty fields, count as absent. The URI form of a connection carries the endpoint in parts:
``datarobot://:TOKEN@host:port/path``, with https unless the host says otherwise.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.settings import API_PATH, Settings, without_credentials
from airflow_provider.provider_info.connection import FIELDS

CONN_TYPE = "datarobot"
LEGACY_ENDPOINT = "extra__http__endpoint"
LEGACY_TOKEN = "extra__http__api_key"  # noqa: S105 - the name of a field
# What the settings call otherwise than the connection form.
FORM_NAMES = {"endpoint": "host (endpoint)", "token": "password (API token)", "scheme": "auth_scheme"}

log = logging.getLogger(__name__)


class ConnectionParts(Protocol):
    """The part of an Airflow connection that is read."""

    conn_id: str
    conn_type: str | None
    host: str | None
    port: int | None
    schema: str | None
    password: str | None


def settings_from(connection: ConnectionParts, extra: Mapping[str, Any]) -> Settings:
    """The settings that a connection and its parsed ``extra`` describe.

    Raises :class:`InvalidCall` that names the connection, the field, what was given and what is allowed.
    """
    name = f"connection {connection.conn_id!r}"
    if connection.conn_type != CONN_TYPE:
        log.debug("%s has type %r, read as %r all the same", name, connection.conn_type, CONN_TYPE)
    fields = {key: value for key, value in extra.items() if value not in (None, "")}
    unread = sorted(key for key in fields if key not in FIELDS and not key.startswith("extra__"))
    if unread:
        log.info("%s: these fields of extra are not read: %s", name, ", ".join(unread))
    try:
        return Settings(
            endpoint=_endpoint(_host(connection), fields.get(LEGACY_ENDPOINT)),
            token=_token(connection.password or None, fields.get(LEGACY_TOKEN)),
            scheme=fields.get("auth_scheme", "Bearer"),
            verify=_verify(fields),
            client_cert=fields.get("client_cert"),
            client_key=fields.get("client_key"),
            client_key_password=fields.get("client_key_password"),
            proxy=fields.get("proxy"),
            connect_timeout=_seconds(fields, "connect_timeout", 6.05),
            read_timeout=_seconds(fields, "read_timeout", 60.0),
            extra_headers=_headers(fields.get("extra_headers")),
            location=fields.get("location", "refuse"),
        )
    except InvalidCall as error:
        field, _, rest = error.message.partition(" ")
        raise InvalidCall(f"{name}: {FORM_NAMES.get(field, field)} {rest}") from None


def _host(connection: ConnectionParts) -> str | None:
    """The endpoint of host, port and schema, which the URI form carries apart from each other."""
    host, schema = connection.host, connection.schema or ""
    if not host:
        return None
    if "://" not in host:
        bare_ipv6 = host.count(":") > 1 and not host.startswith("[")
        host = f"[{host}]" if bare_ipv6 else host
        host = f"{schema}://{host}" if schema in ("http", "https") else f"https://{host}"
    try:
        parts = urlsplit(host)
    except ValueError:  # the settings tell what is wrong with it
        return host
    if connection.port and ":" not in parts.netloc.rpartition("]")[2].rpartition("@")[2]:
        parts = parts._replace(netloc=f"{parts.netloc}:{connection.port}")
    if schema not in ("", "http", "https") and parts.path in ("", "/"):
        parts = parts._replace(path=f"/{schema}")
    return parts.geturl()


def _endpoint(own: str | None, legacy: Any) -> str:
    if own and legacy and _same(own) != _same(str(legacy)):
        values = f"{without_credentials(own)!r} and {without_credentials(str(legacy))!r}"
        raise InvalidCall(f"host and {LEGACY_ENDPOINT} are two different endpoints, {values}: remove one of them")
    if not own and not legacy:
        raise InvalidCall("host is empty: it must be the endpoint, https://host/api/v2")
    return own or str(legacy)


def _same(endpoint: str) -> str:
    """Endpoints that are written differently and mean the same."""
    return endpoint.removeprefix("https://").rstrip("/").removesuffix(API_PATH)


def _token(own: str | None, legacy: Any) -> str:
    if own and legacy and own != legacy:
        raise InvalidCall(f"password and {LEGACY_TOKEN} are two different API tokens: remove one of them")
    if not own and not legacy:
        raise InvalidCall("password is empty: it must be the API token")
    return own or str(legacy)


def _verify(fields: Mapping[str, Any]) -> bool | str:
    verify = _boolean("verify_tls", fields.get("verify_tls", True))
    bundle = fields.get("ca_bundle")
    if bundle and not verify:
        raise InvalidCall("ca_bundle is given and verify_tls is off: leave one of them out")
    return str(bundle) if bundle else verify


def _boolean(name: str, value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    word = str(value).strip().lower()
    if word not in words:
        raise InvalidCall(f"{name} must be true or false, not {value!r}")
    return words[word]


def _seconds(fields: Mapping[str, Any], name: str, default: float) -> float:
    value = fields.get(name, default)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidCall(f"{name} must be a number of seconds, not {value!r}") from None


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        parsed = None
    if not isinstance(parsed, Mapping):
        raise InvalidCall("extra_headers must be a JSON object of header names and values")
    return tuple((str(key), str(text)) for key, text in parsed.items())
