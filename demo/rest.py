"""What the demo and the tests ask Airflow's REST API: run, watch, read, change and clear."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

import httpx

from demo.processes import Unwell, until

ENDED = ("success", "failed")
POLL_SECONDS = 0.5


class Token(httpx.Auth):
    """A token for the one admin that everybody is; Airflow 3.1 wants one, later lines do without."""

    requires_response_body = True

    def __init__(self, address: str) -> None:
        self._address = address
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Ask for the token before the first request."""
        if not self._token:
            answer = yield httpx.Request("GET", f"{self._address}/auth/token")
            self._token = answer.json()["access_token"]
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class Airflow:
    """The public REST API of one Airflow, on which everybody is admin.

    :param address: its web address, without a path.
    :param patience: seconds until an answer counts as lost; the first ones of a busy server take their time.
    """

    def __init__(self, address: str, patience: float = 30.0) -> None:
        self._client = httpx.Client(
            base_url=f"{address}/api/v2", auth=Token(address), timeout=patience, trust_env=False
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One call; the parsed answer. Raises :class:`Unwell` with the answer's text on any error status."""
        answer = self._client.request(method, path, json=body, params=query)
        if answer.is_error:
            raise Unwell(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def health(self) -> dict[str, str]:
        """Component -> ``healthy`` or another word; empty while nobody answers."""
        try:
            answer = self._client.get("/monitor/health", auth=None, timeout=2.0)
        except httpx.TransportError:
            return {}
        return {name: part["status"] for name, part in answer.json().items()} if answer.is_success else {}

    def wait_for_dag(self, dag_id: str, seconds: float = 60.0) -> None:
        """Until the DAG processor has stored it; raises :class:`Unwell` with the import errors if it does not come."""
        try:
            until(lambda: self._client.get(f"/dags/{dag_id}").is_success, f"DAG {dag_id}", seconds)
        except Unwell as error:
            raise Unwell(f"{error}\n{self.import_errors()}") from None

    def import_errors(self) -> list[str]:
        """What went wrong when Airflow read the DAG files."""
        return [f"{one['filename']}: {one['stack_trace']}" for one in self.ask("GET", "/importErrors")["import_errors"]]

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run as soon as the DAG is known, paused or not; its id."""
        self.wait_for_dag(dag_id)
        self.ask("PATCH", f"/dags/{dag_id}", {"is_paused": False}, update_mask="is_paused")
        run = self.ask("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf or {}})
        run_id: str = run["dag_run_id"]
        return run_id

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """The run: ``state``, ``start_date``, ``end_date``, ..."""
        run: dict[str, Any] = self.ask("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
        return run

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run, those of mapped tasks singly, in order of their start."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        tasks: list[dict[str, Any]] = []
        while True:
            page = self.ask("GET", path, limit=100, offset=len(tasks))
            tasks += page["task_instances"]
            if not page["task_instances"] or len(tasks) >= page["total_entries"]:
                return sorted(tasks, key=lambda task: (task["start_date"] or "~", task["task_id"], task["map_index"]))

    def states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """Task id -> state; the mapped ones as ``task[0]``."""
        return {label(task): task["state"] for task in self.tasks(dag_id, run_id)}

    def wait(
        self,
        dag_id: str,
        run_id: str,
        seconds: float,
        on_change: Callable[[str, str | None, str | None], None] = lambda task, old, new: None,
    ) -> str:
        """Watch a run to its end; its state. ``on_change(task, old state, new state)`` is told every step."""
        seen: dict[str, str | None] = {}
        end = time.monotonic() + seconds
        while True:
            state: str = self.run(dag_id, run_id)["state"]
            for task, now in self.states(dag_id, run_id).items():
                if now != seen.get(task):
                    on_change(task, seen.get(task), now)
                    seen[task] = now
            if state in ENDED:
                return state
            if time.monotonic() > end:
                raise Unwell(f"{dag_id} {run_id} still {state} after {seconds:.0f} s: {seen}")
            time.sleep(POLL_SECONDS)

    def wait_for_state(self, dag_id: str, run_id: str, task: str, states: Sequence[str], seconds: float = 60.0) -> None:
        """Until a task (``task`` or ``task[0]``) is in one of the states."""
        what = f"{dag_id} {task} {' or '.join(states)}"
        until(lambda: self.states(dag_id, run_id).get(task) in states, what, seconds)

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """The value that a task left; None when it left none."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        answer = self._client.get(path, params={"map_index": map_index, "deserialize": True})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_error:
            raise Unwell(f"GET {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1, map_index: int = -1) -> str:
        """The log of one attempt, as lines of text."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        answer = self.ask("GET", path, full_content=True, map_index=map_index)
        return "\n".join(_log_line(line) for line in answer["content"])

    def set_state(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """What a person does with "mark as failed" or "mark as success"; a deferred task is killed by it."""
        self.ask("PATCH", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}", {"new_state": state})

    def clear(self, dag_id: str, run_id: str, task_ids: Sequence[str]) -> None:
        """Run tasks of a run again, whatever their state."""
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "task_ids": list(task_ids),
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self.ask("POST", f"/dags/{dag_id}/clearTaskInstances", body)


def label(task: dict[str, Any]) -> str:
    """``task``, or ``task[0]`` for one instance of a mapped task."""
    return task["task_id"] if task["map_index"] < 0 else f"{task['task_id']}[{task['map_index']}]"


def _log_line(line: Any) -> str:
    if isinstance(line, str):
        return line
    errors = [f"{one['exc_type']}: {one['exc_value']}" for one in line.get("error_detail") or ()]
    return " | ".join([str(line.get("event", line)), *errors])
