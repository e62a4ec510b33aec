"""Waiting for a dataset to be processed, and for a file to be there."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.datasets.test_actuals import dataset
from tests.stages import task

if TYPE_CHECKING:
    from airflow.sdk import PokeReturnValue

    from tests.harness import Stage, Task

BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])


def wait_for(stage: Stage, dataset_id: str, **arguments: Any) -> Task:
    from airflow_provider.sensors.dataset import DataRobotDatasetSensor

    given = {"poke_interval": 1.0, "timeout": 600, "dataset_id": dataset_id, **arguments}
    return task(stage, DataRobotDatasetSensor, **given)


# --- a dataset ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [False, True], ids=["the latest", "a version"])
def test_a_dataset_is_waited_for_until_it_is_processed(stage: Stage, version: bool) -> None:
    dataset_id = dataset(stage, ready=False)
    [version_id] = stage.service.world("datasetVersions")
    done = wait_for(stage, dataset_id, version_id=version_id if version else None).run()
    assert done.state == "success", done
    assert done.result == {
        "dataset_id": dataset_id,
        "version_id": version_id,
        "name": "outcomes.csv",
        "rows": 30,
        "columns": 4,
    }


def test_one_that_ends_in_error_ends_the_wait(stage: Stage) -> None:
    stage.service.jobs("datasetProcessing", failsWith="no header line")
    done = wait_for(stage, dataset(stage, ready=False)).run()
    assert done.state == "failed"
    assert "ERROR: no header line" in str(done.error)


def test_one_that_is_not_there_ends_the_wait(stage: Stage) -> None:
    done = wait_for(stage, "64a9000000000000000000ff").run()
    assert done.state == "failed"
    assert "not found" in str(done.error)


@pytest.mark.parametrize("given", [{"dataset_id": ""}, {"version_id": "a b"}], ids=str)
def test_bad_ids(stage: Stage, given: dict[str, str]) -> None:
    done = wait_for(stage, **{"dataset_id": "64a1", **given}).run()
    assert done.state == "failed"
    assert "must be an id" in str(done.error)
    assert stage.service.log() == []


# --- a file -------------------------------------------------------------------------------------------------------


def poke(file: Path | str, **arguments: Any) -> PokeReturnValue:
    from airflow_provider.sensors.source import DataRobotSourceSensor

    sensor = DataRobotSourceSensor(task_id="file", source=str(file), **arguments)
    assert sensor.reschedule == (arguments.get("mode", "reschedule") == "reschedule")
    return sensor.poke({})


def test_a_file_is_waited_for_until_it_is_there_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    assert not poke(file)
    assert not poke(tmp_path)  # a folder is no file
    file.write_bytes(b"")
    assert not poke(file)
    assert poke(file, least_bytes=0)
    file.write_bytes(b"id,label\n")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    found = poke(file, least_bytes="9", mode="poke")
    assert found
    assert found.xcom_value == {"source": str(file), "bytes": 9, "modified": 1_700_000_000.0}
    assert not poke(file, least_bytes=10)


def test_a_file_that_was_changed_just_now_is_not_steady(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_bytes(b"id,label\n")
    assert not poke(file, steady_for="60")
    os.utime(file, (time.time() - 61, time.time() - 61))
    assert poke(file, steady_for="60")


def test_any_object_storage_will_do(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    assert not poke(file.as_uri())
    file.write_bytes(b"id,label\n")
    assert poke(file.as_uri())


def test_a_place_that_tells_no_times_and_one_that_nobody_knows() -> None:
    from airflow.providers.common.compat.sdk import AirflowFailException
    from airflow.sdk.io import attach

    with pytest.raises(AirflowFailException, match="nowhere"):
        poke("nowhere://bucket/outcomes.csv")
    memory = importlib.import_module("fsspec.implementations.memory").MemoryFileSystem()
    attach("memory", fs=memory)
    assert not poke("memory://bucket/outcomes.csv")
    memory.pipe_file("/bucket/outcomes.csv", b"id,label\n")
    found = poke("memory://bucket/outcomes.csv", steady_for=3600)
    assert found.xcom_value is not None
    assert (found.xcom_value["bytes"], found.xcom_value["modified"]) == (9, None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"source": " "}, "source must be the path or URL of a file"),
        ({"least_bytes": "many"}, "least_bytes must be a whole number"),
        ({"steady_for": "long"}, "steady_for must be a number of seconds"),
    ],
    ids=str,
)
def test_bad_arguments(given: dict[str, Any], told: str) -> None:
    from airflow.providers.common.compat.sdk import AirflowFailException

    with pytest.raises(AirflowFailException, match=told):
        poke(given.pop("source", "/nowhere"), **given)
