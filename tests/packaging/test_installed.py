"""The wheel in a bare environment of each Airflow line: it installs, is found, starts, and Airflow logs no error."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.emulator import Emulator
from demo.package import ROOT, build_wheel
from demo.stack import Stack, clean_environment

pytestmark = pytest.mark.slow_install

LINES = {
    "3.1": "constraints/airflow-3.1.txt",
    "3.2": "constraints/airflow-3.2.txt",
    "3.3": "constraints.txt",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("build") / "wheel")


@pytest.fixture(scope="module", params=LINES)
def line(request: pytest.FixtureRequest) -> str:
    """An Airflow line."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def python(line: str, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The interpreter of an environment with the wheel, its dependencies as pinned, and nothing else."""
    folder = tmp_path_factory.mktemp(f"airflow-{line}")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "--constraint", str(ROOT / LINES[line]), str(wheel)], check=True)
    yield python
    shutil.rmtree(folder)  # 300 MB, which pytest would keep for three runs


@pytest.fixture(scope="module")
def airflow(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is never started: its commands run in the bare environment, with examples."""
    dags = tmp_path_factory.mktemp("no-dags")
    stack = Stack(tmp_path_factory.mktemp("home"), dags, python=str(python), load_examples=True)
    stack.command("db", "migrate")
    yield stack
    stack.stop()


def test_the_installation_is_consistent(python: Path) -> None:
    subprocess.run([str(python), "-m", "pip", "check", "--disable-pip-version-check"], check=True)


def test_airflow_lists_the_provider(airflow: Stack) -> None:
    assert "airflow-provider-datarobot-mlops" in airflow.command("providers", "list", "--output", "plain")


def test_airflow_lists_the_hook(airflow: Stack) -> None:
    hooks = airflow.command("providers", "hooks", "--output", "plain")
    (line,) = [line for line in hooks.splitlines() if line.startswith("datarobot")]
    assert "airflow_provider.hooks.datarobot.DataRobotHook" in line


def test_airflow_lists_the_link(airflow: Stack) -> None:
    assert "airflow_provider.tasks.links.DataRobotLink" in airflow.command("providers", "links", "--output", "plain")


def test_examples_load_without_an_error(airflow: Stack, line: str) -> None:
    """Airflow 3.3 looks into each provider for example DAGs, and logs a traceback where it finds no such package."""
    done = subprocess.run(
        [airflow.python, "-m", "airflow", "dags", "reserialize"],
        env=airflow.environment,
        cwd=airflow.home,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert [one for one in said.splitlines() if "[error" in one or "ERROR" in one] == []
    assert ("airflow-provider-datarobot-mlops-example-dags" in said) == (line == "3.3")


def test_the_emulator_says_what_it_assumes(python: Path, tmp_path: Path) -> None:
    command = [str(python), "-m", "airflow_provider.emulator", "--assumed"]
    done = subprocess.run(command, cwd=tmp_path, env=clean_environment({}), check=True, capture_output=True, text=True)
    assert "write_under_policy" in done.stdout


def test_the_emulator_starts(python: Path, tmp_path: Path) -> None:
    with Emulator(tmp_path, clean_environment({}), python=str(python)) as emulator:
        assert emulator.person("requester-token").ask("GET", "version/")["major"] == 2
