"""What is looked at, again and again, while a cluster works."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from demo.processes import Unwell, until
from tests.connections import ESTABLISHED
from tests.distributed.cluster import Cluster

PATIENCE = 3600.0
PAUSE, SHORT_PAUSE = 1.0, 0.1  # seconds between two looks, and where time is measured


class TakeOver:
    """Which waits of a triggerer that goes are begun by another one, and how long after its end.

    :param how: ends the triggerer and tells when.
    """

    def __init__(self, cluster: Cluster, name: str, how: Callable[[str], float]) -> None:
        self.held = cluster.waits_of(name)
        self.seconds: dict[int, float] = {}
        self._database = cluster.database
        self._old = cluster.triggerers[name]
        self._moment = how(name)

    def done(self) -> bool:
        """Looks; whether each wait has either another triggerer or ended."""
        owners, now = self._database.owners(), time.time()
        for wait in self.held - self.seconds.keys():
            if owners.get(wait) not in (None, self._old):
                self.seconds[wait] = now - self._moment
        return self.held & owners.keys() <= self.seconds.keys()


class Reviewer:
    """A person who approves every change request that is there."""

    def __init__(self, cluster: Cluster) -> None:
        self._ask = cluster.emulator.person("reviewer-token").ask
        self.approved: list[str] = []
        self._next = 0.0

    def look(self) -> None:
        """Approves what is pending, once in two seconds."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 2
        pending = self._ask("GET", "changeRequests/", entityType="deployment", status="pending", limit=100)["data"]
        for request in pending:
            body = {"changeVersionId": request["changeVersionId"], "status": "approved"}
            self._ask("POST", f"changeRequests/{request['id']}/reviews/", body)
            self.approved.append(request["id"])


class Meter:
    """How many connections the service has at a time, and how many requests it gets."""

    def __init__(self, cluster: Cluster, user: str = "requester@example.com") -> None:
        self._port = int(cluster.emulator.origin.rpartition(":")[2])
        self._door = cluster.door
        self._user = user
        self.connections = 0

    def look(self) -> None:
        """Counts the connections of now."""
        local = f":{self._port:04X}"
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        now = sum(line.split()[1].endswith(local) and line.split()[3] == ESTABLISHED for line in lines)
        self.connections = max(self.connections, now)

    def requests(self) -> dict[str, Any]:
        """How many there were, and how many in the seconds with the most; the emulator's clock has the pace of ours."""
        moments = [datetime.fromisoformat(one["at"]) for one in self._door.log(user=self._user)]
        most = Counter(int(one.timestamp()) for one in moments).most_common(1)[0][1]
        return {"requests": len(moments), "peak": most}


class Watch:
    """Waits for things, and looks after people and figures meanwhile."""

    def __init__(self, cluster: Cluster) -> None:
        self.reviewer, self.meter = Reviewer(cluster), Meter(cluster)
        self._cluster = cluster

    def until(self, ready: Callable[[], bool], what: str, pause: float = PAUSE) -> None:
        """Raises :class:`Unwell` after an hour, when a part has ended by itself, or when a task has failed."""

        def look() -> bool:
            self.reviewer.look()
            self.meter.look()
            failed = [task for task, state in self._cluster.database.states().items() if state == "failed"]
            if failed:
                raise Unwell(f"failed while waiting for: {what}: {failed}")
            return ready()

        until(look, what, PATIENCE, self._cluster.stack.children.values(), pause)
