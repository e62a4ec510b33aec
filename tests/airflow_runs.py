"""Runs an in-memory DAG in this process, on any Airflow line that we support."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

BUNDLE = "testing"


def create_database() -> None:
    """Create the tables in the home that `airflow_home` prepared (1.3 s), and keep one in-process API for all runs."""
    from airflow.sdk.execution_time import supervisor
    from airflow.utils import db

    db.initdb()
    for known in logging.root.manager.loggerDict.values():  # alembic switches off those that it does not know
        if isinstance(known, logging.Logger):
            known.disabled = False
    # Before 3.3 every task builds the execution API anew, which makes a test four times as long.
    supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)


def run(dag: DAG, **arguments: Any) -> DagRun:
    """Store the DAG as the dag-processor would, then ``dag.test(**arguments)``; deferral runs inline."""
    _store(dag)
    finished: DagRun = dag.test(**arguments)
    return finished


def xcom(run: DagRun, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
    """The value that a task left under ``key``, or None."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    query = XComModel.get_many(run_id=run.run_id, dag_ids=run.dag_id, task_ids=task_id, key=key, map_indexes=map_index)
    with create_session() as session:
        value = session.execute(query).scalars().first()
        return None if value is None else XComModel.deserialize_value(value)


def _store(dag: DAG) -> None:
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    serialised_dag = _serialised_dag_class()
    if hasattr(LazyDeserializedDAG, "from_dag"):
        lazy = LazyDeserializedDAG.from_dag(dag)
    else:  # Airflow 3.1
        lazy = LazyDeserializedDAG(data=serialised_dag.to_dict(dag))
    with create_session() as session:
        if session.get(DagBundleModel, BUNDLE) is None:
            session.add(DagBundleModel(name=BUNDLE))
    with create_session() as session:
        serialised_dag.bulk_write_to_db(BUNDLE, None, [lazy], session=session)
    with create_session() as session:
        SerializedDagModel.write_dag(lazy, bundle_name=BUNDLE, session=session)


def _serialised_dag_class() -> Any:
    try:
        from airflow.serialization.definitions import dag as home
    except ImportError:  # Airflow 3.1
        from airflow.serialization import serialized_objects as home  # type: ignore[no-redef]
    return home.SerializedDAG
