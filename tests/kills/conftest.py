"""A private Airflow of any line, the emulator, and all stories on their way at once, a few at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from airflow_provider.emulator.door import EmulatorDoor
from demo.emulator import Emulator
from demo.stack import Stack, clean_environment
from tests.kills.results import Results
from tests.kills.scene import Scene
from tests.kills.stories import MODES, STORIES, Story
from tests.servers.postgres import postgres

DAGS = Path(__file__).parent / "dags"
PYTHON = os.environ.get("STACK_PYTHON", sys.executable)
AT_ONCE = int(os.environ.get("AT_ONCE", "4"))
JOBS = ("modelReplacement", "batchPrediction", "dataExport", "retrainingRun")
DAY = 86400.0
NewScene = Callable[[Story, str], Scene]


@pytest.fixture(scope="session")
def line() -> str:
    """The version of Airflow."""
    command = [PYTHON, "-c", "from importlib.metadata import version; print(version('apache-airflow'))"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="session")
def results(line: str) -> Results:
    """Kept where ``RECORD=1`` asks for it."""
    return Results(line, kept=bool(os.environ.get("RECORD")))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Nothing that takes time ends by itself."""
    with Emulator(tmp_path_factory.mktemp("emulator"), clean_environment({}), speed=1) as emulator:
        door = EmulatorDoor(emulator.origin)
        door.reset(retraining_unset="runs")
        door.jobs("deploymentCreation", seconds=0)
        for kind in JOBS:
            door.jobs(kind, seconds=DAY)
        yield emulator


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """PostgreSQL: on a busy machine components of Airflow die when an SQLite file stays locked."""
    with postgres(tmp_path_factory.mktemp("postgres")) as address:
        yield {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": address}


@pytest.fixture(scope="session")
def airflow(emulator: Emulator, database: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Airflow with its own settings, but for the room that the stories need."""
    connection = {"conn_type": "datarobot", "host": emulator.endpoint, "password": "requester-token"}
    home = tmp_path_factory.mktemp("airflow")
    environment = {
        **database,
        "AIRFLOW_CONN_DATAROBOT_DEFAULT": json.dumps(connection),
        "AIRFLOW__CORE__PARALLELISM": str(2 * AT_ONCE),
    }
    with Stack(home, DAGS, environment=environment, quick_reaping=False, python=PYTHON) as stack:
        yield stack


@pytest.fixture(scope="session")
def scene_of(airflow: Stack, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> NewScene:
    """Makes the scene of a story."""
    folder = tmp_path_factory.mktemp("files")
    door, person = EmulatorDoor(emulator.origin), emulator.person("requester-token")

    def make(story: Story, mode: str) -> Scene:
        return Scene(airflow, door, person, story.work, mode, folder / f"{story.name}-{mode}", story.variant)

    return make


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, scene_of: NewScene) -> Iterator[dict[tuple[str, str], Future[Scene]]]:
    """The stories of the tests that were picked, played to their ends."""

    def play(story: Story, mode: str) -> Scene:
        scene = scene_of(story, mode)
        try:
            story.play(scene)
            scene.cancelled = scene.cancels()
        finally:
            scene.leave()
        return scene

    picked = {item.callspec.id for item in request.session.items if hasattr(item, "callspec")}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            (story.name, mode): pool.submit(play, story, mode)
            for story in STORIES
            for mode in MODES
            if f"{mode}-{story.name}" in picked
        }
        pool.shutdown(cancel_futures=True)
