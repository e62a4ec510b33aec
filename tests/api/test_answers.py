"""Answers are read leniently, and say clearly what is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import KeyMissing, NotUnderstood
from tests.api.tools import answer


def raw(content: bytes, **headers: str) -> Answer:
    return Answer(200, {name.replace("_", "-"): value for name, value in headers.items()}, content, "x/", "getX")


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/problem+json", ""]
)
def test_json_is_read_whatever_its_label(kind: str) -> None:
    assert raw(b'{"a": 1}', content_type=kind).json() == {"a": 1}


def test_json_is_parsed_once() -> None:
    one = raw(b'{"a": 1}')
    assert one.json() is one.json()


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_body_is_nothing(content: bytes) -> None:
    assert raw(content, content_type="text/html").json() is None


@pytest.mark.parametrize(
    ("content", "kind", "told"),
    [
        (b"<html>", "text/html", "getX answered 200: JSON was expected, not text/html"),
        (b'{"a": ', "application/json", "getX answered 200: the body is no JSON, or only a part of it"),
        (b"\xff", "application/json", "the body is no JSON"),
    ],
)
def test_what_is_no_json_is_not_understood(content: bytes, kind: str, told: str) -> None:
    with pytest.raises(NotUnderstood, match=told):
        raw(content, content_type=kind).json()


def test_a_needed_key_is_required_by_name() -> None:
    one = answer(200, {"id": None}, X_DataRobot_Request_ID="r-7")
    assert one.require("id") is None
    with pytest.raises(
        KeyMissing, match=r"^listDeployments answered 200: the answer has no key 'data' \(request id r-7"
    ):
        one.require("data")


@pytest.mark.parametrize(("body", "kind"), [(None, "nothing"), ([1], "list"), ("x", "str")])
def test_an_object_is_required(body: Any, kind: str) -> None:
    with pytest.raises(NotUnderstood, match=f"a JSON object was expected, not {kind}"):
        answer(200, body).require("data")


NOON = "Wed, 21 Oct 2015 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": " 0.5 "}, 0.5),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "Wed, 21 Oct 2015 12:01:30 GMT", "date": NOON}, 90.0),
        ({"retry_after": "Wed, 21 Oct 2015 11:00:00 GMT", "date": NOON}, 0.0),
        ({"retry_after": "Wed, 21 Oct 2015 12:01:30 GMT"}, None),
    ],
)
def test_when_to_come_back_by_the_clock_of_the_service(headers: dict[str, str], seconds: float | None) -> None:
    assert raw(b"", **headers).retry_after == seconds


def test_the_clock_of_the_service() -> None:
    assert raw(b"", date=NOON).date == datetime(2015, 10, 21, 12, tzinfo=UTC)
    assert raw(b"", date="yesterday").date is None
    assert raw(b"").date is None


def test_the_name_of_the_exchange_in_either_header() -> None:
    assert raw(b"", x_request_id="a").request_id == "a"
    assert raw(b"", x_datarobot_request_id="b").request_id == "b"
    assert raw(b"").request_id is None
