"""What became of tasks in real Airflow: states from its database, errors from its log files, results from its API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from demo.rest import Airflow
from tests.faults.replays.dagfile import TASK
from tests.harness import Ending

INSTANCE = text(
    "SELECT i.state, i.try_number, t.triggerer_id FROM task_instance i LEFT JOIN trigger t ON t.id = i.trigger_id "
    "WHERE i.dag_id = :dag_id AND i.run_id = :run_id"
)
KNOWN = text("SELECT 1 FROM serialized_dag WHERE dag_id = :dag_id")
RUN = text("SELECT state FROM dag_run WHERE dag_id = :dag_id AND run_id = :run_id")
BACKFILLED = text("SELECT run_id FROM dag_run WHERE dag_id = :dag_id AND run_type = 'backfill'")
STOPPED = "was sent to cancel its remote work"
KILLED = (
    STOPPED,
    "nothing could be done about it",
    "its remote work goes on",
    "Nothing cancels its",
    "on_kill() timed out",
)
UNREACHED = re.compile(r"(\w+): Connect(?:Error|Timeout) at ")


@dataclass(frozen=True)
class Instance:
    """A task instance now; ``triggerer``: the one in whose care it is."""

    state: str | None
    attempt: int
    triggerer: int | None


class Told(Exception):
    """An error as the log of a task tells it."""


class Watch:
    """Looks at the stack's Airflow; asking the database costs less than the API.

    :param database: its address.
    :param logs: folder of the task logs.
    """

    def __init__(self, database: str, airflow: Airflow, logs: Path) -> None:
        self._engine = create_engine(database, pool_size=20)
        self._airflow = airflow
        self._logs = logs

    def close(self) -> None:
        """Gives the connections back."""
        self._engine.dispose()

    def knows(self, dag_id: str) -> bool:
        """Whether the DAG processor has read the file."""
        return bool(self._rows(KNOWN, dag_id=dag_id))

    def backfilled(self, dag_id: str) -> str:
        """The run of a backfill; '' while there is none."""
        rows = self._rows(BACKFILLED, dag_id=dag_id)
        return str(rows[0][0]) if rows else ""

    def run(self, dag_id: str, run_id: str) -> str:
        """The state of a run, which ends a little later than its task."""
        rows = self._rows(RUN, dag_id=dag_id, run_id=run_id)
        return str(rows[0][0]) if rows else ""

    def instance(self, dag_id: str, run_id: str) -> Instance:
        """The one task of a run."""
        rows = self._rows(INSTANCE, dag_id=dag_id, run_id=run_id)
        return Instance(*rows[0]) if rows else Instance(None, 0, None)

    def ending(self, dag_id: str, run_id: str) -> Ending:
        """How the last attempt ended."""
        now = self.instance(dag_id, run_id)
        assert now.state is not None
        if now.state == "success":
            return Ending("success", self._airflow.xcom(dag_id, run_id, TASK))
        return Ending(now.state, error=self._error(dag_id, run_id, now.attempt))

    def killed(self, dag_id: str) -> bool:
        """Whether a trigger has seen that its task was killed, and done what it can."""
        return any(one in line for line in self._lines(dag_id) for one in KILLED)

    def stopped(self, dag_id: str) -> int:
        """How many triggers have stopped the work of a killed task."""
        return sum(STOPPED in line for line in self._lines(dag_id))

    def unreached(self, dag_id: str) -> list[str]:
        """The operations of all tries that came to no connection."""
        return [found[1] for line in self._lines(dag_id) if (found := UNREACHED.search(line))]

    def _rows(self, query: Any, **values: str) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(query, values))

    def _lines(self, dag_id: str) -> Iterator[str]:
        for path in sorted((self._logs / f"dag_id={dag_id}").rglob("*.log")):
            yield from path.read_text(encoding="utf-8", errors="replace").splitlines()

    def _error(self, dag_id: str, run_id: str, attempt: int) -> Told:
        """The last error of the attempt, with the notes that its causes carry."""
        folder = self._logs / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={TASK}"
        found: list[dict[str, Any]] = []
        for line in (folder / f"attempt={attempt}.log").read_text(encoding="utf-8", errors="replace").splitlines():
            told = json.loads(line) if line.startswith("{") else {}
            found = told.get("error_detail") or found
        if not found:
            return Told("no error in the log")
        error = Told(str(found[0]["exc_value"]))
        error.__cause__ = Told("the causes")
        for one in found:
            for note in one.get("exc_notes") or ():
                error.__cause__.add_note(str(note))
        return error
