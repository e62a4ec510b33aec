"""Rows into buckets: the check is at least as strict as the contract, and chunks are those that were surveyed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider.api.errors import InvalidCall
from airflow_provider.contract import check_body, contract
from airflow_provider.mlops import metric_values
from airflow_provider.mlops.metric_values import (
    BucketCheck,
    BucketColumns,
    ValuesRejected,
    call_of,
    chunks,
    survey_of,
)
from airflow_provider.mlops.rows import Broken, read_mappings

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
COLUMNS = BucketColumns("v", "t", "n", "b", "a", {"country": "c"})
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("1.5"), st.just("2026-01-01")
)


@settings(max_examples=200)
@given(st.fixed_dictionaries(dict.fromkeys(COLUMNS.wanted, ODD)))
def test_what_passes_fits_the_contract(row: dict[str, Any]) -> None:
    [made] = read_mappings([row], COLUMNS)
    assert not isinstance(made, Broken)
    bucket = BucketCheck().bucket(made)
    if isinstance(bucket, str):
        assert ":" in bucket or bucket == "neither timestamp nor batch"
        return
    operation = contract().operation(metric_values.SUBMIT)
    assert check_body(operation, {"buckets": [bucket]}, contract()) == []
    call_of("d", "m", metric_values.Chunk([bucket], (1, "x")), {})  # and it has a form in JSON


@pytest.mark.parametrize(
    ("row", "bucket"),
    [
        ({"v": "1.5", "t": "2026-03-02T08:00:00"}, {"value": 1.5, "timestamp": "2026-03-02T08:00:00Z"}),
        ({"v": Decimal("2"), "t": NOW}, {"value": 2.0, "timestamp": "2026-03-02T08:00:00Z"}),
        ({"v": 1, "t": "2026-03-02T09:00:00+01:00"}, {"value": 1.0, "timestamp": "2026-03-02T08:00:00Z"}),
        ({"v": 1, "b": "x", "n": "3.0"}, {"value": 1.0, "sampleSize": 3, "batch": "x"}),
        ({"v": 1, "b": "x", "a": 7.0, "c": "de"}, {"value": 1.0, "batch": "x", "associationId": "7", "segments": [
            {"name": "country", "value": "de"}]}),
        ({"v": 1, "b": "x", "n": 0}, "sample size is no whole number from 1 on: 0"),
        ({"v": 1, "b": "x", "n": 1.5}, "sample size is no whole number from 1 on: 1.5"),
        ({"v": "1_000", "b": "x"}, "value is no finite number: '1_000'"),
        ({"v": None, "b": "x"}, "value is no finite number: None"),
        ({"v": 1, "t": " ", "b": float("nan")}, "neither timestamp nor batch"),
    ],
)  # fmt: skip
def test_the_bucket_of_a_row(row: dict[str, Any], bucket: Any) -> None:
    [made] = read_mappings([{**dict.fromkeys(COLUMNS.wanted), **row}], COLUMNS)
    assert not isinstance(made, Broken)
    assert BucketCheck().bucket(made) == bucket


@given(st.integers(0, 25), st.integers(0, 25))
def test_chunks_are_those_of_the_survey(count: int, sent: int) -> None:
    rows = [{"v": number, "t": NOW.isoformat()} for number in range(count)]
    columns = BucketColumns("v", "t")
    before, metric_values.CHUNK = metric_values.CHUNK, 7
    try:
        survey = survey_of(read_mappings(rows, columns), BucketCheck(), sent)
        made = list(chunks(read_mappings(rows, columns), BucketCheck(), sent))
    finally:
        metric_values.CHUNK = before
    assert [chunk.mark for chunk in made] == survey.marks
    assert [bucket["value"] for chunk in made for bucket in chunk.buckets] == list(range(sent, count))
    assert bool(survey.before) == (0 < sent <= count)


def test_rejects_are_told_up_to_a_point() -> None:
    rows = [{"v": "x", "t": NOW}] * 25 + [{"v": 1, "t": NOW}]
    survey = survey_of(read_mappings(rows, BucketColumns("v", "t")), BucketCheck())
    with pytest.raises(ValuesRejected, match=r"25 of 26 rows are no buckets, and 24 may be: line 1: .*; and 5 more"):
        survey.refuse(24)
    survey.refuse(25)


def test_the_envelope_is_checked() -> None:
    chunk = metric_values.Chunk([{"value": 1.0, "batch": "x"}], (1, "x"))
    call = call_of("d", "m", chunk, {"modelId": "k"}, {"more": 1}, dry_run=True)
    assert call.body == b'{"buckets":[{"value":1.0,"batch":"x"}],"modelId":"k","dryRun":true,"more":1}'
    with pytest.raises(InvalidCall):
        call_of("a b", "m", chunk, {})
