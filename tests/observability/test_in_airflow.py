"""Real Airflow, each line: figures go the whole way, from a task and from a trigger to a backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from demo.stack import clean_environment
from tests.observability.conftest import Backend
from tests.tasks import UNGOVERNED, V3, errors, perform, service, soon

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.tasks import Perform

__all__ = ["errors", "perform", "service", "soon"]

# What Airflow expects of the package `statsd`; it prints what the real one sends.
STATSD = """
class StatsClient:
    def __init__(self, host, port, prefix, ipv6):
        self.prefix = prefix
    def incr(self, stat, count=1, rate=1):
        print(f"{self.prefix}.{stat}:{count}|c")
    def timing(self, stat, delta):
        print(f"{self.prefix}.{stat}:{delta.total_seconds() * 1000:.0f}|ms")
    def gauge(self, stat, value, rate=1, delta=False):
        print(f"{self.prefix}.{stat}:{value}|g")
    def timer(self, *_stat, **_rate):
        return Timer()

class Timer:
    duration = 0.0
    def __enter__(self):
        return self
    def __exit__(self, *_error):
        pass
    def start(self):
        return self
    def stop(self, send=True):
        pass
"""
# What a triggerer does before it runs a trigger: it imports its runner, and reads the row.
TRIGGERER = """
import airflow.jobs.triggerer_job_runner
from airflow.models.trigger import Trigger
Trigger._decrypt_kwargs(Trigger.encrypt_kwargs({"datarobot_conn_id": "d", "wait": {}}))
from airflow_provider.hooks.stats import OBSERVER, QUOTA_LEFT
OBSERVER.request("getStatus", "GET", "status/1/", 200, 0.25, 0)
QUOTA_LEFT.tell(7, deployment="1")
"""


def test_a_deferred_task_counts_in_worker_and_triggerer(
    service: EmulatorDoor, perform: Perform, figures: Backend
) -> None:
    from airflow_provider.operators.replacement import DataRobotReplaceModelOperator

    done = perform(
        lambda: [
            DataRobotReplaceModelOperator(
                task_id="replace",
                deployment_id=UNGOVERNED,
                model_package_id=V3,
                reason="ACCURACY",
                deferrable=True,
            )
        ]
    )
    assert done["replace"].state == "success"
    assert figures.sum("datarobot.requests", operation="replaceDeploymentModel", outcome="ok") == 1
    assert figures.sum("datarobot.polls", operation="getStatus") > 1
    assert len(figures.values("datarobot.wait_time", operation="replaceDeploymentModel", outcome="done")) == 1
    assert figures.sum("datarobot.work", state="settled") == 1
    assert any(name.startswith(("ti.", "task.", "operator_")) for name, _, _ in figures.told), "Airflow's own too"


def test_a_triggerers_figures_go_where_the_metrics_section_says(tmp_path: Path) -> None:
    (tmp_path / "statsd.py").write_text(STATSD)
    environment = clean_environment(
        {
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__CORE__FERNET_KEY": "",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])]),
        }
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TRIGGERER], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if "datarobot" in line and "|" in line] == [
        "airflow.datarobot.requests:1|c",
        "airflow.datarobot.request_time:250|ms",
        "airflow.datarobot.polls:1|c",
        "airflow.datarobot.quota_left:7|g",
    ]
