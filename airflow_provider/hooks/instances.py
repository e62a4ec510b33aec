"""How a task instance is, as Airflow's database says.

Airflow tells nobody why it ends a wait: because a user ended the task, cleared it, or because a process stops or hands
over. The state tells: only a task that has ended was killed.
"""

from __future__ import annotations

from typing import Any

ENDED = frozenset({"failed", "success", "skipped", "upstream_failed", "removed"})


def state_of(instance: Any) -> str | None:
    """The state of a task instance; None while it has none, and where Airflow does not know it.

    Asks through the supervisor of the process, and blocks meanwhile.
    """
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    task_id, run_id = instance.task_id, instance.run_id
    place = None if instance.map_index is None or instance.map_index < 0 else instance.map_index
    states = RuntimeTaskInstance.get_task_states(
        dag_id=instance.dag_id, task_ids=[task_id], run_ids=[run_id], map_index=place
    )
    state: str | None = states.get(run_id, {}).get(task_id if place is None else f"{task_id}_{place}")
    return state
