"""What a task is told of itself before its arguments are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class Introduced:
    """A task that knows which task instance it is; the bases of the operators are made with it."""

    _instance = ""  # the same for all attempts of the task instance, on any worker

    def introduce(self, context: Context) -> None:
        """Notes what the task needs to know of its context; called whenever it begins, or goes on, on a worker."""
        instance: Any = context["ti"]
        self._instance = f"{instance.dag_id}/{instance.task_id}/{instance.run_id}/{instance.map_index}"
