"""Fairness: eight measures by class of a protected feature, held against scikit-learn and by hand."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sklearn import metrics as sk  # type: ignore[import-untyped]

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import OTHER_CHAMPION, UNGOVERNED, taken
from tests.emulator.monitoring import DAY, MODEL, PERIOD, path, rows, stop_the_clock
from tests.emulator.rows import send

URL = f"{path('fairnessScoresOverTime')}?{DAY}&bucketSize=P1D"
BIAS = {
    "protectedFeatures": ["region"],
    "preferableTargetValue": True,
    "fairnessMetricsSet": "proportionalParity",
    "fairnessThreshold": 0.8,
}
NORTH = [(0.9, "yes"), (0.8, "no"), (0.6, "yes"), (0.3, "no"), (0.2, "yes")]
SOUTH = [(0.7, "yes"), (0.4, "yes"), (0.35, "no"), (0.1, "no")]


@pytest.fixture(autouse=True)
def in_march(emulator: EmulatorDoor) -> None:
    stop_the_clock(emulator)


def fill(emulator: EmulatorDoor, client: httpx.Client, **settings: Any) -> None:
    """Nine rows of two regions, with what came."""
    emulator.change("deployments", UNGOVERNED, settings={"biasAndFairness": {**BIAS, **settings}})
    given = [("north", *one) for one in NORTH] + [("south", *one) for one in SOUTH]
    rows(emulator, *({"predicted": share, "features": {"region": region}} for region, share, _ in given))
    send(client, *((f"row-{n}", label) for n, (_, _, label) in enumerate(given)))
    emulator.advance(6)


def of(cases: list[tuple[float, str]], metric: str) -> float:
    """What scikit-learn, or a sum, says of one region."""
    came, said = [label == "yes" for _, label in cases], [share >= 0.5 for share, _ in cases]
    good = [share for share, label in cases if label == "yes"]
    bad = [1 - share for share, label in cases if label == "no"]
    return float(
        {
            "proportionalParity": sum(said) / len(said),
            "equalParity": sum(said),
            "favorableClassBalance": sum(good) / len(good),
            "unfavorableClassBalance": sum(bad) / len(bad),
            "trueFavorableRateParity": sk.recall_score(came, said),
            "trueUnfavorableRateParity": sk.recall_score(came, said, pos_label=False),
            "favorablePredictiveValueParity": sk.precision_score(came, said),
            "unfavorablePredictiveValueParity": sk.precision_score(came, said, pos_label=False),
        }[metric]
    )


@pytest.mark.parametrize(
    "metric",
    [
        "proportionalParity",
        "equalParity",
        "favorableClassBalance",
        "unfavorableClassBalance",
        "trueFavorableRateParity",
        "trueUnfavorableRateParity",
        "favorablePredictiveValueParity",
        "unfavorablePredictiveValueParity",
    ],
)
def test_the_eight_measures(emulator: EmulatorDoor, requester: httpx.Client, metric: str) -> None:
    """Seed 002:3013; the score of a class is relative to the best one's."""
    fill(emulator, requester)
    body = taken(requester.get(f"{URL}&protectedFeature=region&fairnessMetric={metric}"))
    north, south = of(NORTH, metric), of(SOUTH, metric)
    scores = {one["label"]: one for one in body["summary"]["scores"]}
    assert (scores["north"]["absoluteValue"], scores["south"]["absoluteValue"]) == (
        pytest.approx(north),
        pytest.approx(south),
    )
    assert scores["south"]["value"] == pytest.approx(south / max(north, south))
    assert scores["north"]["privilegedClass"] == ("north" if north > south else "south")
    assert body["buckets"][0]["scores"] == body["summary"]["scores"]
    assert (body["summary"]["metricName"], body["summary"]["period"]) == (metric, PERIOD)


def test_what_surrounds_the_scores(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    fill(emulator, requester)
    body = taken(requester.get(f"{URL}&protectedFeature=region"))
    assert {name: body[name] for name in body if name not in ("buckets", "summary")} == {
        "fairnessThreshold": 0.8,
        "favorableTargetOutcome": True,
        "modelId": MODEL,
        "modelPackageId": OTHER_CHAMPION,
        "protectedFeature": "region",
    }
    assert body["summary"]["scores"][1] == {
        "label": "south",
        "value": pytest.approx(0.25 / 0.6),
        "absoluteValue": 0.25,
        "sampleSize": 4,
        "isStatisticallySignificant": False,
        "privilegedClass": "north",
        "classesCount": 2,
        "healthyClassesCount": 1,
    }


def test_all_protected_features_by_their_worst_class(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:2998: 'for all features, or for different classes of a single feature'."""
    fill(emulator, requester, protectedFeatures=["region", "age"])
    [region] = taken(requester.get(URL))["summary"]["scores"]  # no row tells an age
    assert (region["label"], region["value"], region["sampleSize"]) == ("region", pytest.approx(0.25 / 0.6), 9)


def test_the_other_outcome_may_be_favourable(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    fill(emulator, requester, preferableTargetValue=False)
    body = taken(requester.get(f"{URL}&protectedFeature=region"))
    assert [one["absoluteValue"] for one in body["summary"]["scores"]] == pytest.approx([0.4, 0.75])
    assert body["favorableTargetOutcome"] is False


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("orderBy=relativeFairnessScore", ["south", "north"]),
        ("orderBy=-absoluteFairnessScore", ["north", "south"]),
        ("includePrivilegedClass=False", ["south"]),
        ("includePrivilegedClass=true", ["north", "south"]),
        ("onlyStatisticallySignificant=true", []),
        ("limit=1", ["north"]),
        ("limit=1&offset=1", ["south"]),
    ],
)
def test_which_scores_are_shown(emulator: EmulatorDoor, requester: httpx.Client, query: str, labels: list[str]) -> None:
    """Seed 002:3013-3016."""
    fill(emulator, requester)
    scores = taken(requester.get(f"{URL}&protectedFeature=region&{query}"))["summary"]["scores"]
    assert [one["label"] for one in scores] == labels


def test_enough_rows_are_significant(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.change("deployments", UNGOVERNED, settings={"biasAndFairness": BIAS})
    for region, count in (("north", 1100), ("south", 105), ("west", 115), ("east", 99)):
        rows(emulator, *[{"features": {"region": region}}] * count)
    scores = taken(requester.get(f"{URL}&protectedFeature=region"))["summary"]["scores"]
    assert {one["label"]: one["isStatisticallySignificant"] for one in scores} == {
        "north": True, "south": False, "west": True, "east": False,
    }  # fmt: skip


def test_without_settings_there_is_no_fairness(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    assert requester.get(URL).status_code == 422
    fill(emulator, requester)
    assert requester.get(f"{URL}&protectedFeature=shoe").status_code == 422


@pytest.mark.parametrize(("value", "counts"), [("left_out", None), ("given", {"healthyCount": 1, "totalCount": 2})])
def test_switch_fairness_counts(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, counts: dict[str, int] | None
) -> None:
    """Seed 002:3050 against wire.md K.1: a real client refuses the keys, even null."""
    emulator.switches(fairness_counts=value)
    fill(emulator, requester)
    score = taken(requester.get(f"{URL}&protectedFeature=region"))["summary"]["scores"][0]
    found = {name: score[name] for name in ("healthyCount", "totalCount", "message") if name in score}
    assert found == ({} if counts is None else {**counts, "message": ""})
