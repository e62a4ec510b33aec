"""Gates: what they ask, and that an operator and a wait come to the same verdict."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from airflow_provider.api.client import Client
from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.waiting import Pacing, TimedOut
from airflow_provider.api.waits import Done, Failed, GateWait, to_json, wait_from_json
from airflow_provider.mlops.gates import MOST_ROWS, Gate, Rule, accuracy_gate, coverage_gate, measure
from airflow_provider.mlops.windows import Window
from tests.api.tools import ID, Clock, Even, Script, Scripted, says, settings

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
QUERY = "start=2026-03-01T00%3A00%3A00Z&end=2026-03-02T00%3A00%3A00Z"
ACCURACY = f"GET /api/v2/deployments/{ID}/accuracy/?{QUERY}"
COUNTS = f"GET /api/v2/deployments/{ID}/predictionsVsActualsOverTime/?{QUERY}"
RULE = Rule(">=", 0.7, minimum_sample=100)


def auc(value: float | None, sample: int | None = 300) -> Scripted:
    entry = {"metricName": "AUC", "value": value, "baselineValue": 0.8}
    return says(200, {"metrics": {}, "data": [entry if sample is None else {**entry, "sampleSize": sample}]})


def counts(total: int, actual: int) -> Scripted:
    return says(
        200, {"summary": {"rowCountTotal": total, "rowCountWithActual": actual}, "buckets": [], "baselines": []}
    )


def asking(*answers: Scripted) -> tuple[Client, Script, Clock]:
    script, clock = Script(answers), Clock()
    client = Client(settings(), sleep=clock.sleep, clock=clock, rng=Even(), transport=script.transport)
    return client, script, clock


def test_accuracy_is_asked_over_the_window() -> None:
    client, script, _ = asking(auc(0.75))
    verdict = measure(client, accuracy_gate(ID, "AUC", DAY, RULE))
    assert script.lines == [ACCURACY]
    assert verdict["outcome"] == "pass"
    assert verdict["deployment_id"] == ID
    assert verdict["window"] == {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z", "hours": 24}
    assert (verdict["value"], verdict["sample"], verdict["baseline"]) == (0.75, 300, 0.8)


def test_the_sample_is_asked_for_only_where_it_is_needed_and_not_told() -> None:
    client, script, _ = asking(auc(0.75, sample=None), counts(400, 99))
    verdict = measure(client, accuracy_gate(ID, "AUC", DAY, RULE))
    assert script.lines == [ACCURACY, COUNTS]
    assert (verdict["outcome"], verdict["sample"]) == ("no_data", 99)
    client, script, _ = asking(auc(0.75, sample=None))
    assert measure(client, accuracy_gate(ID, "AUC", DAY, Rule(">=", 0.7)))["outcome"] == "pass"
    assert script.lines == [ACCURACY]


def test_filters_go_along_and_are_checked() -> None:
    client, script, _ = asking(auc(0.75, sample=None), counts(400, 300))
    filters = {"modelId": ID, "segmentAttribute": "state", "segmentValue": "NY"}
    measure(client, accuracy_gate(ID, "AUC", DAY, RULE, filters))
    for line in script.lines:
        assert f"modelId={ID}" in line
        assert "segmentAttribute=state" in line
    with pytest.raises(InvalidCall, match="no argument 'segment'"):
        measure(client, accuracy_gate(ID, "AUC", DAY, Rule(">", 0), {"segment": "NY"}))


def test_reads_are_repeated_and_refusals_are_not() -> None:
    client, _, clock = asking(says(503), auc(0.75))
    assert measure(client, accuracy_gate(ID, "AUC", DAY, RULE))["outcome"] == "pass"
    assert clock.naps == [0.5]


def test_coverage_by_summary_and_by_rows() -> None:
    client, script, _ = asking(counts(4, 3))
    verdict = measure(client, coverage_gate(ID, DAY, 0.75))
    assert script.lines == [f"{COUNTS}&bucketSize=PT1H"]
    assert (verdict["outcome"], verdict["value"], verdict["sample"]) == ("pass", 0.75, 4)
    pages = [
        says(200, {"data": [{"actual": 1}, {"actual": 0}], "next": "https://x.example.com/y?limit=2&offset=2"}),
        says(200, {"data": [{"actual": None}, {"actual": 1}], "next": None}),
    ]
    client, script, _ = asking(*pages)
    assert measure(client, coverage_gate(ID, DAY, 0.75, by="rows")) == {
        **verdict,
        "reason": "value 0.75 is >= 0.75",
    }
    assert script.lines == [
        f"GET /api/v2/deployments/{ID}/predictionResults/?{QUERY}",
        f"GET /api/v2/deployments/{ID}/predictionResults/?limit=2&offset=2",
    ]


def test_no_predictions_are_no_coverage() -> None:
    client, _, _ = asking(counts(0, 0))
    assert measure(client, coverage_gate(ID, DAY, 0.01))["outcome"] == "no_data"


def wait_of(gate: Gate, until: str = "pass") -> GateWait:
    """The wait after its way through a database."""
    found = wait_from_json(json.loads(json.dumps(to_json(gate.wait(until)))))
    assert isinstance(found, GateWait)
    return found


def test_a_wait_goes_on_until_it_passes() -> None:
    client, script, _ = asking(auc(None), auc(0.6), auc(0.9))
    notes: list[str] = []
    end = client.wait(wait_of(accuracy_gate(ID, "AUC", DAY, RULE)), on_pending=notes.append)
    assert isinstance(end, Done)
    assert end.result["verdict"]["value"] == 0.9
    assert end.result["verdict"]["window"]["hours"] == 24
    assert notes == ["no_data: there is no value", "fail: value 0.6 is not >= 0.7"]
    assert script.lines == [ACCURACY] * 3


def test_a_wait_for_data_ends_with_the_first_verdict() -> None:
    client, _, _ = asking(auc(None), auc(0.6))
    end = client.wait(wait_of(accuracy_gate(ID, "AUC", DAY, RULE), "data"))
    assert isinstance(end, Done)
    assert end.result["verdict"]["outcome"] == "fail"


def test_a_look_of_two_answers_is_one_look() -> None:
    client, script, clock = asking(auc(0.9, None), counts(400, 99), auc(0.9, None), counts(400, 100))
    notes: list[str] = []
    wait = wait_of(accuracy_gate(ID, "AUC", DAY, RULE))
    end = client.wait(wait, pacing=Pacing(interval=7.0), on_pending=notes.append)
    assert isinstance(end, Done)
    assert end.result["verdict"]["sample"] == 100
    assert clock.naps == [7.0]
    assert notes == ["no_data: the sample has 99 rows, fewer than 100"]
    assert script.lines == [ACCURACY, COUNTS] * 2


def test_the_last_look_takes_as_many_answers_as_it_needs() -> None:
    client, script, clock = asking(auc(0.9, None), counts(400, 99), auc(0.9, None), counts(400, 100))
    end = client.wait(wait_of(accuracy_gate(ID, "AUC", DAY, RULE)), deadline=clock.now + 3, pacing=Pacing(interval=60))
    assert isinstance(end, Done)
    assert len(script.requests) == 4
    client, script, clock = asking(auc(0.9, None), counts(400, 99), auc(0.9, None), counts(400, 99))
    end = client.wait(wait_of(accuracy_gate(ID, "AUC", DAY, RULE)), deadline=clock.now + 3, pacing=Pacing(interval=60))
    assert end == TimedOut("no_data: the sample has 99 rows, fewer than 100")


def test_an_error_between_two_answers_repeats_the_second() -> None:
    client, script, _ = asking(auc(0.9, None), httpx.ReadTimeout("slow"), counts(400, 100))
    assert isinstance(client.wait(wait_of(accuracy_gate(ID, "AUC", DAY, RULE))), Done)
    assert script.lines == [ACCURACY, COUNTS, COUNTS]


def test_a_metric_that_is_not_there_ends_the_wait() -> None:
    client, _, _ = asking(auc(0.9))
    end = client.wait(wait_of(accuracy_gate(ID, "RMSE", DAY, RULE)))
    assert isinstance(end, Failed)
    assert "no metric 'RMSE'; it has AUC" in end.reason


def test_too_many_rows_end_the_wait() -> None:
    full: dict[str, Any] = {"data": [{"actual": 1}] * MOST_ROWS, "next": "?offset=20000"}
    client, _, _ = asking(says(200, full))
    end = client.wait(wait_of(coverage_gate(ID, DAY, 0.5, by="rows")))
    assert isinstance(end, Failed)
    assert "count by='summary'" in end.reason
