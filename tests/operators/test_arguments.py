"""Arguments as templates leave them: what they mean, and what is said about those that mean nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider.api.errors import InvalidCall
from airflow_provider.tasks import arguments


@pytest.mark.parametrize(
    ("read", "given", "meant"),
    [
        (arguments.flag, "False", False),
        (arguments.flag, " TRUE ", True),
        (arguments.flag, 0, False),
        (arguments.flag, None, False),
        (arguments.identifier, " 64e0 ", "64e0"),
        (arguments.optional_identifier, "None", None),
        (arguments.optional_identifier, " ", None),
        (arguments.several, None, []),
        (arguments.several, "a, b", ["a", "b"]),
        (arguments.several, ("a", "b"), ["a", "b"]),
        (arguments.several, " ['a', \"b, c\"]", ["a", "b, c"]),
        (arguments.several, "[]", []),
        (arguments.moment, "2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        (arguments.moment, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (arguments.seconds, "90", 90.0),
        (arguments.seconds, timedelta(minutes=2), 120.0),
        (arguments.seconds, "None", None),
        (arguments.mapping, '{"a": [1]}', {"a": [1]}),
        (arguments.mapping, "None", None),
        (arguments.mapping, {"a": 1}, {"a": 1}),
    ],
)
def test_what_templates_make_is_understood(read: Callable[[str, Any], Any], given: Any, meant: Any) -> None:
    assert read("name", given) == meant


def test_numbers_and_words_with_limits() -> None:
    assert arguments.whole("name", "7", 1) == 7
    assert arguments.one_of("name", "lOw", ("HIGH", "LOW")) == "LOW"
    assert arguments.some_of("name", "low,high", ("HIGH", "LOW")) == ["LOW", "HIGH"]
    assert arguments.text("name", None, 3) == ""
    assert arguments.named("name", "abc", 3) == "abc"


@pytest.mark.parametrize(
    ("read", "given", "told"),
    [
        (arguments.flag, "maybe", "name must be true or false, not 'maybe'"),
        (arguments.flag, [], "name must be true or false, not []"),
        (arguments.identifier, None, "name must be an id, a string without blanks and slashes, not None"),
        (arguments.identifier, [7], "name must be an id, a string without blanks and slashes, not [7]"),
        (arguments.identifier, "{{ x }}", "name must be an id, a string without blanks and slashes, not '{{ x }}'"),
        (
            arguments.several,
            {"a": 1},
            "name must be a word, a list of words or words with commas between, not {'a': 1}",
        ),
        (arguments.several, [1], "name must be a word, a list of words or words with commas between, not [1]"),
        (arguments.seconds, "soon", "name must be a number of seconds or a timedelta, not 'soon'"),
        (arguments.seconds, "inf", "name must be a number of seconds from 0 on, not 'inf'"),
        (arguments.seconds, "nan", "name must be a number of seconds from 0 on, not 'nan'"),
        (arguments.seconds, -1, "name must be a number of seconds from 0 on, not -1"),
        (arguments.mapping, "[1]", "name must be a mapping with string keys, not list"),
        (arguments.mapping, "{", "name must be a mapping, or the text of a JSON object, not other text"),
        (arguments.mapping, {1: 2}, "name must be a mapping with string keys, not dict"),
    ],
)
def test_what_means_nothing_is_told_with_name_value_and_what_is_allowed(
    read: Callable[[str, Any], Any], given: Any, told: str
) -> None:
    with pytest.raises(InvalidCall) as caught:
        read("name", given)
    assert str(caught.value) == told


def test_numbers_and_texts_that_are_out_of_bounds() -> None:
    for number in ("x", 0, "1.5"):
        with pytest.raises(InvalidCall, match="name must be a whole number from 1 on, not"):
            arguments.whole("name", number, 1)
    with pytest.raises(InvalidCall, match="name must have at most 3 characters, not 4"):
        arguments.text("name", "abcd", 3)


def test_ids_that_a_native_environment_made_numbers_of_are_told() -> None:
    with pytest.raises(InvalidCall, match=r"not 6400.0; render_template_as_native_obj makes numbers of ids"):
        arguments.identifier("deployment_id", 64e2)
    with pytest.raises(InvalidCall, match="must be a time like 2026-03-01T00:00:00Z, not 'soon'"):
        arguments.moment("end_time", "soon")
