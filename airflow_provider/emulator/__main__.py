"""``python -m airflow_provider.emulator``: start the emulator, or print what it assumes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from airflow_provider.emulator.clock import is_number
from airflow_provider.emulator.reference import as_text
from airflow_provider.emulator.server import make_server, open_socket, url_of
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.store import worlds
from airflow_provider.emulator.switches import UnknownSwitch


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve until a signal ends it. The first line printed is the endpoint."""
    options = _parser().parse_args(arguments)
    if options.assumed:
        sys.stdout.write(as_text() + "\n")
        return 0
    try:
        service = Service(options.world, options.speed, options.state, check_answers=options.check_answers)
    except (OSError, ValueError, KeyError) as fault:
        return _complain(f"--state {options.state} cannot be used: {fault}")
    try:
        service.switches.set(dict(one.partition("=")[::2] for one in options.switch))
    except UnknownSwitch as fault:
        return _complain(f"--switch: {fault}")
    try:
        bound = open_socket(options.host, options.port)
    except (OSError, OverflowError) as fault:
        return _complain(f"cannot listen on {options.host}:{options.port}: {fault}")

    def say_ready() -> None:
        origin = url_of(bound)
        sys.stdout.write(f"{origin}/api/v2\n")
        sys.stdout.write(f"world {service.world}, speed {options.speed:g}, control door {origin}/__emulator__/\n")
        sys.stdout.flush()

    make_server(service, say_ready).run([bound])
    return 0


def _complain(text: str) -> int:
    sys.stderr.write(f"emulator: {text}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m airflow_provider.emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8085, help="port; 0 takes a free one (default: 8085)")
    parser.add_argument("--world", default="demo", choices=worlds(), help="what exists at the start (default: demo)")
    parser.add_argument("--speed", type=_speed, default=1.0, help="service seconds per real second (default: 1)")
    parser.add_argument("--state", type=Path, help="file that keeps everything between two starts")
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=VALUE", help="set a switch; may be repeated"
    )
    parser.add_argument("--check-answers", action="store_true", help="hold every answer against the contract")
    parser.add_argument(
        "--assumed", action="store_true", help="print switches, lies, faults and what is left out, and end"
    )
    return parser


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not (is_number(speed) and speed >= 0):
        raise argparse.ArgumentTypeError(f"must be a number from 0 on, not {text!r}")
    return speed


if __name__ == "__main__":
    sys.exit(main())
