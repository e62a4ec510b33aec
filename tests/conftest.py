"""Fixtures for tests that run DAGs. Nothing here imports Airflow until a test asks for it."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import hypothesis
import pytest

from tests import airflow_home
from tests.trust import scanning

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

airflow_home.prepare()

# The cores are shared: how long an example takes says nothing about the code.
hypothesis.settings.register_profile("shared-cores", deadline=None)
hypothesis.settings.load_profile("shared-cores")


class RunDag(Protocol):
    """``run_dag(dag, run_conf={...})``: runs it to its end, deferral included."""

    def __call__(self, dag: DAG, **arguments: Any) -> DagRun: ...


class ReadXcom(Protocol):
    """``xcoms(run, "task_id", key="return_value")``: what a task left, or None."""

    def __call__(self, run: DagRun, task_id: str, key: str = ..., map_index: int = ...) -> Any: ...


@pytest.fixture(scope="session")
def airflow_db() -> Iterator[None]:
    """Airflow's tables in the throw-away home. No token may be in them at the end, whatever ran meanwhile."""
    from tests import airflow_runs

    airflow_runs.create_database()
    yield
    home = Path(os.environ["AIRFLOW_HOME"])
    assert scanning.in_database(home / "airflow.db") + scanning.in_files(home / "logs") == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that runs DAGs fails when a token is in what its tasks have logged."""
    report = yield
    if report.passed and "run_dag" in getattr(item, "fixturenames", ()):
        leaked = scanning.in_text("".join(text for _, text in report.sections))
        if leaked:
            report.outcome, report.longrepr = "failed", f"the logs of the tasks hold {', '.join(leaked)}"
    return report


@pytest.fixture
def run_dag(airflow_db: None) -> RunDag:
    """Stores an in-memory DAG and runs it in this process."""
    from tests import airflow_runs

    return airflow_runs.run


@pytest.fixture
def xcoms(airflow_db: None) -> ReadXcom:
    """Reads what a task of a finished run left."""
    from tests import airflow_runs

    return airflow_runs.xcom
