"""Reads an Airflow connection as api settings. Pure: a connection's parts go in, settings or one clear error come out.

host = endpoint, password = API token, everything else stands in ``extra``. Records of the older provider
(``extra__http__endpoint``, ``extra__http__api_key``) are understood as they are. Explicit nulls, which the
connection form writes for empty fields, count as absent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.settings import Settings

CONN_TYPE = "datarobot"
LEGACY_ENDPOINT = "extra__http__endpoint"
LEGACY_TOKEN = "extra__http__api_key"  # noqa: S105 - the name of a field

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
    endpoint = _one(name, "endpoint", _host(connection), fields.get(LEGACY_ENDPOINT), shown=True)
    token = _one(name, "API token", connection.password or None, fields.get(LEGACY_TOKEN), shown=False)
    try:
        return Settings(
            endpoint=endpoint,
            token=token,
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
        raise InvalidCall(f"{name}: {error}") from None


def _host(connection: ConnectionParts) -> str | None:
    """The endpoint of host, port and schema; the URI form carries them apart from each other."""
    host = connection.host
    if not host:
        return None
    if connection.port and "://" not in host:
        host = f"{host}:{connection.port}"
    if "://" not in host and connection.schema in ("http", "https"):
        host = f"{connection.schema}://{host}"
    return host


def _one(name: str, what: str, own: str | None, legacy: str | None, shown: bool) -> str:
    if own and legacy and own.rstrip("/") != legacy.rstrip("/"):
        values = f": {own!r} and {legacy!r}" if shown else ""
        raise InvalidCall(f"{name} has two different values for the {what}, one of its own and a legacy one{values}")
    value = own or legacy
    if not value:
        field = "host" if shown else "password"
        raise InvalidCall(f"{name} has no {what}: set its {field} ({what})")
    return str(value)


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
