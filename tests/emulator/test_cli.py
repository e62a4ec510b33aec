"""The command line: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from airflow_provider.emulator.__main__ import main
from airflow_provider.emulator.faults import KINDS
from airflow_provider.emulator.switches import known, lies
from tests.emulator.test_state import started


def test_the_first_line_is_the_endpoint_and_it_answers() -> None:
    with started(
        "--speed", "60", "--switch", "lag=2", "--switch", "job_end=200_completed", "--check-answers"
    ) as emulator:
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        assert emulator.endpoint.endswith("/api/v2")
        assert emulator.greeting == (
            f"world demo, speed 60, control door {emulator.endpoint.removesuffix('/api/v2')}/__emulator__/"
        )
        assert emulator.client.get("version/").status_code == 200
        assert emulator.door.clock()["speed"] == 60
        assert (emulator.door.switches()["lag"], emulator.door.switches()["job_end"]) == ("2", "200_completed")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_although_a_request_is_held(how: signal.Signals) -> None:
    with started() as emulator, ThreadPoolExecutor(1) as aside:
        held = emulator.door.fault("hold")
        hanging = aside.submit(emulator.client.get, "version/")
        emulator.door.await_held(held)
        emulator.process.send_signal(how)
        with pytest.raises(httpx.ReadError):
            hanging.result(20)
        emulator.process.communicate(timeout=20)
        assert emulator.process.returncode in (0, -how)


def test_assumed_prints_switches_lies_faults_and_what_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--assumed"]) == 0
    printed = capsys.readouterr().out
    for switch in known().values():
        assert f"\n{switch.name} = {switch.default}" in printed
        assert switch.why in printed
        assert all(value in printed for value in switch.values)
    assert all(name in printed for name in lies())
    assert "retry_after(code=429, seconds=30, as_date=false)" in printed
    assert all(f"\n{name}(" in printed for name in KINDS)
    assert "Not emulated" in printed


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--switch", "lag=many"], "lag must be one of 0, 1, 2, 3"),
        (["--switch", "colour"], "there is no switch 'colour'"),
        (["--port", "99999"], "cannot listen on 127.0.0.1:99999"),
        (["--host", "192.0.2.1", "--port", "0"], "cannot listen on 192.0.2.1:0"),
        (["--state", "/nowhere/at/all/state.json"], "--state /nowhere/at/all/state.json cannot be used"),
    ],
)
def test_bad_options_are_told_and_end_it(capsys: pytest.CaptureFixture[str], options: list[str], part: str) -> None:
    assert main(options) == 2
    assert part in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--world", "mars"], ["--speed", "-1"], ["--speed", "nan"], ["--speed", "fast"]])
def test_options_outside_their_values_are_refused_by_the_parser(options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2


def test_a_taken_port_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    assert "cannot listen on" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_state_file_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(content)
    assert main(["--state", str(file)]) == 2
    assert "cannot be used" in capsys.readouterr().err
    assert file.read_text() == content


def test_it_needs_nothing_but_starlette_and_uvicorn() -> None:
    """Neither Airflow nor our client nor httpx is imported by a running emulator."""
    code = (
        "import sys; import airflow_provider.emulator.server; "
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('airflow', 'httpx', 'tenacity', 'pydantic', 'pytest') or name.startswith('airflow_provider.api')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "[]"
