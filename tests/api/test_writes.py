"""The table of writing operations: complete, and sensible."""

from __future__ import annotations

from collections import Counter

import pytest

from airflow_provider.api.writes import WRITES
from airflow_provider.contract import contract

OPERATIONS = {one.id: one for one in contract().operations.values()}


def test_every_writing_operation_has_a_row_and_nothing_else_has() -> None:
    assert set(WRITES) == {name for name, one in OPERATIONS.items() if one.writes}


def test_the_documented_ones_are_seventy_six() -> None:
    added = {"deleteStatus", "createDeploymentFromModelPackage", "createDeploymentFromLeaderboard"}
    added |= {"createModelPackageFromJson", "createModelPackageFromCustomModelVersion", "updateRegisteredModelVersion"}
    added |= {"createDeploymentModelPackageFileBuild", "updateDeploymentAccuracyMetrics"}
    added |= {"createDeploymentTag", "updateDeploymentTag", "deleteDeploymentTag"}
    added |= {"createBatchPrediction", "uploadBatchPredictionCsv", "deleteBatchPrediction"}
    added |= {name for name in WRITES if "EntityNotification" in name}
    assert len({name for name in set(WRITES) - added if "Dataset" not in name or "Deployment" in name}) == 76


@pytest.mark.parametrize("name", WRITES)
def test_a_row_tells_where_to_look_and_why(name: str) -> None:
    row = WRITES[name]
    assert row.look
    assert row.reason
    first = row.look.split()[0]
    if first in OPERATIONS:
        assert not OPERATIONS[first].writes


def test_deleting_and_setting_are_settable() -> None:
    for name, one in OPERATIONS.items():
        if one.method in ("PUT", "DELETE"):
            assert WRITES[name].kind == "settable"


def test_only_the_validation_is_harmless() -> None:
    assert [name for name, row in WRITES.items() if row.harmless] == ["validateDeploymentModelReplacement"]


def test_every_kind_is_used() -> None:
    assert set(Counter(row.kind for row in WRITES.values())) == {"settable", "guarded", "marked", "blind"}


@pytest.mark.parametrize(
    "name",
    [
        "submitDeploymentCustomMetricValuesFromJson",
        "createDeploymentChallengerPredictions",
        "createDeploymentChallenger",
        "createDeploymentOnDemandReport",
        "createDeploymentPredictionDataExport",
    ],
)
def test_what_has_neither_marker_nor_guard_is_blind(name: str) -> None:
    assert WRITES[name].kind == "blind"
