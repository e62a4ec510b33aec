"""What is hidden before a body is shown."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.contract import contract
from airflow_provider.contract.secrets import is_secret, mask, scrub, scrub_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"password": "p", "user": "u"}, {"password": "***", "user": "u"}),
        ({"secretToken": None}, {"secretToken": None}),
        ({"secret_token": "s", "VERIFICATION-CODE": "1"}, {"secret_token": "***", "VERIFICATION-CODE": "***"}),
        ({"deep": [{"credentialData": {"key": "k"}}]}, {"deep": [{"credentialData": "***"}]}),
        (
            {"customHeaders": [{"name": "X-Key", "value": "v"}]},
            {"customHeaders": [{"name": "X-Key", "value": "***"}]},
        ),
        ({"customHeaders": "X-Key: v"}, {"customHeaders": "***"}),
        ({"customHeaders": ["X-Key: v"]}, {"customHeaders": "***"}),
        ("plain", "plain"),
        (("a", 1), ["a", 1]),
    ],
)
def test_secret_fields_are_masked(value: Any, shown: Any) -> None:
    assert mask(value) == shown
    assert scrub_value(value, []) == shown


def test_literal_secrets_are_found_everywhere() -> None:
    value = {"message": "got Bearer abcdef", "of abcdef": ["abcdef!", 1, None]}
    assert scrub_value(value, ["abcdef"]) == {"message": "got Bearer ***", "of ***": ["***!", 1, None]}
    assert scrub("abcdef and ab", ["abcdef", "ab"]) == "*** and ab"


def test_every_field_of_the_contract_that_sounds_secret_is_one() -> None:
    sounds = ("password", "secret", "verificationcode", "customheaders", "credentialdata", "token")
    names = {name for schema in contract().schemas.values() for name in schema.get("properties", {})}
    found = {name for name in names if any(word in name.lower() for word in sounds)}
    assert found == {"password", "secretToken", "verificationCode", "customHeaders"}
    assert all(is_secret(name) for name in found)


def test_what_was_sent_is_shown_without_its_headers() -> None:
    """Rule 27: logs of notifications repeat the headers of requests, in two forms."""
    log = {"request": {"url": "u", "body": "b", "headers": '{"DR-Signature": "s"}'}, "response": {"headers": "h"}}
    shown = {"request": {"url": "u", "body": "b", "headers": "***"}, "response": {"headers": "h"}}
    assert (mask(log), scrub_value(log, ())) == (shown, shown)
    test = {"notificationLog": {"request": '{"headers": "s"}', "response": None}}
    assert mask(test) == scrub_value(test, ()) == {"notificationLog": {"request": "***", "response": None}}
    assert mask({"request": None, "requests": "3"}) == {"request": None, "requests": "3"}
