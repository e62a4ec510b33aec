"""Batch predictions without a service: which job an answer is about, and what it came to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import KeyMissing
from airflow_provider.mlops.batch_predictions import id_of, told, wants_rows

ADDRESS = "https://app.datarobot.com/api/v2/batchPredictions/5ea1/"


def answer(body: Any = None, **headers: str) -> Answer:
    return Answer(202, headers, b"" if body is None else json.dumps(body).encode(), "batchPredictions/")


@pytest.mark.parametrize(
    "given",
    [
        answer({"id": "5ea1"}),
        answer({"links": {"self": ADDRESS}}),
        answer({"links": {"self": ADDRESS.rstrip("/")}}),
        answer({}, location=ADDRESS),
        answer(location=f"{ADDRESS}?x=1"),
    ],
)
def test_the_id_of_a_new_job(given: Answer) -> None:
    """wire.md J: the id may be missing in the body; links.self and Location have it."""
    assert id_of(given) == "5ea1"


@pytest.mark.parametrize("given", [answer(), answer({}), answer([])])
def test_an_answer_without_an_id(given: Answer) -> None:
    with pytest.raises(KeyMissing, match="neither an id of the job nor its address"):
        id_of(given)


@pytest.mark.parametrize(
    ("job", "waits"),
    [
        ({"status": "INITIALIZING"}, True),
        ({"status": "INITIALIZING", "jobIntakeSize": 0}, True),
        ({"status": "INITIALIZING", "jobIntakeSize": 7}, False),
        ({"status": "RUNNING"}, False),
        ({"status": "ABORTED"}, False),
    ],
)
def test_whether_a_job_waits_for_its_rows(job: dict[str, Any], waits: bool) -> None:
    assert wants_rows(job) is waits


def test_what_a_job_came_to() -> None:
    job = {"id": "5ea1", "status": "COMPLETED", "scoredRows": 3, "elapsedTimeSec": 7}
    assert told(job) == {
        "batch_prediction_id": "5ea1",
        "status": "COMPLETED",
        "scored_rows": 3,
        "failed_rows": None,
        "skipped_rows": None,
        "elapsed_seconds": 7,
        "monitoring_batch_id": None,
    }
