"""The DAG of one schedule, as a user would write it: one task, literal arguments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pprint import pformat
from typing import Any

from tests.faults.case import kind_of

TASK = "task"
TEXT = '''"""A schedule of faults."""

from datetime import datetime, timedelta

from airflow.sdk import DAG

from {module} import {name}

with DAG(
    "{dag_id}",
    schedule="@daily",
    start_date=datetime(2026, 3, 1),
    end_date=datetime(2026, 3, 2),
    catchup=False,
):
    {name}(
        task_id="{task}",
        retries={retries},
        retry_delay=timedelta(seconds={delay}),
        **{arguments},
    )
'''


def write(folder: Path, dag_id: str, operator: str, retries: int, delay: float, arguments: Mapping[str, Any]) -> None:
    """Puts the file where the DAG processor finds it, whole at once."""
    kind = kind_of(operator)
    text = TEXT.format(
        module=kind.__module__,
        name=kind.__name__,
        dag_id=dag_id,
        task=TASK,
        retries=retries,
        delay=delay,
        arguments=pformat(dict(arguments)),
    )
    draft = folder / f"{dag_id}.draft"
    draft.write_text(text, encoding="utf-8")
    draft.rename(folder / f"{dag_id}.py")
