"""An Airflow connection as settings: every form in which people write one, and what is said about a wrong one."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.settings import Settings
from airflow_provider.hooks.connection import settings_from

TOKEN = "very-secret-token"
ENDPOINT = "https://app.datarobot.com/api/v2"
LEGACY = {"extra__http__endpoint": ENDPOINT, "extra__http__api_key": TOKEN}


@dataclass
class Parts:
    conn_id: str = "prod"
    conn_type: str | None = "datarobot"
    host: str | None = ENDPOINT
    port: int | None = None
    schema: str | None = None
    password: str | None = TOKEN


def told(parts: Parts, extra: dict[str, Any]) -> str:
    with pytest.raises(InvalidCall) as caught:
        settings_from(parts, extra)
    assert TOKEN not in str(caught.value)
    assert str(caught.value).startswith("connection 'prod': ")
    return str(caught.value).removeprefix("connection 'prod': ")


def test_host_and_password_are_enough() -> None:
    assert settings_from(Parts(), {}) == Settings(ENDPOINT, TOKEN)


def test_every_declared_field_is_read() -> None:
    extra = {
        "auth_scheme": "Token",
        "verify_tls": True,
        "ca_bundle": "/etc/ssl/ours.pem",
        "client_cert": "/etc/ssl/me.pem",
        "client_key": "/etc/ssl/me.key",
        "client_key_password": "pw-of-key",
        "proxy": "http://user:pw@proxy:3128",
        "connect_timeout": 3,
        "read_timeout": "30.5",
        "location": "rebase",
        "extra_headers": {"X-Team": "risk"},
    }
    assert settings_from(Parts(), extra) == Settings(
        endpoint=ENDPOINT,
        token=TOKEN,
        scheme="Token",
        verify="/etc/ssl/ours.pem",
        client_cert="/etc/ssl/me.pem",
        client_key="/etc/ssl/me.key",
        client_key_password="pw-of-key",
        proxy="http://user:pw@proxy:3128",
        connect_timeout=3.0,
        read_timeout=30.5,
        extra_headers=(("X-Team", "risk"),),
        location="rebase",
    )


def test_nulls_that_the_form_writes_for_empty_fields_count_as_absent() -> None:
    from airflow_provider.provider_info.connection import FIELDS

    assert settings_from(Parts(), dict.fromkeys(FIELDS)) == settings_from(Parts(), {})
    assert settings_from(Parts(), dict.fromkeys(FIELDS, "")) == settings_from(Parts(), {})
    assert settings_from(Parts(), {"extra__http__endpoint": None, "extra__http__api_key": ""}).token == TOKEN


@pytest.mark.parametrize("verify", [False, "false", "False", "0", "no"], ids=repr)
def test_certificates_may_go_unchecked(verify: Any) -> None:
    assert settings_from(Parts(), {"verify_tls": verify}).verify is False


def test_headers_may_be_written_as_text() -> None:
    assert settings_from(Parts(), {"extra_headers": '{"X-Team": "risk"}'}).extra_headers == (("X-Team", "risk"),)


# --- records of the older provider ----------------------------------------------------------------------------------


def test_a_record_of_the_older_provider_is_read_as_it_is() -> None:
    parts = Parts(conn_type="http", host=None, password=None)
    assert settings_from(parts, LEGACY) == Settings(ENDPOINT, TOKEN)


@pytest.mark.parametrize("host", [ENDPOINT, f"{ENDPOINT}/", "https://app.datarobot.com", "app.datarobot.com"])
def test_old_and_new_fields_that_say_the_same_may_both_be_there(host: str) -> None:
    assert settings_from(Parts(host=host), LEGACY) == Settings(ENDPOINT, TOKEN)


def test_old_and_new_fields_that_differ_are_both_named() -> None:
    extra = {**LEGACY, "extra__http__endpoint": "https://user:pw@eu.datarobot.com/api/v2"}
    text = told(Parts(host="https://me:pw2@app.datarobot.com"), extra)
    assert text == (
        "host and extra__http__endpoint are two different endpoints, 'https://***@app.datarobot.com' and "
        "'https://***@eu.datarobot.com/api/v2': remove one of them"
    )


def test_tokens_that_differ_are_named_and_not_shown() -> None:
    text = told(Parts(password="another-secret"), LEGACY)
    assert text == "password and extra__http__api_key are two different API tokens: remove one of them"


@pytest.mark.parametrize("conn_type", ["datarobot", "http", "generic", "", None], ids=repr)
def test_any_type_of_connection_will_do(conn_type: str | None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "airflow_provider.hooks.connection"):
        assert settings_from(Parts(conn_type=conn_type), {}).token == TOKEN
    assert ("has type" in caplog.text) is (conn_type != "datarobot")


def test_fields_that_nobody_reads_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "airflow_provider.hooks.connection"):
        settings_from(Parts(), {"verify_tsl": False, **LEGACY, "extra__http__x": 1})
    assert "these fields of extra are not read: verify_tsl" in caplog.text


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "endpoint"),
    [
        ({"host": "app.datarobot.com"}, ENDPOINT),
        ({"host": "app.datarobot.com", "schema": "https"}, ENDPOINT),
        ({"host": "localhost", "port": 8085, "schema": "http"}, "http://localhost:8085/api/v2"),
        ({"host": "app.datarobot.com", "port": 8443}, "https://app.datarobot.com:8443/api/v2"),
        ({"host": "https://app.datarobot.com", "port": 8443}, "https://app.datarobot.com:8443/api/v2"),
        ({"host": "https://app.datarobot.com:443/api/v2", "port": 8443}, ENDPOINT),
        ({"host": "app.datarobot.com", "schema": "ml/api/v2"}, "https://app.datarobot.com/ml/api/v2"),
        ({"host": "https://app.datarobot.com/api/v2", "schema": "api/v2"}, ENDPOINT),
        ({"host": "::1", "port": 8085}, "https://[::1]:8085/api/v2"),
        ({"host": "[::1]:8085"}, "https://[::1]:8085/api/v2"),
    ],
    ids=str,
)
def test_parts_of_an_address_make_the_endpoint(parts: dict[str, Any], endpoint: str) -> None:
    assert settings_from(Parts(**parts), {}).endpoint == endpoint


@pytest.mark.parametrize(
    ("uri", "endpoint"),
    [
        ("datarobot://:{}@app.datarobot.com", ENDPOINT),
        ("datarobot://:{}@app.datarobot.com/api/v2", ENDPOINT),
        ("datarobot://:{}@app.datarobot.com:8443/ml/api/v2", "https://app.datarobot.com:8443/ml/api/v2"),
        ("datarobot://:{}@https%3A%2F%2Fapp.datarobot.com%2Fapi%2Fv2", ENDPOINT),
        ("datarobot://https://:{}@app.datarobot.com:8443/ml/api/v2", "https://app.datarobot.com:8443/ml/api/v2"),
        ("datarobot://http://:{}@localhost:8085", "http://localhost:8085/api/v2"),
        ("datarobot://:{}@localhost:8085/http", "http://localhost:8085/api/v2"),
        ("datarobot://:{}@[::1]:8085/api/v2", "https://[::1]:8085/api/v2"),
        ("http://:{}@localhost:8085/https", "https://localhost:8085/api/v2"),
    ],
)
def test_the_uri_form(uri: str, endpoint: str) -> None:
    from airflow.models.connection import Connection

    connection = Connection(conn_id="prod", uri=uri.format(TOKEN) + "?auth_scheme=Token")
    settings = settings_from(connection, connection.extra_dejson)
    assert (settings.endpoint, settings.token, settings.scheme) == (endpoint, TOKEN, "Token")


# --- wrong ones -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "extra", "text"),
    [
        ({"host": None}, {}, "host is empty: it must be the endpoint, https://host/api/v2"),
        ({"host": ""}, {}, "host is empty"),
        ({"password": None}, {}, "password is empty: it must be the API token"),
        ({"password": "two words"}, {}, "password (API token) must be one word"),
        ({"host": "https://app.datarobot.com/api/v1"}, {}, "host (endpoint) must end with /api/v2, not with the path"),
        ({"host": "ftp://app.datarobot.com"}, {}, "host (endpoint) must be like https://host/api/v2"),
        ({"host": "https://[::1"}, {}, "host (endpoint) 'https://[::1' is no URL"),
        ({}, {"auth_scheme": "Basic"}, "auth_scheme must be one of Bearer, Token, not 'Basic'"),
        ({}, {"verify_tls": "perhaps"}, "verify_tls must be true or false, not 'perhaps'"),
        ({}, {"verify_tls": False, "ca_bundle": "/x"}, "ca_bundle is given and verify_tls is off"),
        ({}, {"connect_timeout": "soon"}, "connect_timeout must be a number of seconds, not 'soon'"),
        ({}, {"read_timeout": -1}, "read_timeout must be a positive number of seconds, not -1"),
        ({}, {"read_timeout": "nan"}, "read_timeout must be a positive number of seconds, not nan"),
        ({}, {"location": "follow"}, "location must be one of refuse, rebase, not 'follow'"),
        ({}, {"extra_headers": "X-Team: risk"}, "extra_headers must be a JSON object"),
        ({}, {"extra_headers": ["X-Team"]}, "extra_headers must be a JSON object"),
        ({}, {"extra_headers": {"Authorization": "x"}}, "extra_headers must not set Authorization"),
        ({}, {"proxy": "proxy:3128"}, "proxy must be a URL like http://host:port"),
        ({}, {"client_key": "/k"}, "client_key is given without client_cert"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_with_the_names_of_the_form(
    parts: dict[str, Any], extra: dict[str, Any], text: str
) -> None:
    assert told(Parts(**parts), extra).startswith(text)


def test_neither_password_nor_proxy_is_in_any_text() -> None:
    extra = {"proxy": "http://user:proxy-secret@proxy:3128", "extra_headers": {"X-Key": "header-secret"}}
    settings = settings_from(Parts(), extra)
    shown = repr(settings) + json.dumps([str(settings)])
    assert not [secret for secret in (TOKEN, "proxy-secret", "header-secret") if secret in shown]
