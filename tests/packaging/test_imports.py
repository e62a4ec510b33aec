"""Importing loads little: DAG files are read again and again, the pytest plugin in every run of every user.

What that costs in milliseconds is told by ``make bench``: time on a busy machine is no verdict.
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks import imports
from demo.stack import clean_environment


def test_operators_and_sensors_load_nothing_heavy() -> None:
    assert imports.dag_file_cost(processes=1).heavy() == []


def test_the_pytest_plugin_imports_nothing_but_pytest() -> None:
    cost = imports.pytest_plugin_cost(processes=1)
    ours = {"airflow_provider", "airflow_provider.emulator", "airflow_provider.emulator.pytest_plugin"}
    assert {name for name in cost.loaded if name.split(".")[0] not in sys.stdlib_module_names} == ours


def test_the_conftest_does_not_import_airflow() -> None:
    """Tests of the lower floors start without it."""
    script = "import sys, tests.conftest; sys.exit('airflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], env=clean_environment({}), check=True)


def test_the_provider_info_is_data() -> None:
    """Every start of every Airflow process asks for it."""
    script = """
import sys
before = set(sys.modules)
from airflow_provider.get_provider_info import get_provider_info
get_provider_info()
ours = {name for name in sys.modules if name.startswith("airflow_provider")}
print(*sorted(ours), *sorted({"airflow", "httpx", "pydantic"} & (set(sys.modules) - before)))
"""
    done = subprocess.run([sys.executable, "-c", script], env=clean_environment({}), check=True, capture_output=True)
    loaded = done.stdout.decode().split()
    assert [name for name in loaded if "provider_info" not in name] == ["airflow_provider"]
