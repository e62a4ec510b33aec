"""Deferred tasks in Airflow's database, as workers leave them, and the events that a triggerer brought them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

DAG_ID, RUN_ID = "soak", "soak"
WAIT, PROBE = "wait", "probe"


class Rows:
    """The rows; this process has the settings of the stack whose database it is."""

    def __init__(self) -> None:
        from airflow.models.dag_version import DagVersion
        from airflow.models.dagrun import DagRun
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.sdk import DAG, timezone
        from airflow.serialization.definitions.baseoperator import SerializedBaseOperator
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        from tests.airflow_runs import _store

        with DAG(DAG_ID, schedule=None) as dag:
            for task_id in (WAIT, PROBE):
                EmptyOperator(task_id=task_id)
        _store(dag)
        now = timezone.utcnow()
        with create_session() as session:
            version = DagVersion.get_latest_version(DAG_ID, session=session)
            assert version is not None
            self._version = version.id
            run = DagRun(
                dag_id=DAG_ID, run_id=RUN_ID, run_after=now, start_date=now, state=DagRunState.RUNNING,
                run_type=DagRunType.MANUAL, triggered_by=DagRunTriggeredByType.TEST,
            )  # fmt: skip
            run.created_dag_version_id = version.id
            session.add(run)
            serialised = version.serialized_dag.dag
            self._tasks: dict[str, SerializedBaseOperator] = {
                task_id: serialised.get_task(task_id) for task_id in (WAIT, PROBE)
            }

    def set_connection(self, conn_id: str, endpoint: str, token: str) -> None:
        """The connection, new or changed."""
        from airflow.models.connection import Connection
        from airflow.utils.session import create_session
        from sqlalchemy import select

        with create_session() as session:
            known = session.scalar(select(Connection).where(Connection.conn_id == conn_id))
            if known is None:
                session.add(Connection(conn_id=conn_id, conn_type="datarobot", host=endpoint, password=token))
            else:
                known.set_password(token)

    def defer(self, triggers: Sequence[tuple[int, BaseTrigger]], task_id: str = WAIT) -> None:
        """Tasks that wait: map index and trigger of each."""
        from airflow.models.taskinstance import TaskInstance
        from airflow.models.trigger import Trigger
        from airflow.sdk import timezone
        from airflow.utils.session import create_session
        from airflow.utils.state import TaskInstanceState

        with create_session() as session:
            rows = [(index, Trigger.from_object(trigger)) for index, trigger in triggers]
            session.add_all(row for _, row in rows)
            session.flush()
            for index, row in rows:
                instance = TaskInstance(
                    self._tasks[task_id], self._version, RUN_ID, TaskInstanceState.DEFERRED, map_index=index
                )
                instance.trigger_id, instance.try_number = row.id, 1
                instance.start_date = timezone.utcnow()
                instance.next_method, instance.next_kwargs = "resumed", {}
                session.add(instance)

    def events(self) -> dict[int, dict[str, Any]]:
        """The events that wait for a worker, by map index; each once, as their tasks are ended with that."""
        from airflow.models.taskinstance import TaskInstance
        from airflow.sdk.serde import deserialize
        from airflow.utils.session import create_session
        from airflow.utils.state import TaskInstanceState
        from sqlalchemy import select, update

        found: dict[int, dict[str, Any]] = {}
        with create_session() as session:
            waiting = (TaskInstance.task_id == WAIT, TaskInstance.state == TaskInstanceState.SCHEDULED)
            columns = (TaskInstance.id, TaskInstance.map_index, TaskInstance.next_method, TaskInstance.next_kwargs)
            rows = session.execute(select(*columns).where(*waiting)).all()
            for _, index, method, kwargs in rows:
                given: Any = deserialize(kwargs)
                found[index] = {"method": method, "at": time.time(), **given}
            ended = [row[0] for row in rows]
            session.execute(
                update(TaskInstance)
                .where(TaskInstance.id.in_(ended))
                .values(state=TaskInstanceState.SUCCESS)
                .execution_options(synchronize_session=False)
            )
        return found

    def left(self) -> int:
        """Triggers in the database besides the probe's."""
        from airflow.models.trigger import Trigger
        from airflow.utils.session import create_session
        from sqlalchemy import func, select

        with create_session() as session:
            return (session.scalar(select(func.count(Trigger.id))) or 0) - 1
