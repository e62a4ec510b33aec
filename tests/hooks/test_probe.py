"""The Test button: one line for each cause, with the remedy in it, and never the token."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.hooks.datarobot import DataRobotHook
from tests.api.server import Server
from tests.api.test_transport import Authority

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.hooks.conftest import Connect


def told() -> str:
    """What is wrong."""
    good, line = DataRobotHook().test_connection()
    assert not good
    assert "\n" not in line
    assert "requester-token" not in line
    return line


def test_a_good_connection_says_what_answers_and_what_to_set(service: EmulatorDoor) -> None:
    good, line = DataRobotHook().test_connection()
    assert good
    assert line.startswith("DataRobot API 2.")
    assert "min_heartbeat_interval=1" in line
    assert [one["operationId"] for one in service.log()] == ["getVersion", "listDeployments"]


def test_a_bad_token(service: EmulatorDoor, connect: Connect) -> None:
    connect(service.endpoint, "nobody-s-token")
    assert told().startswith("the service refused the API token (401): check the password field, and auth_scheme")


def test_a_token_without_permission(service: EmulatorDoor) -> None:
    service.fault("status", operationId="listDeployments", code=403)
    assert told().startswith("the token is valid and may not list deployments (403)")


def test_a_wrong_path(service: EmulatorDoor, connect: Connect) -> None:
    connect(f"{service.url}/api/v1")
    assert "host (endpoint) must end with /api/v2, not with the path '/api/v1'" in told()


def test_a_prefix_under_which_nobody_answers(service: EmulatorDoor, connect: Connect) -> None:
    connect(f"{service.url}/ml/api/v2")
    assert told().startswith("something answers and it is not the API: check the path of the endpoint")


def test_a_web_page(service: EmulatorDoor) -> None:
    service.fault("html_page", operationId="getVersion", code=200)
    assert told().startswith("something answers and it is not the API: check the path of the endpoint")


def test_nobody_there(connect: Connect) -> None:
    connect("http://127.0.0.1:1/api/v2")
    assert told().startswith("the endpoint cannot be reached: check address, scheme (http or https) and proxy")


def test_https_where_http_is_spoken(service: EmulatorDoor, connect: Connect) -> None:
    connect(service.endpoint.replace("http://", "https://"))
    assert told().startswith("the endpoint cannot be reached: check address, scheme (http or https) and proxy")


def test_an_answer_that_breaks_off(service: EmulatorDoor) -> None:
    service.fault("reset", operationId="getVersion", times=0)
    assert told().startswith("the endpoint was reached and gave no whole answer")


def test_a_service_that_fails(service: EmulatorDoor) -> None:
    service.fault("status", operationId="getVersion", code=503, times=0)
    assert "503" in told()
    assert len(service.log()) == 1  # once: somebody is looking at the button


def test_a_certificate_that_is_not_trusted(connect: Connect, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("server"))
    with Server(_version, tls).in_thread() as server:
        connect(server.endpoint)
        assert told().startswith("the certificate of the endpoint is not trusted: ca_bundle must name its authority")
        connect(server.endpoint, ca_bundle=authority.ca)
        assert DataRobotHook().test_connection()[0]


def test_a_bundle_that_is_not_there(connect: Connect) -> None:
    connect("https://127.0.0.1:1/api/v2", ca_bundle="/nowhere/ca.pem")
    assert "'/nowhere/ca.pem'" in told()


@pytest.mark.parametrize(
    ("extra", "text"),
    [({"auth_scheme": "Basic"}, "auth_scheme must be one of Bearer, Token"), ({"location": "x"}, "location must be")],
)
def test_a_field_that_makes_no_sense(service: EmulatorDoor, connect: Connect, extra: Any, text: str) -> None:
    connect(service.endpoint, **extra)
    assert text in told()
    assert service.log() == []


async def _version(visit: Any) -> None:
    body = b'{"major": 2, "minor": 36, "versionString": "2.36.0"}'
    if "deployments" in visit.line:
        body = b'{"data": [], "count": 0, "next": null, "previous": null}'
    await visit.say("200 OK", body)
