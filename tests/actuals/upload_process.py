"""An upload in a process of its own, to be killed."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.sdk.bases.operator import ExecutorSafeguard

from airflow_provider.api import client
from airflow_provider.api.waiting import Pacing
from airflow_provider.mlops import budget, upload
from airflow_provider.operators.actuals import DataRobotUploadActualsOperator


def run(connection: dict[str, Any], arguments: dict[str, Any], attempt: int, rows: int, result: str) -> None:
    """One attempt as a worker makes it, with chunks of so many rows; its result is written as JSON, whole."""
    logging.disable()
    os.environ["AIRFLOW_CONN_DATAROBOT_DEFAULT"] = json.dumps(connection)
    tempfile.tempdir = str(Path(result).parent)
    setattr(budget, "CHUNK_ROWS", rows)  # noqa: B010 - another module's name
    setattr(upload, "LOOKS", (0.0, 0.1, 0.2))  # noqa: B010
    setattr(client, "Pacing", partial(Pacing, interval=0.05))  # noqa: B010
    operator: Any = DataRobotUploadActualsOperator(
        task_id="upload", deferrable=False, poll_interval=0.05, settle=0.2, **arguments
    )
    instance = SimpleNamespace(
        dag_id="nightly",
        task_id="upload",
        run_id="run-1",
        map_index=-1,
        try_number=attempt,
        max_tries=99,
        start_date=datetime.now(UTC),
        xcom_push=lambda key, value: None,
    )
    sentinel = {f"{type(operator).__name__}__sentinel": ExecutorSafeguard.sentinel_value}
    found = operator.execute({"ti": instance}, **sentinel)
    part = Path(f"{result}.part")
    part.write_text(json.dumps(found))
    part.rename(result)
