"""Challengers on answers that are typed from the pages: what there is, what fits, and who is better."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider.api.errors import KeyMissing, NotFound
from airflow_provider.mlops import challengers
from airflow_provider.mlops.challengers import ChallengersOff
from airflow_provider.mlops.comparing import Comparison, compare
from airflow_provider.mlops.gates import Rule
from airflow_provider.mlops.windows import Window
from tests.api.tools import ID, Scripted, says

if TYPE_CHECKING:
    from tests.mlops.conftest import Told

CHALLENGER = "5e1b6d1c2f8a4b0011111111"
CHAMPION_MODEL, MODEL = "5e1b6d1c2f8a4b0022222222", "5e1b6d1c2f8a4b0033333333"
PACKAGE = "5e1b6d1c2f8a4b0044444444"
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
PATH = f"/api/v2/deployments/{ID}"
DEPLOYMENT = {
    "id": ID,
    "model": {"id": CHAMPION_MODEL, "targetType": "Binary", "deployedAt": "2026-01-01T00:00:00Z"},
    "modelPackage": {"id": "5e1b6d1c2f8a4b0055555555", "name": "champion"},
}
ONE = {  # seed 002:1555
    "id": CHALLENGER,
    "model": {
        "datasetName": "string",
        "description": "string",
        "executionType": "string",
        "id": MODEL,
        "isDeprecated": False,
        "name": "a model",
        "projectId": "string",
        "projectName": "string",
    },
    "modelPackage": {"id": PACKAGE, "name": "a package", "registeredModelId": "string"},
    "name": "rival",
    "predictionEnvironment": {"id": "5e1b6d1c2f8a4b0066666666", "name": "string"},
}
PACKAGE_ANSWER = {"id": PACKAGE, "modelId": MODEL, "target": {"type": "Binary"}, "buildStatus": "complete"}


def accuracy(value: float | None, model: str | None = None) -> Scripted:
    """The form of the page (seed 002:611), which tells no sample."""
    entry = {"baselineValue": 0.454221484838069, "value": value, "percentChange": -93.91}
    return says(200, {"batchIds": [], "metrics": {"LogLoss": entry}, "modelId": model, "period": {}})


def newer(value: float | None, sample: int, model: str) -> Scripted:
    """The newer form, with a list (wire.md K.1)."""
    line = {"metricName": "LogLoss", "value": value, "sampleSize": sample, "modelId": model}
    return says(200, {"data": [line], "metrics": {}})


def counts(actual: int) -> Scripted:
    return says(200, {"summary": {"rowCountTotal": 500, "rowCountWithActual": actual}, "buckets": []})


def listed(*found: dict[str, Any]) -> Scripted:
    return says(200, {"data": list(found)})


def compared(told: Told, *answers: Scripted, **given: Any) -> tuple[dict[str, Any], list[str]]:
    """The verdict, and what was asked for it."""
    rule = given.pop("rule", Rule(">", 0.0, "improvement", 100))
    client, script = told([says(200, DEPLOYMENT), *answers])
    comparison = Comparison(ID, "LogLoss", DAY, rule, given.pop("share", 0.9), **given)
    return compare(client, comparison), script.lines


def test_the_form_of_the_pages(told: Told) -> None:
    verdict, asked = compared(told, accuracy(0.5), counts(300), listed(ONE), accuracy(0.4), counts(290))
    assert (verdict["outcome"], verdict["best_challenger_id"], verdict["improvement"]) == (
        "pass",
        CHALLENGER,
        pytest.approx(20.0),
    )
    assert (verdict["champion"]["sample"], verdict["best"]["sample"]) == (300, 290)
    assert verdict["best"]["model_package_id"] == verdict["best_model_package_id"] == PACKAGE
    window = "start=2026-03-01T00%3A00%3A00Z&end=2026-03-02T00%3A00%3A00Z"
    assert asked == [
        f"GET {PATH}/",
        f"GET {PATH}/accuracy/?{window}&modelId={CHAMPION_MODEL}",
        f"GET {PATH}/predictionsVsActualsOverTime/?{window}&modelId={CHAMPION_MODEL}",
        f"GET {PATH}/challengers/",
        f"GET {PATH}/accuracy/?{window}&modelId={MODEL}",
        f"GET {PATH}/predictionsVsActualsOverTime/?{window}&modelId={MODEL}",
    ]


def test_the_newer_form(told: Told) -> None:
    verdict, asked = compared(told, newer(0.5, 300, CHAMPION_MODEL), listed(ONE), newer(0.6, 300, MODEL))
    assert (verdict["outcome"], verdict["improvement"]) == ("fail", pytest.approx(-20.0))
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("champion", "rival", "reason"),
    [
        (newer(None, 0, CHAMPION_MODEL), newer(0.4, 300, MODEL), "the champion has no value"),
        (newer(0.5, 300, CHAMPION_MODEL), newer(None, 300, MODEL), "there is no value"),
        (newer(0.5, 300, CHAMPION_MODEL), newer(0.4, 99, MODEL), "the sample has 99 rows, fewer than 100"),
        (newer(0.5, 300, CHAMPION_MODEL), newer(0.4, 269, MODEL), "over 269 rows and the champion over 300"),
        (newer(0.5, 269, CHAMPION_MODEL), newer(0.4, 300, MODEL), "over 300 rows and the champion over 269"),
    ],
)
def test_no_data_is_no_verdict(told: Told, champion: Scripted, rival: Scripted, reason: str) -> None:
    verdict, _ = compared(told, champion, listed(ONE), rival)
    assert (verdict["outcome"], verdict["best"]) == ("no_data", None)
    assert reason in verdict["reason"]


def test_an_answer_for_another_model_does_not_count(told: Told) -> None:
    """A server that does not know the argument tells the champion's numbers for every model."""
    answers = (accuracy(0.5, CHAMPION_MODEL), counts(300), listed(ONE), accuracy(0.4, CHAMPION_MODEL), counts(300))
    verdict, _ = compared(told, *answers)
    assert verdict["outcome"] == "no_data"
    assert f"asked for model {MODEL}, the service answered for {CHAMPION_MODEL}" in verdict["reason"]


