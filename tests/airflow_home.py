"""A throw-away AIRFLOW_HOME. Importing airflow reads the environment, so this must be told before the first import."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import MutableMapping
from pathlib import Path


def settings(home: Path) -> dict[str, str]:
    """What Airflow is told: its own database in ``home``, no examples, an empty DAG folder, few log lines."""
    return {
        "AIRFLOW_HOME": str(home),
        # dag.test() walks this folder at every call.
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }


def forget_airflow(environment: MutableMapping[str, str]) -> None:
    """Remove every Airflow and DataRobot setting of the person who started us, connections included."""
    for name in [name for name in environment if name.startswith(("AIRFLOW_", "DATAROBOT_"))]:
        del environment[name]


def prepare() -> Path:
    """Point this process to a new home that goes away with it. Each xdist worker is a process of its own."""
    home = Path(tempfile.mkdtemp(prefix="airflow-home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "dags").mkdir()
    forget_airflow(os.environ)
    os.environ.update(settings(home))
    return home
