"""Drift of features and target, held against numpy and scipy over the same bins."""

from __future__ import annotations

import random
from typing import Any

import httpx
import numpy as np
import pytest
from scipy.spatial import distance  # type: ignore[import-untyped]
from scipy.stats import entropy  # type: ignore[import-untyped]

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import MISFIT, OTHER_CHAMPION, UNGOVERNED, taken
from tests.emulator.monitoring import DAY, MODEL, PERIOD, path, rows, stop_the_clock, track
from tests.emulator.rows import make_regression

FEATURES = path("featureDrift")
EDGES = [10.0, 20.0, 30.0]
AGE = {"type": "numeric", "edges": EDGES, "counts": [100, 300, 400, 200], "importance": 0.4}
PLAN = {"type": "categorical", "counts": {"basic": 700, "plus": 300}, "importance": 1.0}
MEASURES = ("psi", "kl_divergence", "dissimilarity", "hellinger", "js_divergence")


@pytest.fixture(autouse=True)
def in_march(emulator: EmulatorDoor) -> None:
    stop_the_clock(emulator)
    target = {"type": "categorical", "counts": {"yes": 250, "no": 750}}
    emulator.change("baselines", OTHER_CHAMPION, features=None)
    emulator.change("baselines", OTHER_CHAMPION, sampleSize=1000, features={"age": AGE, "plan": PLAN}, target=target)


def ages() -> list[float]:
    """Three hundred ages, older than those of the training, some of them on an edge."""
    dice = random.Random(7)  # noqa: S311
    return [round(dice.uniform(5, 45)) * 1.0 for _ in range(300)]


def spread(emulator: EmulatorDoor) -> None:
    """Those ages, plans half and half, over the day."""
    given = [
        {
            "timestamp": f"2025-03-01T{n * 24 // 300:02}:00:00Z",
            "predicted": 0.9 if n % 4 == 0 else 0.1,
            "features": {"age": age, "plan": "plus" if n % 2 else "basic"},
        }
        for n, age in enumerate(ages())
    ]
    rows(emulator, *given)


def by_scipy(measure: str, before: Any, now: Any) -> float:
    old, new = np.asarray(before) / np.sum(before), np.asarray(now) / np.sum(now)
    match measure:
        case "psi":
            return float(entropy(new, old) + entropy(old, new))
        case "kl_divergence":
            return float(entropy(new, old))
        case "dissimilarity":
            return float(distance.cityblock(old, new) / 2)
        case "hellinger":
            return float(np.linalg.norm(np.sqrt(old) - np.sqrt(new)) / np.sqrt(2))
        case _:
            return float(distance.jensenshannon(old, new) ** 2)


@pytest.mark.parametrize("measure", MEASURES)
def test_drift_is_what_scipy_says_of_the_same_bins(
    emulator: EmulatorDoor, requester: httpx.Client, measure: str
) -> None:
    """Seed 002:3103-3157; the most important feature first."""
    spread(emulator)
    body = taken(requester.get(f"{FEATURES}?{DAY}&metric={measure}"))
    now = np.histogram(np.array(ages()) - 1e-9, bins=[-np.inf, *EDGES, np.inf])[0]
    assert body["metric"] == measure
    assert body["data"] == [
        {
            "name": "plan",
            "type": "categorical",
            "featureImpact": 1.0,
            "sampleSize": 300,
            "baselineSampleSize": 1000,
            "driftScore": pytest.approx(by_scipy(measure, [700, 300], [150, 150])),
        },
        {
            "name": "age",
            "type": "numeric",
            "featureImpact": 0.4,
            "sampleSize": 300,
            "baselineSampleSize": 1000,
            "driftScore": pytest.approx(by_scipy(measure, AGE["counts"], now)),
        },
    ]
    assert (body["modelId"], body["period"], body["batchId"], body["count"]) == (MODEL, PERIOD, [], 2)
    assert "segmentAttribute" not in body