def test_a_challenger_that_is_named_must_be_there(told: Told) -> None:
    with pytest.raises(NotFound, match=f"has no challenger x; it has {CHALLENGER}"):
        compared(told, newer(0.5, 300, CHAMPION_MODEL), listed(ONE), says(404, {"message": "no"}), challenger_ids=["x"])


def test_an_answer_without_a_list_is_not_understood(told: Told) -> None:
    client, _ = told([says(200, {"challengers": []})])
    with pytest.raises(KeyMissing, match="the answer has no key 'data'"):
        challengers.listed(client, ID)


def test_a_challenger_in_our_words() -> None:
    assert challengers.told(ONE) == {
        "challenger_id": CHALLENGER,
        "name": "rival",
        "model_id": MODEL,
        "model_name": "a model",
        "model_package_id": PACKAGE,
        "prediction_environment_id": "5e1b6d1c2f8a4b0066666666",
    }
    assert set(challengers.told({}).values()) == {None}


@pytest.mark.parametrize(
    ("location", "found"),
    [
        (f"https://mlops.test/api/v2/deployments/{ID}/challengers/{CHALLENGER}/", CHALLENGER),
        (f"deployments/{ID}/challengers/{CHALLENGER}", CHALLENGER),
        (f"https://mlops.test/api/v2/deployments/{ID}/challengers/", None),
        (f"https://mlops.test/api/v2/deployments/another/challengers/{CHALLENGER}/", None),
        (f"https://mlops.test/api/v2/deployments/{ID}/", None),
        (None, None),
    ],
)
def test_the_end_of_a_job_points_to_the_challenger(location: str | None, found: str | None) -> None:
    """wire.md A.4."""
    assert challengers.id_in(location, ID) == found


FIVE = [{**ONE, "id": str(number), "model": {"id": str(number)}} for number in range(5)]


@pytest.mark.parametrize(
    ("package", "there", "reason"),
    [
        ({}, [], None),
        ({}, FIVE[:4], None),
        ({}, FIVE, "it has 5 already, delete one first"),
        ({"target": {"type": "Regression"}}, [], "its target type is Regression, and the champion's is Binary"),
        ({"target": None}, [], None),  # what is not told is for the service to say
        ({"buildStatus": "inProgress"}, [], "its build is inProgress, not complete"),
        ({"buildStatus": None}, [], None),
        ({"isArchived": True}, [], "it is archived"),
        ({"modelId": CHAMPION_MODEL}, [], f"its model {CHAMPION_MODEL} is the champion"),
        ({}, [ONE], f"its model {MODEL} is in challenger {CHALLENGER} ('rival') already"),
    ],
)
def test_what_can_be_seen_beforehand(package: dict[str, Any], there: list[dict[str, Any]], reason: str | None) -> None:
    found = challengers.unfit(DEPLOYMENT, {**PACKAGE_ANSWER, **package}, there)
    assert found is None if reason is None else str(found).startswith(reason)


@pytest.mark.parametrize(
    ("settings", "off"),
    [
        ({}, None),
        ({"challengerModels": {"enabled": True}, "predictionsDataCollection": {}}, None),
        ({"challengerModels": {"enabled": False}}, "challengerModels is off"),
        (
            {"targetDrift": {"enabled": False}, "predictionsDataCollection": {"enabled": False}},
            "predictionsDataCollection, targetDrift are off",
        ),
    ],
)
def test_settings_that_are_off(told: Told, settings: dict[str, Any], off: str | None) -> None:
    client, _ = told([says(200, settings)])
    if off is None:
        challengers.refuse_off(client, ID)
        return
    with pytest.raises(ChallengersOff, match=off):
        challengers.refuse_off(client, ID)
