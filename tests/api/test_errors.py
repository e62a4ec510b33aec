"""The tree of errors: complete, drawn as it is, and silent about secrets."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import httpx
import pytest

from airflow_provider.api import errors, transport
from airflow_provider.api.answers import error_from
from airflow_provider.api.errors import BY_STATUS, DataRobotError, InvalidCall, error_class
from airflow_provider.contract import contract
from airflow_provider.mlops.replacement import ReplacementRefused
from tests.api.tools import TOKEN, answer

CLASSES = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, DataRobotError)]


def test_every_status_of_the_contract_has_one_class() -> None:
    statuses = {int(status) for one in contract().operations.values() for status in one.responses}
    failing = {status for status in statuses if status >= 400}
    assert failing >= {400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500, 501, 502, 503, 504}
    for status in failing:
        found = error_class(status)
        assert issubclass(found, errors.Refused if status < 500 else errors.ServiceFailed)
        assert found is BY_STATUS.get(status, errors.Refused if status < 500 else errors.ServiceFailed)


@pytest.mark.parametrize(
    ("status", "found"),
    [(418, errors.Refused), (408, errors.GatewayFailed), (599, errors.ServiceFailed), (302, errors.Redirected)],
)
def test_other_statuses_have_a_class_too(status: int, found: type[DataRobotError]) -> None:
    assert error_class(status) is found


def test_every_error_of_the_transport_has_one_class() -> None:
    listed = [one for one in vars(httpx).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert len(listed) > 20
    for kind in listed:
        assert any(above in transport.ERRORS for above in kind.__mro__), kind
        error = kind.__new__(kind)
        assert issubclass(transport.kind_of(error), DataRobotError)


def test_only_what_never_left_counts_as_not_sent() -> None:
    unsent = {kind.__name__ for kind, ours in transport.ERRORS.items() if ours is errors.NotReached}
    assert unsent == {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"}
    for name in ("ReadTimeout", "WriteTimeout", "ReadError", "WriteError", "CloseError", "RemoteProtocolError"):
        kind = getattr(httpx, name)
        assert transport.kind_of(kind("x")) is errors.AnswerLost


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = (errors.__doc__ or "").split("\n\n")[1]
    assert set(re.findall(r"\b[A-Z]\w+[a-z]\b", drawn)) >= {one.__name__ for one in CLASSES}
    assert len(CLASSES) == 28


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_says_what_may_have_become_of_a_write(kind: type[DataRobotError]) -> None:
    assert kind.sent in ("no", "maybe", "yes")
    assert kind.__doc__


def test_what_may_have_happened() -> None:
    maybe = {one.__name__ for one in CLASSES if one.sent == "maybe"}
    understood = {"NotUnderstood", "KeyMissing", "AnswerTooLarge"}
    assert maybe == {"AnswerLost", "ServiceFailed", "GatewayFailed", "OutcomeUnknown"} | understood
    assert error_class(408).sent == "maybe"


def test_what_is_worth_another_try() -> None:
    assert {one.__name__ for one in CLASSES if one.retryable} == {
        *("NotReached", "AnswerLost", "ServiceFailed", "GatewayFailed", "TooManyRequests", "NotUnderstood"),
        *("JobFailed", "PollBudgetSpent"),
    }


def test_an_error_tells_operation_status_message_fields_and_request_id() -> None:
    # The form of wire.md B: {"message", "errors": {field: text}}.
    told = answer(422, {"message": "Invalid field data", "errors": {"reason": "is required"}}, X_Request_ID="r-1")
    error = error_from(told, "replaceDeploymentModel")
    assert type(error) is errors.Unprocessable
    assert str(error) == (
        "replaceDeploymentModel answered 422: Invalid field data [reason: is required] (request id r-1)"
    )
    assert (error.status, error.operation, error.request_id) == (422, "replaceDeploymentModel", "r-1")
    assert error.errors == {"reason": "is required"}
    assert error.message == "Invalid field data"


def test_a_refusal_keeps_its_body_and_where_it_points() -> None:
    body = {"status": "failing", "message": "no", "checks": {"target": {"status": "failing", "message": "other"}}}
    error = error_from(answer(409, body), "replaceDeploymentModel")
    assert error.body == body
    busy = error_from(answer(429, {"message": "busy"}, Location="/api/v2/status/a/", Retry_After="7"), "x")
    assert (busy.location, busy.retry_after) == ("/api/v2/status/a/", 7.0)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", "", "no message"),
        (b"{}", "application/json", "no message"),
        (b"upstream gone", "text/plain", "upstream gone"),
        (b"x" * 1000, "text/plain", "x" * 300 + "..."),
        (
            b"<html><head><title>502 Bad Gateway</title>",
            "text/html",
            "a web page titled '502 Bad Gateway', not this API",
        ),
        (b"<!doctype html><p>Sorry", "text/html", "a web page, not this API"),
        (b'{"password": "hunter2", "mess', "application/json", "a JSON body that is cut"),
        (b'["odd"]', "application/json", "no message, and a body of an unknown form"),
        (b'{"detail": "other framework"}', "application/json", "other framework"),
        (b"\xff\xfe", "text/plain", "��"),
    ],
)
def test_whatever_the_body_is_there_is_a_message(content: bytes, kind: str, message: str) -> None:
    from airflow_provider.api.answers import Answer

    error = error_from(Answer(502, {"content-type": kind}, content, "version/"), "getVersion")
    assert error.message == message


def test_an_echo_of_a_secret_is_hidden() -> None:
    body = {
        "message": f"invalid authorization header Bearer {TOKEN}",
        "errors": {"password": "hunter2 is too short", "data": {"secretToken": "s3cr3t", "note": f"{TOKEN}!"}},
        "customHeaders": [{"name": "X-Key", "value": "s3cr3t"}],
    }
    error = error_from(answer(401, body), "getVersion", [TOKEN])
    shown = f"{error!s} {error!r} {error.errors} {error.body} {error.__dict__}"
    for secret in (TOKEN, "hunter2", "s3cr3t"):
        assert secret not in shown
    assert error.body["customHeaders"] == [{"name": "X-Key", "value": "***"}]
    assert error.errors["password"] == "***"


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling(kind: type[DataRobotError]) -> None:
    error = kind("words", operation="x", status=400, request_id="r", errors={"a": "b"}, retry_after=1.0)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
        assert type(again) is kind
        assert (str(again), again.args, again.__dict__) == (str(error), error.args, error.__dict__)


def test_an_error_with_arguments_of_its_own_survives_pickling() -> None:
    error = ReplacementRefused("does not fit", {"target": {"status": "failing"}})
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (str(again), again.checks) == (str(error), error.checks)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "words"),
        ({"operation": "getVersion"}, "getVersion: words"),
        ({"status": 500}, "answered 500: words"),
        ({"operation": "getVersion", "request_id": "r"}, "getVersion: words (request id r)"),
    ],
)
def test_the_text_holds_what_is_known(given: dict[str, Any], text: str) -> None:
    assert str(InvalidCall("words", **given)) == text