def test_psi_by_hand(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """(0.5 - 0.7) ln(0.5 / 0.7) + (0.5 - 0.3) ln(0.5 / 0.3) = 0.0673 + 0.1022."""
    spread(emulator)
    assert taken(requester.get(f"{FEATURES}?{DAY}"))["data"][0]["driftScore"] == pytest.approx(0.16946, abs=1e-5)


def test_target_drift(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:7343; wire.md K.1: segmentValue must be there, null or not."""
    spread(emulator)
    body = taken(requester.get(f"{path('targetDrift')}?{DAY}"))
    assert body == {
        "period": PERIOD,
        "metric": "psi",
        "modelId": MODEL,
        "targetName": "churned",
        "type": "categorical",
        "batchId": [],
        "segmentValue": None,
        "driftScore": pytest.approx(0.0),
        "sampleSize": 300,
        "baselineSampleSize": 1000,
    }


def test_target_drift_of_numbers(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    make_regression(emulator)
    emulator.change("deployments", UNGOVERNED, settings={})
    rows(emulator, *({"predicted": 5.0 * n} for n in range(8)))
    found = taken(requester.get(f"{path('targetDrift')}?{DAY}"))
    assert (found["type"], found["driftScore"], found["baselineSampleSize"], found["sampleSize"]) == (
        "numeric", None, None, 8,
    )  # fmt: skip
    assert MISFIT not in emulator.world("baselines"), "nothing is known of its training"


def test_without_rows_there_is_no_score(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    found = taken(requester.get(f"{FEATURES}?{DAY}"))["data"]
    assert [(one["driftScore"], one["sampleSize"]) for one in found] == [(None, 0)] * 2


def test_missing_and_new_values_are_bins_too(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    given = [
        {"age": None, "plan": "basic"},
        {"plan": "gold"},
        {"age": "old", "plan": "gold"},
        {"age": 25, "plan": "plus"},
    ]
    rows(emulator, *({"features": one} for one in given))
    plan, age = taken(requester.get(f"{FEATURES}?{DAY}&metric=dissimilarity"))["data"]
    assert (plan["sampleSize"], age["sampleSize"]) == (4, 4)
    assert plan["driftScore"] == pytest.approx((0.45 + 0.05 + 0.5) / 2)
    assert age["driftScore"] == pytest.approx((0.1 + 0.3 + 0.15 + 0.2 + 0.75) / 2)


@pytest.mark.parametrize(("value", "psi"), [("floor", 0.5 * np.log(0.5 / 0.0001)), ("left_out", 0.0)])
def test_switch_drift_empty_bin(emulator: EmulatorDoor, requester: httpx.Client, value: str, psi: float) -> None:
    """Half of the rows have a plan that the training did not know."""
    emulator.switches(drift_empty_bin=value)
    rows(emulator, *({"features": {"plan": plan}} for plan in ("basic", "gold")))
    found = taken(requester.get(f"{FEATURES}?{DAY}"))["data"][0]["driftScore"]
    known = (0.5 - 0.7) * np.log(0.5 / 0.7)
    lost = (0.0001 - 0.3) * np.log(0.0001 / 0.3) if value == "floor" else 0.0
    assert found == pytest.approx(known + lost + psi, rel=1e-3)


def test_pages_of_features(requester: httpx.Client) -> None:
    """Seed 002:3127: 25 a page unless asked otherwise."""
    first = taken(requester.get(f"{FEATURES}?{DAY}&limit=1"))
    assert [one["name"] for one in first["data"]] == ["plan"]
    following = taken(requester.get(first["next"]))
    assert [one["name"] for one in following["data"]] == ["age"]
    assert (following["next"], following["count"]) == (None, 1)
    assert following["previous"] is not None


def test_over_time(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:3283: at most two features, whole hours."""
    spread(emulator)
    url = f"{path('featureDriftOverTime')}?{DAY}&bucketSize=PT12H"
    body = taken(requester.get(f"{url}&featureNames=plan&featureNames=age"))
    assert [(one["featureName"], one["period"]["start"][11:13]) for one in body["buckets"]] == [
        ("plan", "00"), ("age", "00"), ("plan", "12"), ("age", "12"),
    ]  # fmt: skip
    assert sum(one["sampleSize"] for one in body["buckets"]) == 600
    assert body["buckets"][0]["driftScore"] == pytest.approx(by_scipy("psi", [7, 3], [1, 1]))
    assert body["features"] == [
        {"featureName": "plan", "featureType": "categorical"},
        {"featureName": "age", "featureType": "numeric"},
    ]
    assert body["summaries"][1] == {"featureName": "age", "featureImpact": 0.4}
    for query in ("", "&featureNames=income", "&featureNames=a,b,c"):
        assert requester.get(f"{url}{query}").status_code == 422, query


def test_over_batches(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:3167."""
    for batch, plan in (("64b100000000000000000001", "basic"), ("64b100000000000000000002", "plus")):
        rows(emulator, *[{"batchId": batch, "features": {"plan": plan}}] * 10)
    url = f"{path('featureDriftOverBatch')}?featureNames=plan"
    body = taken(requester.get(f"{url}&driftMetric=dissimilarity"))
    assert [one["driftScore"] for one in body["buckets"]] == [pytest.approx(0.3), pytest.approx(0.7)]
    assert body["driftMetric"] == "dissimilarity"
    [only] = taken(requester.get(f"{url}&batchId=64b100000000000000000002"))["buckets"]
    assert (only["batch"]["id"], only["sampleSize"]) == ("64b100000000000000000002", 10)


def in_town(emulator: EmulatorDoor, *, tracked: bool = True) -> None:
    known = [{"name": "place", "featureType": "Location"}, {"name": "plan", "featureType": "Categorical"}]
    emulator.change("packages", OTHER_CHAMPION, features=known)
    track(emulator, *(["place"] if tracked else []))
    given = [("8928308280fffff", "basic"), ("8928308280fffff", "plus"), ("8928308280bffff", "basic"), (None, "basic")]
    rows(emulator, *({"features": {"place": cell, "plan": plan}} for cell, plan in given))


def test_over_space(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:3198: by H3 cell; other spelling of two measures; default is the target."""
    in_town(emulator)
    url = f"{path('featureDriftOverSpace')}?{DAY}"
    body = taken(requester.get(f"{url}&featureName=plan&geoFeatureName=place&metric=jsDivergence"))
    assert [(one["hexagon"], one["sampleSize"]) for one in body["data"]] == [
        ("8928308280fffff", 2),
        ("8928308280bffff", 1),
    ]
    assert body["data"][0]["driftScore"] == pytest.approx(by_scipy("js_divergence", [7, 3], [1, 1]))
    assert (body["geoFeatureName"], body["featureName"]) == ("place", "plan")
    assert taken(requester.get(url))["featureName"] == "churned"
    assert requester.get(f"{url}&featureName=income").status_code == 422


def test_a_place_must_be_tracked(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:3235: segmented analysis must be enabled for the feature."""
    url = f"{path('featureDriftOverSpace')}?{DAY}"
    assert requester.get(url).status_code == 422
    in_town(emulator, tracked=False)
    assert requester.get(url).status_code == 422


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("no_rows", 200)])
def test_switch_unknown_segment(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(unknown_segment=value)
    track(emulator, "plan")
    spread(emulator)
    tracked = taken(requester.get(f"{FEATURES}?{DAY}&segmentAttribute=plan&segmentValue=plus"))
    assert tracked["data"][0]["sampleSize"] == 150
    assert (tracked["segmentAttribute"], tracked["segmentValue"]) == ("plan", "plus")
    answer = requester.get(f"{FEATURES}?{DAY}&segmentAttribute=age&segmentValue=30.0")
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["data"][0]["sampleSize"] == 0


def test_made_up_rows_can_be_like_the_training_or_not(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.predictions(UNGOVERNED, rows=2000, drift=0)
    same = taken(requester.get(FEATURES))["data"]
    assert all(one["driftScore"] < 0.02 and one["sampleSize"] == 2000 for one in same)
    emulator.predictions(UNGOVERNED, rows=2000, drift=1, prefix="other-")
    assert all(one["driftScore"] > 0.02 for one in taken(requester.get(FEATURES))["data"])
