"""The real data of the world ``demo``: yesterday's predictions, and actuals that make their accuracy known."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sklearn import metrics as sk  # type: ignore[import-untyped]

from airflow_provider.emulator import seeds
from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import NIGHTLY, taken
from tests.emulator.rows import send

OUTCOMES = Path(seeds.__file__).parent / "worlds" / "demo" / "doctor_visits" / "outcomes.csv"
DAY = 86_400


def outcomes(days_before: int) -> list[tuple[str, str]]:
    with OUTCOMES.open(newline="") as text:
        return [(row["id"], row["no_visit"]) for row in csv.DictReader(text) if row["days_before"] == str(days_before)]


def day(emulator: EmulatorDoor, days_before: int) -> str:
    """A query for one day of UTC, counted back from the emulator's today."""
    start = seeds.midnight(emulator.clock()["epoch"]) - days_before * DAY
    return f"start={moment(start)}&end={moment(start + DAY)}"


def moment(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def metrics(client: httpx.Client, period: str) -> dict[str, Any]:
    body = taken(client.get(f"deployments/{NIGHTLY}/accuracy/?{period}"))
    return {line["metricName"]: line for line in body["data"]}


def test_each_of_the_last_seven_days_has_its_predictions(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    path = f"deployments/{NIGHTLY}/predictionsVsActualsOverTime/"
    for days_before in range(1, 8):
        body = taken(requester.get(f"{path}?{day(emulator, days_before)}"))
        assert body["summary"] == {"rowCountTotal": 500, "rowCountWithActual": 0}
    assert taken(requester.get(f"{path}?{day(emulator, 8)}"))["summary"]["rowCountTotal"] == 0


@pytest.mark.parametrize("days_before", [1, 7])
def test_the_outcomes_of_a_night_make_the_accuracy_of_its_day_known(
    emulator: EmulatorDoor, requester: httpx.Client, days_before: int
) -> None:
    period = day(emulator, days_before)
    assert metrics(requester, period)["AUC"]["value"] is None
    send(requester, *outcomes(days_before), to=NIGHTLY, keepActualsWithoutPredictions=False)
    emulator.advance(6)
    found = metrics(requester, period)
    rows = [row for row in seeds.rows("demo", "doctor_visits/predictions.csv.gz") if row[0] == days_before]
    shares, came = [row[3] for row in rows], [row[4] == "yes" for row in rows]
    assert found["AUC"]["value"] == pytest.approx(sk.roc_auc_score(came, shares))
    assert found["LogLoss"]["value"] == pytest.approx(sk.log_loss(came, shares))
    assert found["AUC"]["sampleSize"] == 500
    assert 0.6 < found["AUC"]["value"] < 0.8, "a real model on real data"
    assert abs(found["AUC"]["value"] - found["AUC"]["baselineValue"]) < 0.1
    assert metrics(requester, day(emulator, 3))["AUC"]["value"] is None, "the other days are as before"


def test_the_door_tells_how_each_prediction_came_out(emulator: EmulatorDoor) -> None:
    start, end = (part.partition("=")[2] for part in day(emulator, 2).split("&"))
    rows = emulator.outcomes(NIGHTLY, start, end)
    assert [(row["associationId"], row["actualValue"]) for row in rows] == outcomes(2)
    assert all(start <= row["predictedAt"] < end for row in rows)
    assert len(emulator.outcomes(NIGHTLY)) == 3_500


def test_the_days_are_counted_from_the_start_and_not_from_now(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    first = emulator.predictions(NIGHTLY)["first"]
    emulator.advance(10 * DAY)
    assert emulator.predictions(NIGHTLY)["first"] == first
    emulator.reset()
    assert emulator.predictions(NIGHTLY)["first"] in (first, first + DAY)


def test_the_data_name_their_source_and_licence() -> None:
    text = (OUTCOMES.parent / "README.md").read_text()
    assert "RAND Health Insurance Experiment" in text
    assert "public domain" in text


def test_every_id_is_there_once() -> None:
    ids = [row[2] for row in seeds.rows("demo", "doctor_visits/predictions.csv.gz")]
    assert len(ids) == len(set(ids)) == 3_500
