"""Fixtures for tests that run DAGs. Nothing here imports Airflow until a test asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import hypothesis
import pytest

from tests import airflow_home

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
def airflow_db() -> None:
    """Airflow's tables in the throw-away home."""
    from tests import airflow_runs

    airflow_runs.create_database()


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
