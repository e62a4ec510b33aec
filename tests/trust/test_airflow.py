"""Real Airflow: what its database and its logs hold after tasks that went well, waited, failed and were repeated to.

The same is looked for at the end of every run of the suite (``tests/conftest.py``), so over all examples and journeys.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import UNGOVERNED, V3
from tests.trust import scanning

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.tasks import Perform

ECHO = {"message": "Authorization: Bearer requester-token", "errors": {"requester-token": ["requester-token"]}}


def test_tasks_leave_no_token(
    service: EmulatorDoor, perform: Perform, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from airflow_provider.operators.deployment_status import DataRobotDeactivateDeploymentOperator
    from airflow_provider.operators.deployments import DataRobotGetDeploymentOperator
    from airflow_provider.operators.replacement import DataRobotReplaceModelOperator

    def make() -> list[Any]:
        of: dict[str, Any] = {"deployment_id": UNGOVERNED}
        return [
            DataRobotReplaceModelOperator(
                task_id="good", model_package_id=V3, reason="ACCURACY", deferrable=True, **of
            ),
            DataRobotDeactivateDeploymentOperator(task_id="refused", retries=1, **of),
            DataRobotGetDeploymentOperator(task_id="read", **of),
        ]

    service.fault("status", code=401, body=ECHO, times=0, operationId="updateDeploymentStatus")
    service.fault("status", code=500, body=f"<pre>{ECHO}</pre>", content_type="text/html", operationId="getStatus")
    done = perform(make)
    assert {name: one.state for name, one in done.ended.items()} == {
        "good": "success",
        "refused": "failed",
        "read": "success",
    }
    home = Path(os.environ["AIRFLOW_HOME"])
    assert scanning.in_database(home / "airflow.db") == []
    assert scanning.in_files(home / "logs") == []
    logs = "".join(capfd.readouterr()) + caplog.text
    assert "Authorization: Bearer ***" in logs + done.ended["refused"].error
    assert scanning.in_text(logs + done.ended["refused"].error) == []
    # A control: the ids of the same tasks are where the tokens are not.
    tables = {one.partition(".")[0] for one in scanning.in_database(home / "airflow.db", [UNGOVERNED])}
    assert tables >= {"xcom", "rendered_task_instance_fields", "serialized_dag"}


def test_the_scan_finds_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "airflow.db"
    with sqlite3.connect(file) as database:
        database.execute('CREATE TABLE "order" (plain TEXT, packed BLOB, other BLOB)')
        packed = zlib.compress(b'{"a": "reviewer-token"}')
        database.execute('INSERT INTO "order" VALUES (?, ?, ?)', ("x requester-token y", packed, b"admin-token\xff"))
    database.close()
    assert scanning.in_database(file) == [
        "order.other: admin-token",
        "order.packed: reviewer-token",
        "order.plain: requester-token",
    ]
    (tmp_path / "task.log").write_text("Bearer outsider-token")
    assert "task.log: outsider-token" in scanning.in_files(tmp_path)
    assert scanning.in_text("a Bearer *** b") == []
