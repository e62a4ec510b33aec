"""The figures that go to Airflow's own metrics (StatsD, Datadog, OpenTelemetry), from workers and triggerers alike.

    client ──► OBSERVER ──┐
    task, wait, upload ───┴──► Metric.tell ──► Airflow's Stats, where it is found ──► what [metrics] says

Figures are never worth an error: without Airflow's Stats nothing is told, and what a backend raises is passed over.
Operations and outcomes are tags, so that names stay few; no tag and no name holds an id but ``deployment``.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure: a ``counter`` is added to, a ``timer`` takes seconds, a ``gauge`` is set."""

    name: str
    kind: Literal["counter", "timer", "gauge"]
    tags: tuple[str, ...]
    meaning: str

    def tell(self, value: float = 1, **tags: str) -> None:
        """Tells Airflow's metrics a value; what goes wrong with that is a debug line and nothing else."""
        stats = _stats()
        if stats is None:
            return
        try:
            match self.kind:
                case "counter":
                    stats.incr(self.name, int(value), tags=tags)
                case "timer":  # as a timedelta: backends take plain numbers for milliseconds
                    stats.timing(self.name, timedelta(seconds=max(value, 0.0)), tags=tags)
                case "gauge":
                    stats.gauge(self.name, value, tags=tags)
        except Exception as error:
            log.debug("%s was not told: %r", self.name, error)


REQUESTS = Metric("datarobot.requests", "counter", ("operation", "outcome"), "requests that ended, one by one")
REQUEST_TIME = Metric("datarobot.request_time", "timer", ("operation", "outcome"), "how long each of them took")
RETRIES = Metric("datarobot.retries", "counter", ("operation",), "requests that were a repeat within one call")
POLLS = Metric("datarobot.polls", "counter", ("operation",), "requests that were a look at something waited for")
SENT_TWICE = Metric(
    "datarobot.sent_twice", "counter", ("operation",), "writes sent once more after a lost answer or a dead attempt"
)
WORK = Metric("datarobot.work", "counter", ("operation", "state"), "changes of state, as the log lines tell them")
WAIT_TIME = Metric(
    "datarobot.wait_time", "timer", ("operation", "outcome"), "from the begin of a wait to its end, attempts included"
)
ROWS = Metric("datarobot.rows", "counter", ("operation",), "rows of actuals, values of custom metrics: accepted ones")
QUOTA_LEFT = Metric(
    "datarobot.quota_left", "gauge", ("deployment",), "rows of actuals that this hour has room for, as the task counts"
)
METRICS = (REQUESTS, REQUEST_TIME, RETRIES, POLLS, SENT_TWICE, WORK, WAIT_TIME, ROWS, QUOTA_LEFT)
OUTCOMES = {
    "ok": "2xx and 3xx",
    "refused": "4xx",
    "throttled": "429",
    "failed": "408 and 5xx",
    "no_answer": "not connected, or the answer was lost",
}


def outcome_of(status: int | None) -> str:
    """The word for a status; None is no answer at all."""
    if status is None:
        return "no_answer"
    if status == 429:
        return "throttled"
    if status >= 500 or status == 408:
        return "failed"
    return "refused" if status >= 400 else "ok"


class Counting:
    """An observer of clients (``api.exchange.Observer``) that counts and times each attempt."""

    def request(
        self, operation_id: str, method: str, path: str, status: int | None, seconds: float, attempt: int
    ) -> None:
        """One attempt ended. A path that is no operation's is ``other``: a tag has few values."""
        operation = "other" if " " in operation_id else operation_id
        outcome = outcome_of(status)
        REQUESTS.tell(operation=operation, outcome=outcome)
        REQUEST_TIME.tell(seconds, operation=operation, outcome=outcome)
        if attempt == 0:
            POLLS.tell(operation=operation)
        elif attempt > 1:
            RETRIES.tell(operation=operation)


OBSERVER = Counting()


@functools.cache
def _stats() -> Any:
    """Airflow's Stats, whose home is another one in 3.1, 3.2 and 3.3; None where it is not found."""
    try:
        from airflow.providers.common.compat.sdk import Stats
    except Exception as error:  # whatever it is: we do without
        log.debug("Airflow's Stats was not found: %r", error)
        return None
    return Stats
