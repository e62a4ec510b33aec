"""Schemathesis over the emulator: whatever is drawn from the contract's schemas gets an answer that the contract has.

Requests are drawn from all that the schemas say, guessed parts too, so that every documented key is met; ids are mostly
such as there are. Answers are judged by what is known: strict where a table is the source, and for guessed schemas only
what a numbered correction states. ``EXAMPLES=100`` draws as many for each operation (``make test-contract``).
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from airflow_provider.contract import contract
from airflow_provider.contract.load import document
from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.server import running
from airflow_provider.emulator.service import Service
from tests.emulator.test_contract_fit import judged
from tests.emulator.test_random_requests import TABLE_OF

EXAMPLES = int(os.environ.get("EXAMPLES", "1"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]
UNUSED: dict[str, str] = json.loads((Path(__file__).parent / "unused_checks.json").read_text())  # with the reasons
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


def operations(whole: dict[str, Any]) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    """Schemathesis's own operations, by operationId."""
    found = [one.ok() for one in schemathesis.openapi.from_dict(whole).get_all_operations() if isinstance(one, Ok)]
    return {str(one.definition.raw["operationId"]): one for one in found}


def as_known(whole: dict[str, Any]) -> dict[str, Any]:
    """The document with its schemas as far as they are known."""
    whole["components"]["schemas"] = {name: judged(one) for name, one in whole["components"]["schemas"].items()}
    for item in whole["paths"].values():
        for operation in item.values():
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    content["schema"] = judged(content.get("schema", {}))
    return whole


DRAWN = operations(document()[0])
JUDGING = operations(as_known(document()[0]))


def test_every_check_is_used_or_a_reason_says_why_not() -> None:
    used = {check.__name__ for check in CHECKS}
    assert used.isdisjoint(UNUSED)
    assert used | UNUSED.keys() == set(schemathesis.checks.CHECKS.get_all_names())


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorDoor]:
    with running(Service()) as origin:
        yield EmulatorDoor(origin)


@pytest.mark.parametrize("mode", MODES, ids=["fitting", "unfit"])
@pytest.mark.parametrize("name", sorted(DRAWN))
def test_every_answer_is_one_of_the_contract(emulator: EmulatorDoor, name: str, mode: GenerationMode) -> None:
    emulator.reset()
    known = {table: [*emulator.world(table)] for table in set(TABLE_OF.values())}
    dice = random.Random(name)  # noqa: S311 - the same ids in every run
    named = [one.name for one in contract().operation(name).parameters if one.where == "path"]
    ids = [one for one in named if one in TABLE_OF]  # the others are words of the contract

    @seed(20260302)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn=DRAWN[name].as_strategy(generation_mode=mode))
    def every(drawn: Any) -> None:
        for parameter in ids:
            there = known[TABLE_OF[parameter]]
            if there and dice.random() < 0.9:
                drawn.path_parameters[parameter] = dice.choice(there)
        case = JUDGING[name].Case(
            method=drawn.method,
            path_parameters=drawn.path_parameters,
            headers=drawn.headers,
            query=drawn.query,
            body=drawn.body,
            media_type=drawn.media_type,
        )
        user = dice.choice(["requester", "admin"])
        case.call_and_validate(
            base_url=emulator.url, headers={"Authorization": f"Bearer {emulator.tokens[user]}"}, checks=CHECKS
        )

    every()
