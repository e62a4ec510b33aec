"""A triggerer process full of waits: ``python -m tests.triggers.crowd WAITS SECONDS TOKEN@ENDPOINT...``.

Each wait asks a path of its own, forever; several tenants share the waits. Prints one JSON object: connections when
all had looked once, all that were ever opened, memory, looks, and what Airflow said about a blocked thread.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import airflow_home

if TYPE_CHECKING:
    from tests.triggers.runner import Triggerer

airflow_home.prepare()

ESTABLISHED = "01"
INTERVAL = 2.5  # seconds between two looks of one wait
PAGE = 4096
TICK = 0.05  # seconds


class Listener:
    """Airflow's log, of which only complaints are kept."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def info(self, text: str, *values: Any, **_more: Any) -> None:
        if "blocked" in text:
            self.complaints.append(text % values)

    async def ainfo(self, text: str, *values: Any, **more: Any) -> None:
        self.info(text, *values, **more)

    def error(self, text: str, *_values: Any, **more: Any) -> None:
        self.complaints.append(f"{text} {more}")

    exception = warning = error


class Crowd:
    """The waits, and what is seen of them from outside."""

    def __init__(self, endpoints: list[str]) -> None:
        from airflow_provider.api import exchange

        self.ports = {f"{int(endpoint.split(':')[2].split('/')[0]):04X}" for endpoint in endpoints}
        self.looks = 0
        self.used: set[str] = set()
        tell = exchange.Exchange.tell

        def counting(client: Any, *arguments: Any) -> None:
            self.looks += 1
            tell(client, *arguments)

        exchange.Exchange.tell = counting  # type: ignore[assignment, method-assign]

    def connections(self) -> set[str]:
        """Our open connections to the endpoints, by their local address."""
        own = {os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if os.path.islink(entry.path)}
        found = set()
        for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, state, *_, inode = line.split()[:10]
            if state == ESTABLISHED and remote.split(":")[1] in self.ports and f"socket:[{inode}]" in own:
                found.add(local)
        return found


async def longest_stretch(process: Triggerer) -> float:
    """Seconds that the loop's thread computed without a pause, at most; a machine that is busy elsewhere adds none."""
    longest = 0.0
    while not process.runner.stop:
        before = time.thread_time()
        await asyncio.sleep(TICK)
        longest = max(longest, time.thread_time() - before)
    return longest


def memory() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def waits(number: int, endpoints: list[str]) -> list[Any]:
    from airflow_provider.api.waits import ThresholdWait, to_json
    from airflow_provider.triggers.wait import DataRobotWaitTrigger
    from tests.triggers.runner import row, task_instance

    rows = []
    for index in range(number):
        wait = ThresholdWait(f"deployments/?limit=1&offset={index}", "totalCount", "<", -1)
        pacing = {"interval": INTERVAL, "factor": 1.0}
        trigger = DataRobotWaitTrigger(f"tenant_{index % len(endpoints)}", to_json(wait), pacing=pacing)
        rows.append(row(index + 1, trigger, instance=task_instance(map_index=index)))
    return rows


async def watch(number: int, seconds: float, endpoints: list[str]) -> dict[str, Any]:
    from airflow.sdk.execution_time import task_runner

    from tests.triggers.runner import Supervisor, Triggerer

    supervisor = Supervisor()
    task_runner.SUPERVISOR_COMMS = supervisor  # type: ignore[assignment]
    process, crowd, listener = Triggerer(supervisor), Crowd(endpoints), Listener()
    process.runner.log = listener  # type: ignore[assignment]
    first, *others = waits(number, endpoints)
    await process.start(first)  # what is loaded once is not the crowd's
    await process.until(lambda: crowd.looks >= 1)
    gc.collect()
    gc.freeze()  # a walk of the collector over all that Airflow has loaded takes 0.2 s, whatever the triggers are
    watchdog = asyncio.create_task(process.runner.block_watchdog())
    stretch = asyncio.create_task(longest_stretch(process))
    before, begun, used_before = memory(), time.monotonic(), time.process_time()
    await process.start(*others)
    await process.until(lambda: crowd.looks >= number, 60)
    started, connections, looks = time.monotonic(), crowd.connections(), crowd.looks
    crowd.used = set(connections)

    def over() -> bool:
        crowd.used |= crowd.connections()
        return time.monotonic() > started + seconds

    await process.until(over, seconds + 30)
    found = {
        "waits": number,
        "first looks of all after": round(started - begun, 1),
        "connections": len(connections),
        "connections ever": len(crowd.used),
        "looks after that": crowd.looks - looks,
        "kB a wait": round((memory() - before) / number / 1024, 1),
        "processor": round((time.process_time() - used_before) / (time.monotonic() - begun), 2),
        "complaints": listener.complaints,
        "failures": len(supervisor.failures),
    }
    process.runner.stop = True
    await watchdog
    return {**found, "longest stretch": round(await stretch, 3)}


def main() -> None:
    number, seconds, tenants = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    endpoints = []
    for index, tenant in enumerate(tenants):
        token, endpoint = tenant.split("@")
        connection = {"conn_type": "datarobot", "host": endpoint, "password": token}
        os.environ[f"AIRFLOW_CONN_TENANT_{index}"] = json.dumps(connection)
        endpoints.append(endpoint)
    import airflow_provider.triggers.wait as trigger

    trigger.FIRST_POLL = 0.5  # the crowd need not wait for an executor
    sys.stdout.write(json.dumps(asyncio.run(watch(number, seconds, endpoints))))


if __name__ == "__main__":
    main()
