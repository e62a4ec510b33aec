"""The fast check of a bulk body: at least as strict as the contract, with its words, and fast."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider.contract import check_body, contract
from airflow_provider.emulator import handlers
from airflow_provider.emulator.bulk import BULK, bulk_of, faults_of

OPERATION = contract().operation("submitDeploymentActualsFromJson")
handlers.load()
GOOD = {"associationId": "a", "actualValue": 1}
words = st.sampled_from(["associationId", "actualValue", "wasActedOn", "timestamp", "other"])
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([]), st.just([1]), st.just({})
)
rows = st.one_of(
    values,
    st.dictionaries(words, values),
    st.builds(lambda more: GOOD | more, st.dictionaries(words, values, max_size=2)),
)
bodies = st.one_of(
    values,
    st.fixed_dictionaries(
        {"data": st.one_of(values, st.lists(rows, max_size=5))},
        optional={"keepActualsWithoutPredictions": values, "other": values},
    ),
)


@settings(max_examples=400, deadline=None)
@given(bodies)
def test_the_fast_check_finds_what_the_contract_finds(body: Any) -> None:
    """Rule 16: the same faults, text for text and path for path (here no list is longer than what is shown)."""
    bulk = bulk_of(OPERATION, body)
    if bulk is not None:
        assert sorted(faults_of(OPERATION, body, bulk)) == sorted(check_body(OPERATION, body, contract()))


@pytest.mark.parametrize("count", [10_000, 10_001])
def test_the_number_of_rows_is_the_schemas(count: int) -> None:
    body = {"data": [GOOD] * count}
    assert BULK[OPERATION.id].most == 10_000
    found = faults_of(OPERATION, body, BULK[OPERATION.id])
    assert found == check_body(OPERATION, body, contract())
    assert bool(found) is (count > 10_000)


def test_only_the_first_faulty_rows_are_named() -> None:
    found = faults_of(OPERATION, {"data": [{}] * 10_000}, BULK[OPERATION.id])
    assert len(found) == 20
    assert found[-1] == "required @ $.data[9].actualValue"
