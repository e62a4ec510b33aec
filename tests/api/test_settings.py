"""Settings: what they make of an endpoint, what they refuse, what they never show."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import Any

import pytest

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.settings import Settings
from tests.api.tools import TOKEN, settings


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("https://app.datarobot.com/api/v2", "https://app.datarobot.com/api/v2"),
        ("https://app.datarobot.com/api/v2/", "https://app.datarobot.com/api/v2"),
        ("https://app.datarobot.com/api/v2///", "https://app.datarobot.com/api/v2"),
        ("https://app.datarobot.com", "https://app.datarobot.com/api/v2"),
        ("https://app.datarobot.com/", "https://app.datarobot.com/api/v2"),
        ("app.datarobot.com", "https://app.datarobot.com/api/v2"),
        ("app.datarobot.com/api/v2", "https://app.datarobot.com/api/v2"),
        ("app.datarobot.com:8443", "https://app.datarobot.com:8443/api/v2"),
        (" https://App.DataRobot.com:443/api/v2 ", "https://app.datarobot.com/api/v2"),
        ("https://gw.example.com/datarobot/api/v2/", "https://gw.example.com/datarobot/api/v2"),
        ("http://127.0.0.1:8085", "http://127.0.0.1:8085/api/v2"),
        ("http://localhost:80/api/v2", "http://localhost/api/v2"),
        ("https://[::1]:8443/api/v2", "https://[::1]:8443/api/v2"),
    ],
)
def test_an_endpoint_has_one_form(given: str, endpoint: str) -> None:
    assert settings(endpoint=given).endpoint == endpoint


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "endpoint must be the URL of the API, https://host/api/v2, not empty"),
        (None, "not empty"),
        ("https://host/api/v1", "endpoint must end with /api/v2, not with the path '/api/v1'"),
        ("https://host/api/v2/deployments/", "not with the path '/api/v2/deployments'"),
        ("https://host/login", "not with the path '/login'"),
        ("ftp://host/api/v2", "(http or https), not 'ftp://host/api/v2'"),
        ("https:///api/v2", "must be like https://host/api/v2"),
        ("https://host:99999/api/v2", "is no URL: Port out of range"),
        ("https://me:pass@host/api/v2", "no user, password, query or fragment: 'https://***@host/api/v2'"),
        ("https://host/api/v2?token=pass", "no user, password, query or fragment: 'https://host/api/v2'"),
        ("https://ho st/api/v2", "must be like https://host/api/v2"),
        ("https://host\\@evil/api/v2", "must be like https://host/api/v2"),
        ("https://me:pass@[host/api/v2?token=pass", "endpoint 'https://***@[host/api/v2' is no URL"),
    ],
)
def test_another_endpoint_is_refused(given: Any, told: str) -> None:
    with pytest.raises(InvalidCall) as caught:
        settings(endpoint=given)
    assert told in str(caught.value)
    assert "pass@" not in str(caught.value)
    assert "token=pass" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"token": ""}, "token must be the API token, not empty"),
        ({"token": "two words"}, "token must be one word"),
        ({"token": "line\nX-Evil: 1"}, "token must be one word"),
        ({"scheme": "Basic"}, "scheme must be one of Bearer, Token, not 'Basic'"),
        ({"location": "follow"}, "location must be one of refuse, rebase, not 'follow'"),
        ({"verify": ""}, "verify must be true, false or the path of a CA bundle, not ''"),
        ({"verify": 1.5}, "not 1.5"),
        ({"client_key": "k.pem"}, "client_key is given without client_cert"),
        ({"client_key_password": "geheim"}, "client_key_password is given without client_cert"),
        ({"proxy": "proxy:3128"}, "proxy must be a URL like http://host:port"),
        ({"proxy": "http://:pw-of-proxy@"}, "proxy must be a URL"),
        ({"proxy": "ftp://me:pw-of-proxy@host"}, "proxy must be a URL"),
        ({"proxy": 7}, "proxy must be a URL"),
        ({"read_timeout": 0}, "read_timeout must be a positive number of seconds, not 0"),
        ({"connect_timeout": "6"}, "connect_timeout must be a positive number of seconds, not '6'"),
        ({"connect_timeout": float("inf")}, "connect_timeout must be a positive number"),
        ({"extra_headers": (("Authorization", "x"),)}, "extra_headers must not set Authorization"),
        ({"extra_headers": (("a b", "x"),)}, "'a b' is no name of a header"),
        ({"extra_headers": (("X-A", "a\r\nX-B: b"),)}, "the value of X-A must be printable ASCII on one line"),
        ({"extra_headers": (("X-A",),)}, "extra_headers must be pairs"),
        ({"extra_headers": (("X-A", 1),)}, "extra_headers must be pairs"),
    ],
)
def test_other_bad_settings_are_refused_by_name(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidCall) as caught:
        settings(**given)
    assert told in str(caught.value)
    for secret in ("geheim", "pw-of-proxy", "X-Evil", "X-B"):
        assert secret not in str(caught.value)


def test_nothing_secret_is_shown() -> None:
    made = settings(
        proxy="http://me:pw-of-proxy@proxy:3128",
        client_cert="c.pem",
        client_key_password="pw-of-key",
        extra_headers={"X-Gateway": "pw-of-gateway"},
    )
    shown = repr(made) + str(made) + f"{made}"
    for secret in (TOKEN, "pw-of-proxy", "pw-of-key", "pw-of-gateway"):
        assert secret not in shown
        assert secret in made.secrets
    assert "http://***@proxy:3128" in shown
    assert "X-Gateway" in shown


def test_equal_settings_are_one_key_and_survive_a_copy() -> None:
    made = settings(extra_headers={"X-A": "1"})
    assert {made: 1}[settings(extra_headers=(("X-A", "1"),))] == 1
    assert settings(token="another") != made
    assert pickle.loads(pickle.dumps(made)) == copy.copy(made) == made  # noqa: S301 - our own bytes


def test_parts_of_the_endpoint() -> None:
    made = settings(endpoint="https://gw.example.com:8443/datarobot/api/v2")
    assert made.origin == "https://gw.example.com:8443"
    assert made.api_path == "/datarobot/api/v2/"
    assert made.web_url == "https://gw.example.com:8443/datarobot"
    assert settings().web_url == "https://app.example.com"


@pytest.mark.parametrize(
    ("endpoint", "loopback"),
    [("http://localhost", True), ("http://127.8.0.1", True), ("http://[::1]", True), ("https://10.0.0.1", False)],
)
def test_loopback(endpoint: str, loopback: bool) -> None:
    assert settings(endpoint=endpoint).loopback is loopback


def test_plain_http_off_loopback_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        settings(endpoint="http://127.0.0.1:8085")
        assert not caplog.records
        settings(endpoint="http://plain.example.com")
        settings(endpoint="http://plain.example.com", token="another")
    assert [record.getMessage() for record in caplog.records] == [
        "http://plain.example.com is not encrypted: the API token travels in plain text; use https"
    ]


def test_the_environment_of_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAROBOT_ENDPOINT", "https://env.example.com/api/v2/")
    monkeypatch.setenv("DATAROBOT_API_TOKEN", TOKEN)
    assert Settings.from_env() == settings(endpoint="https://env.example.com/api/v2")
    assert Settings.from_env(scheme="Token").scheme == "Token"
    assert Settings.from_env(endpoint="https://other.example.com").origin == "https://other.example.com"
    monkeypatch.delenv("DATAROBOT_API_TOKEN")
    with pytest.raises(InvalidCall, match="environment variable DATAROBOT_API_TOKEN is not set"):
        Settings.from_env()
