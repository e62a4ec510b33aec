"""Faults that a test sets through the control door: which requests they meet, and how often.

A fault is met by a request that fits all of ``operationId``, ``method``, ``path`` (a part of the path) and ``user``
(its token's username). ``nth`` is the first fitting request that it takes (1 = the next one), ``times`` how many it
takes from then on (0 = until it is removed).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from airflow_provider.contract import contract
from airflow_provider.emulator.clock import is_number
from airflow_provider.emulator.store import new_id
from airflow_provider.emulator.switches import lies

MATCH_KEYS = ("operationId", "method", "path", "user")
COUNT_KEYS = ("nth", "times")


class BadFault(ValueError):
    """A fault that makes no sense; the text says which key, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: its parameters with their defaults, and what it does."""

    parameters: Mapping[str, Any]
    why: str


KINDS: Mapping[str, Kind] = {
    "status": Kind(
        {"code": 503, "body": {"message": "Service unavailable"}, "headers": {}, "content_type": "application/json"},
        "answers so, instead of doing anything; a body that is a string is sent as it is",
    ),
    "retry_after": Kind(
        {"code": 429, "seconds": 30, "as_date": False},
        "answers with Retry-After: so many service seconds, told in real ones, or as a date",
    ),
    "html_page": Kind({"code": 502}, "answers with an HTML page, as a gateway does; nothing is done"),
    "reset": Kind({}, "closes the connection without an answer; nothing is done"),
    "delay": Kind({"seconds": 1}, "waits so many real seconds, then goes on"),
    "hold": Kind({"where": "before"}, "waits before or after the commit until it is released"),
    "lost_answer": Kind({"answer": "reset"}, "does the work, then resets the connection or answers with this code"),
    "late_commit": Kind(
        {"answer": 504, "seconds": 30},
        "resets or answers with this code now and does the work so many service seconds later",
    ),
    "truncated": Kind({}, "does the work, sends half of the answer's body and closes the connection"),
    "empty_body": Kind({}, "does the work and leaves the body of the answer out"),
    "content_type": Kind({"value": "text/plain"}, "does the work and names another content type; null names none"),
    "missing_location": Kind({}, "does the work and leaves Location out"),
    "relative_location": Kind({}, "does the work and gives Location without scheme and host"),
    "foreign_location": Kind({"origin": "http://internal.example:8080"}, "does the work and puts another origin"),
    "stuck_job": Kind({}, "the job that this request starts never ends"),
    "failed_job": Kind(
        {"message": "The job failed.", "ends": "ERROR"}, "the job that this request starts ends so, without effect"
    ),
    "expired_job": Kind({}, "the job that this request starts ends EXPIRED, without effect"),
    "job_404": Kind({}, "the status object of the job that this request starts is not found; the work goes on"),
    "lie": Kind({"name": ""}, "a named wrong behaviour, on until it is removed"),
}


@dataclass(slots=True)
class Fault:
    """One fault that is set."""

    kind: str
    parameters: dict[str, Any]
    match: dict[str, Any]
    nth: int
    times: int
    id: str = field(default_factory=new_id)
    seen: int = 0
    fired: int = 0
    holding: int = 0
    dropped: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    def meets(self, request: Mapping[str, Any]) -> bool:
        """Count the request if it fits, and say whether the fault takes it."""
        if self.kind == "lie" or not self._fits(request):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times and self.fired >= self.times):
            return False
        self.fired += 1
        return True

    def _fits(self, request: Mapping[str, Any]) -> bool:
        part = self.match.get("path")
        exact = {key: value for key, value in self.match.items() if key != "path"}
        return (part is None or part in request["path"]) and all(request[key] == exact[key] for key in exact)

    def to_json(self) -> dict[str, Any]:
        """As the control door shows it."""
        counts = {"nth": self.nth, "times": self.times, "seen": self.seen, "fired": self.fired}
        return {"id": self.id, "kind": self.kind, **self.match, **self.parameters, **counts, "holding": self.holding}


class Faults:
    """All faults that are set, in the order in which they were."""

    def __init__(self) -> None:
        self.set: dict[str, Fault] = {}

    def add(self, wanted: Mapping[str, Any]) -> Fault:
        """Set a fault; raises :class:`BadFault`."""
        fault = _checked(wanted)
        self.set[fault.id] = fault
        return fault

    def remove(self, fault_id: str) -> None:
        """Take a fault away, and let go what it holds; KeyError if it is not set."""
        self.set.pop(fault_id).released.set()

    def clear(self, *, drop: bool = False) -> None:
        """Take all away.

        :param drop: whether the requests that are held get no answer, instead of going on
        """
        for fault_id, fault in list(self.set.items()):
            fault.dropped = drop
            self.remove(fault_id)

    def meet(self, request: Mapping[str, Any]) -> list[Fault]:
        """The faults that take this request."""
        return [fault for fault in self.set.values() if fault.meets(request)]

    def lies(self, name: str) -> bool:
        """Whether this lie is on."""
        return any(fault.kind == "lie" and fault.parameters["name"] == name for fault in self.set.values())


def _checked(wanted: Mapping[str, Any]) -> Fault:
    kind = KINDS.get(wanted.get("kind", ""))
    if kind is None:
        raise BadFault(f"kind must be one of {', '.join(KINDS)}, not {wanted.get('kind')!r}")
    allowed = {"kind", *kind.parameters, *MATCH_KEYS, *COUNT_KEYS}
    unknown = sorted(set(wanted) - allowed)
    if unknown:
        raise BadFault(f"unknown key {', '.join(unknown)}; a fault of this kind has {', '.join(sorted(allowed))}")
    parameters = {name: wanted.get(name, default) for name, default in kind.parameters.items()}
    _check_parameters(wanted["kind"], parameters)
    match = {key: wanted[key] for key in MATCH_KEYS if key in wanted}
    if match.get("operationId") is not None and match["operationId"] not in contract().operations:
        raise BadFault(f"the contract has no operation {match['operationId']!r}")
    counts = {"nth": wanted.get("nth", 1), "times": wanted.get("times", 1)}
    for name, least in (("nth", 1), ("times", 0)):
        if not isinstance(counts[name], int) or isinstance(counts[name], bool) or counts[name] < least:
            raise BadFault(f"{name} must be a whole number from {least} on, not {counts[name]!r}")
    return Fault(wanted["kind"], parameters, match, counts["nth"], counts["times"])


def _check_parameters(kind: str, parameters: Mapping[str, Any]) -> None:
    codes = {status.value for status in HTTPStatus if status >= 200}
    for name, value in parameters.items():
        if name == "seconds" and not (is_number(value) and value >= 0):
            raise BadFault(f"seconds must be a number from 0 on, not {value!r}")
        if name == "code" and value not in codes:
            raise BadFault(f"code must be an HTTP status from 200 on, not {value!r}")
        if name == "answer" and value != "reset" and value not in codes:
            raise BadFault(f"answer must be 'reset' or an HTTP status, not {value!r}")
        if name == "where" and value not in ("before", "after"):
            raise BadFault(f"where must be before or after, not {value!r}")
        if name == "ends" and value not in ("ERROR", "ABORTED", "EXPIRED"):
            raise BadFault(f"ends must be ERROR, ABORTED or EXPIRED, not {value!r}")
        if name == "name" and value not in lies():
            raise BadFault(f"name must be one of {', '.join(lies())}, not {value!r}")
        if name == "headers" and not isinstance(value, dict):
            raise BadFault(f"headers must be an object, not {value!r}")


def job_plan(faults: list[Fault]) -> dict[str, Any]:
    """What these faults mean for the jobs that a request starts."""
    plan: dict[str, Any] = {}
    for fault in faults:
        if fault.kind == "stuck_job":
            plan["stuck"] = True
        elif fault.kind == "failed_job":
            plan.update(failsWith=fault.parameters["message"], ends=fault.parameters["ends"])
        elif fault.kind == "expired_job":
            plan["ends"] = "EXPIRED"
        elif fault.kind == "job_404":
            plan["lost"] = True
    return plan
