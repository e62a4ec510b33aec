"""Peak memory and speed of a dataset's way up and down, for files of growing size, each in a process of its own.

    python -m benchmarks.dataset_stream 1 200 2000        (megabytes)

The emulator runs in another process. Memory is the client's peak resident set; it must not grow with the file.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

MEGABYTE = 1_000_000
LINE = b"customer-0000001,yes,2026-03-01T10:00:00Z\n"
SIZES = (1, 200)


@dataclass(frozen=True)
class Trip:
    """One file up and down: ``up`` and ``down`` in seconds, ``peak`` in megabytes."""

    megabytes: float
    up: float
    down: float
    peak: float


def trip(endpoint: str, file: Path) -> Trip:
    """Uploads the file, waits until it is processed, downloads it; in this process."""
    from airflow_provider.api import Client, Settings
    from airflow_provider.mlops import datasets

    with Client(Settings(endpoint=endpoint, token="requester-token")) as client:  # noqa: S106 - of the demo world
        begun = time.perf_counter()
        with file.open("rb") as stream:
            created = datasets.upload(client, stream, file.name)
        up = time.perf_counter() - begun
        datasets.wait_processed(client, created)
        begun = time.perf_counter()
        with tempfile.TemporaryFile(dir=file.parent) as into:
            datasets.download(client, into, created.dataset_id)
            down, size = time.perf_counter() - begun, into.tell()
    if size != file.stat().st_size:
        raise AssertionError(f"{file.stat().st_size} bytes went up, {size} came down")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    return Trip(size / MEGABYTE, up, down, peak)


def trips(sizes: Sequence[int]) -> list[Trip]:
    """One trip a size (megabytes), each in a fresh process."""
    found = []
    with tempfile.TemporaryDirectory() as folder, emulator() as endpoint:
        for size in sizes:
            file = Path(folder) / f"rows{size}.csv"
            write(file, size * MEGABYTE)
            command = [sys.executable, "-m", "benchmarks.dataset_stream", "--one", endpoint, str(file)]
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(Trip(**json.loads(run.stdout)))
            file.unlink()
    return found


def write(file: Path, size: int) -> None:
    """A CSV file of about so many bytes."""
    block = LINE * (MEGABYTE // len(LINE))
    with file.open("wb") as out:
        out.write(b"customer_id,churned,at\n")
        while out.tell() < size:
            out.write(block)


@contextmanager
def emulator() -> Iterator[str]:
    """An emulator in a process of its own; its endpoint."""
    command = [sys.executable, "-m", "airflow_provider.emulator", "--host", "127.0.0.1", "--port", "0", "--speed", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None, "its output is a pipe"
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Prints the table, or makes one trip for it."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(asdict(trip(sys.argv[2], Path(sys.argv[3])))))
        return
    print("| file | up | down | peak memory |\n|---|---|---|---|")
    for one in trips([int(size) for size in sys.argv[1:]] or SIZES):
        up, down = one.megabytes / one.up, one.megabytes / one.down
        print(f"| {one.megabytes:.0f} MB | {up:.0f} MB/s | {down:.0f} MB/s | {one.peak:.1f} MB |")


if __name__ == "__main__":
    main()
