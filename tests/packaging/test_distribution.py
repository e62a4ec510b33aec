"""What is in the wheel and in the sdist."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from demo.package import EXAMPLES, ROOT, build_wheel

PACKAGE = ROOT / "airflow_provider"
# Where an address would tell of the machine or of the index that built it.
ADDRESS = "://"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("build") / "wheel"))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(wheel.read(name).decode())


def source_files(folder: Path) -> set[str]:
    files = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(folder)) for file in files}


def test_the_wheel_has_two_packages_and_nothing_else_on_top(wheel: zipfile.ZipFile) -> None:
    """A top-level `tests` or `demo` in somebody's site-packages would shadow theirs."""
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "airflow_provider",
        "airflow_provider_datarobot_mlops",
    }


def test_the_wheel_has_the_whole_package(wheel: zipfile.ZipFile) -> None:
    packed = {
        name.removeprefix("airflow_provider/") for name in wheel.namelist() if name.startswith("airflow_provider/")
    }
    assert packed == source_files(PACKAGE)
    assert {"py.typed", "contract/datarobot-api.openapi.json", "emulator/worlds/demo.json"} <= packed


def test_the_wheel_has_the_example_dags_where_airflow_looks(wheel: zipfile.ZipFile) -> None:
    packed = {name.removeprefix(f"{EXAMPLES}/") for name in wheel.namelist() if name.startswith(f"{EXAMPLES}/")}
    assert packed == source_files(ROOT / "example_dags")


def test_the_wheel_has_its_licence_and_entry_points(wheel: zipfile.ZipFile) -> None:
    (licence,) = [name for name in wheel.namelist() if name.endswith("/LICENSE")]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    (entries,) = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]
    told = wheel.read(entries).decode()
    assert "provider_info = airflow_provider.get_provider_info:get_provider_info" in told
    assert "datarobot_emulator = airflow_provider.emulator.pytest_plugin" in told


def test_the_metadata_asks_for_floors_only(metadata: Message) -> None:
    """Pins stand in the constraints of each Airflow line; an exact requirement here would fight with them."""
    assert (metadata["Name"], metadata["Requires-Python"]) == ("airflow-provider-datarobot-mlops", ">=3.11")
    assert metadata["License-Expression"] == "Apache-2.0"
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.split(">")[0] for line in needed if ">=" in line and "==" not in line) == [
        "apache-airflow",
        "apache-airflow-providers-common-compat",
        "httpx<1,",
        "pydantic",
        "tenacity",
    ]
    assert len(needed) == 5


def test_the_sdist_builds_and_tests_itself(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    files = "pyproject.toml", "Makefile", "constraints.txt", ".importlinter", "tests/conftest.py", "demo/run.py"
    assert {*files, "airflow_provider/py.typed", "example_dags/__init__.py", "LICENSE", "README.md"} <= names
    assert [name for name in names if name.startswith((".venv", "build", ".git/")) or "__pycache__" in name] == []


@pytest.mark.parametrize("file", ["constraints.txt", "constraints/airflow-3.1.txt", "constraints/airflow-3.2.txt"])
def test_constraints_hold_names_and_versions_only(file: str) -> None:
    lines = (ROOT / file).read_text().splitlines()
    assert [line for line in lines if "==" not in line or ADDRESS in line or line.startswith("-")] == []
