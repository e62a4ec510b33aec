"""Switches, lies and what is left out are data: complete, told, and every value of every switch is tested."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from airflow_provider.emulator.switches import Switches, UnknownSwitch, known, lies, not_emulated


@functools.cache
def functions() -> list[tuple[set[str | None], set[str]]]:
    """Of each test function its keywords, and its constants as words."""
    found = []
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for function in ast.parse(file.read_text()).body:
            if isinstance(function, ast.FunctionDef):
                nodes = list(ast.walk(function))
                keywords = {node.arg for node in nodes if isinstance(node, ast.keyword)}
                found.append((keywords, {str(node.value) for node in nodes if isinstance(node, ast.Constant)}))
    return found


def values_in_tests(name: str) -> set[str]:
    """All constants in the test functions that name the switch."""
    return {word for keywords, words in functions() if name in keywords or name in words for word in words}


@pytest.mark.parametrize("name", known())
def test_every_value_of_every_switch_is_tested(name: str) -> None:
    assert set(known()[name].values) - values_in_tests(name) == set()


@pytest.mark.parametrize("name", known())
def test_a_switch_has_a_default_other_values_and_a_reason(name: str) -> None:
    switch = known()[name]
    assert switch.default == switch.values[0]
    assert len(set(switch.values)) == len(switch.values) > 1
    assert switch.why.endswith(".")


def test_the_behaviours_that_the_pages_leave_open_are_there() -> None:
    assert {
        "write_under_policy",
        "self_review",
        "outdated_review_version",
        "resolve_unapproved",
        "second_open_request",
        "policy_rights",
        "list_change_requests_status",
        "set_status_answer",
        "list_order",
        "lag",
        "auto_action_reviews",
        "change_version_ids",
        "cancelled_by",
        "job_end",
        "replacement_answer",
        "status_delete",
    } <= set(known())


def test_values_are_words_however_they_are_given() -> None:
    switches = Switches()
    switches.set({"lag": 2, "job_end": 303})
    assert (switches["lag"], switches["job_end"], len(switches)) == ("2", "303", len(known()))
    switches.reset()
    assert switches["lag"] == "0"


def test_unknown_names_and_values_are_refused() -> None:
    with pytest.raises(UnknownSwitch, match="there is no switch 'colour'; there are accuracy_minimum"):
        Switches()["colour"]
    with pytest.raises(UnknownSwitch, match="job_end must be one of 303, 200_completed"):
        Switches().set({"job_end": "302"})


def test_lies_and_gaps_are_sentences() -> None:
    assert all(text.endswith(".") for text in lies().values())
    assert all(text.endswith(".") for texts in not_emulated().values() for text in texts)
    assert set(not_emulated()) >= {
        "accuracy",
        "actuals",
        "core",
        "datasets",
        "deployments",
        "governance",
        "notifications",
    }
