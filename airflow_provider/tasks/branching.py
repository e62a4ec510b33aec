"""Choosing among the tasks behind a task by an outcome that has a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XCOM_RETURN_KEY

from airflow_provider.api.errors import InvalidCall
from airflow_provider.tasks import arguments

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, Context

Branches = dict[str, list[str]]


def checked(task: BaseOperator, given: Any, needed: Sequence[str], outcomes: Sequence[str]) -> Branches:
    """The tasks to follow for each outcome; empty where the author chooses no branch.

    :param given: outcome to task id, task group id, or list of them (an empty list follows nothing).
    :param needed: outcomes that must be named.
    :param outcomes: all that may be.
    """
    if not needed and not given:
        return {}
    named = arguments.mapping("branches", given) or {}
    faults = [f"{one} is missing" for one in needed if one not in named]
    faults += [f"{one} is no outcome" for one in named if one not in outcomes]
    followed = {one: arguments.several(f"branches[{one!r}]", names) for one, names in named.items()}
    dag = task.get_dag()
    there = {*dag.task_ids, *dag.task_group_dict} if dag is not None else set()
    strange = sorted({name for names in followed.values() for name in names} - there)
    faults += [f"{name} is no task or task group of this DAG" for name in strange]
    if faults:
        raise InvalidCall(f"branches must name the tasks to follow for {', '.join(needed)}: {'; '.join(faults)}")
    return followed


def follow(task: Any, context: Context, branches: Mapping[str, list[str]], outcome: str, answer: Any) -> None:
    """Skips the tasks behind the task that the outcome does not name; without branches all of them run."""
    if not branches:
        return
    if task.do_xcom_push:
        # Skipping ends the task at once, and what it returns would be lost.
        context["ti"].xcom_push(key=XCOM_RETURN_KEY, value=answer)
    task.do_branch(context, branches[outcome])
