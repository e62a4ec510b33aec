"""The fixture that users get, in a pytest run of its own; and what the plugin costs those who do not use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

USER_TESTS = """
import json
import urllib.request


def version(emulator):
    request = urllib.request.Request(emulator.endpoint + "/version/")
    request.add_header("Authorization", "Bearer " + emulator.tokens["requester"])
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_it_answers(datarobot_emulator):
    assert version(datarobot_emulator)["major"] == 2
    datarobot_emulator.switches(lag="3")
    assert len(datarobot_emulator.log()) == 1


def test_each_test_begins_afresh(datarobot_emulator):
    assert datarobot_emulator.log() == []
    assert datarobot_emulator.switches()["lag"] == "0"
"""


def test_the_fixture_in_a_users_run(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(USER_TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -W error\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "airflow_provider.emulator.pytest_plugin", str(tmp_path)]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=alone)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


def test_loading_the_plugin_imports_nothing_of_weight() -> None:
    """Rule 33: the entry point is imported in every pytest run of every user."""
    code = (
        "import pytest, sys; before = set(sys.modules); import airflow_provider.emulator.pytest_plugin; "
        "print(sorted(set(sys.modules) - before))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == str(
        ["airflow_provider", "airflow_provider.emulator", "airflow_provider.emulator.pytest_plugin"]
    )
