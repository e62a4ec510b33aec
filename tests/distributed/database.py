"""What Airflow's database says while the parts of a cluster come and go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import create_engine, text

Task = tuple[str, int]  # task id and map index


class Database:
    """Reads only.

    :param url: the address for SQLAlchemy.
    :param dag_id: the DAG whose tasks are looked at; it has one run.
    """

    def __init__(self, url: str, dag_id: str) -> None:
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT")
        self._dag = dag_id

    def close(self) -> None:
        """Gives the connections back."""
        self._engine.dispose()

    def jobs(self, kind: str) -> set[int]:
        """Numbers of the components (``TriggererJob``, ``SchedulerJob``) that have not said that they ended."""
        query = "SELECT id FROM job WHERE job_type = :kind AND state = 'running'"
        return {int(number) for (number,) in self._rows(query, kind=kind)}

    def owners(self) -> dict[int, int | None]:
        """Each wait, and the triggerer that has it."""
        return {int(wait): owner for wait, owner in self._rows('SELECT id, triggerer_id FROM "trigger"')}

    def waits_of(self, triggerer: int) -> set[int]:
        """The waits that a triggerer has."""
        return {wait for wait, owner in self.owners().items() if owner == triggerer}

    def states(self) -> dict[Task, str | None]:
        """The state of each mapped task."""
        query = "SELECT task_id, map_index, state FROM task_instance WHERE dag_id = :dag AND map_index >= 0"
        return {(task, int(index)): state for task, index, state in self._rows(query)}

    def running(self) -> dict[Task, int]:
        """Tasks that run, and their processes."""
        query = "SELECT task_id, map_index, pid FROM task_instance WHERE dag_id = :dag AND state = 'running'"
        return {(task, int(index)): int(pid) for task, index, pid in self._rows(query)}

    def queued(self, messages: Collection[str]) -> set[Task]:
        """Tasks that have not begun, and whose message to the workers is one of these."""
        query = "SELECT task_id, map_index, external_executor_id FROM task_instance WHERE dag_id = :dag"
        rows = self._rows(f"{query} AND state = 'queued'")
        return {(task, int(index)) for task, index, message in rows if message in messages}

    def begun_after(self, moment: float) -> dict[Task, float]:
        """When (seconds since 1970) a worker took up each task first after that moment."""
        query = "SELECT task_id, map_index, min(dttm) FROM log WHERE dag_id = :dag AND event = 'running'"
        rows = self._rows(f"{query} AND dttm > :then GROUP BY 1, 2", then=datetime.fromtimestamp(moment, UTC))
        return {(task, int(index)): begun.timestamp() for task, index, begun in rows}

    def executions(self) -> int:
        """How often a worker took up a task."""
        query = "SELECT count(*) FROM log WHERE dag_id = :dag AND event = 'running'"
        return int(self._rows(query)[0][0])

    def _rows(self, query: str, **values: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(text(query), {"dag": self._dag, **values} if ":dag" in query else values))
