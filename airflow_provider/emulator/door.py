"""Thin helpers for the control door of an emulator that runs somewhere; needs nothing but the standard library."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

TIMEOUT = 60.0  # real seconds


class DoorError(RuntimeError):
    """The control door refused; ``status`` is the HTTP status, the text its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class EmulatorDoor:
    """One running emulator.

    :param origin: its address, ``http://127.0.0.1:8085``
    """

    tokens: ClassVar[dict[str, str]] = {
        "requester": "requester-token",
        "reviewer": "reviewer-token",
        "second_reviewer": "second-reviewer-token",
        "admin": "admin-token",
        "outsider": "outsider-token",
    }  # of the world demo

    def __init__(self, origin: str) -> None:
        self.url = origin.rstrip("/")
        self._open = build_opener(ProxyHandler({})).open

    @property
    def endpoint(self) -> str:
        """What a client takes as endpoint."""
        return f"{self.url}/api/v2"

    def reset(self, world: str | None = None, **switches: Any) -> None:
        """Everything as at the start, with these switches set."""
        self._ask("POST", "reset", {"switches": switches} | ({"world": world} if world else {}))

    def clock(self, **moves: float) -> dict[str, Any]:
        """Read the service's clock, or move it: ``advance``, ``offset``, ``speed`` (seconds).

        :returns: ``now`` (RFC 3339), ``epoch``, ``offset``, ``speed``
        """
        return self._ask("POST" if moves else "GET", "clock", moves)

    def advance(self, seconds: float) -> None:
        """Let so many service seconds pass."""
        self.clock(advance=seconds)

    def switches(self, **values: Any) -> dict[str, str]:
        """Read all switches, or set some."""
        values_now: dict[str, str] = self._ask("POST" if values else "GET", "switches", values)["switches"]
        return values_now

    def jobs(self, kind: str | None = None, **pace: Any) -> list[dict[str, Any]]:
        """Read all jobs, or set the pace of a kind first (see ``control.py``)."""
        body = {"kind": kind, **pace} if kind else {}
        rows: list[dict[str, Any]] = self._ask("POST" if body else "GET", "jobs", body)["jobs"]
        return rows

    def end_job(self, job_id: str, **plan: Any) -> dict[str, Any]:
        """End a running job by hand; ``failsWith`` and ``ends`` make it fail."""
        return self._ask("POST", f"jobs/{quote(job_id)}", plan)

    def fault(self, kind: str, **wanted: Any) -> str:
        """Set a fault (see ``faults.py``); returns its id."""
        return str(self._ask("POST", "faults", {"kind": kind, **wanted})["id"])

    def lie(self, name: str) -> str:
        """Switch on a named wrong behaviour; returns the id of its fault."""
        return self.fault("lie", name=name)

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are set, with how often they were seen and fired."""
        rows: list[dict[str, Any]] = self._ask("GET", "faults")["faults"]
        return rows

    def remove_fault(self, fault_id: str | None = None) -> None:
        """Take one fault away, or all."""
        self._ask("DELETE", f"faults/{fault_id}" if fault_id else "faults")

    def await_held(self, fault_id: str) -> None:
        """Return as soon as a request hangs in this ``hold``."""
        self._ask("GET", f"faults/{fault_id}/held")

    def release(self, fault_id: str) -> None:
        """Let go what this ``hold`` holds."""
        self._ask("POST", f"faults/{fault_id}/release")

    def log(self, **filters: Any) -> list[dict[str, Any]]:
        """Requests seen, oldest first; filters ``operationId``, ``user``, ``writes=True``."""
        rows: list[dict[str, Any]] = self._ask("GET", f"log?{urlencode(filters)}")["requests"]
        return rows

    def accepted(self) -> dict[str, int]:
        """How many writes were carried out, per operationId."""
        counts: dict[str, int] = self._ask("GET", "log")["accepted"]
        return counts

    def effects(self) -> list[dict[str, Any]]:
        """All commits, oldest first: ``effect``, ``entity``, ``id``, ``by``, ``at``."""
        rows: list[dict[str, Any]] = self._ask("GET", "effects")["effects"]
        return rows

    def count(self, effect: str, entity_id: str | None = None) -> int:
        """How often an effect was committed, on one entity or on all."""
        counts = self._ask("GET", "effects")["counts"].get(effect, {})
        return int(counts.get(entity_id, 0)) if entity_id else sum(counts.values())

    def world(self, table: str) -> dict[str, Any]:
        """The records of a table by id, as they are stored."""
        return self._ask("GET", f"world/{table}")

    def change(self, table: str, record_id: str, **fields: Any) -> dict[str, Any]:
        """Merge fields into a record: ``change("deployments", id, health={"service": "failing"})``."""
        return self._ask("PATCH", f"world/{table}/{record_id}", fields)

    def deliveries(self) -> dict[str, str]:
        """The states of all notifications (``sent``, ``failed``) by id, as soon as none is on its way."""
        states: dict[str, str] = self._ask("GET", "deliveries")["states"]
        return states

    def predictions(self, deployment_id: str, **wanted: Any) -> dict[str, Any]:
        """Count the stored predictions, or store some first: ``data=[...]``, or ``rows=1000`` made up.

        ``requests=[...]`` stores prediction requests without rows. See ``row_doors.py``; returns ``rows``,
        ``withAssociationId``, ``first`` and ``last`` (seconds).
        """
        return self._ask("POST" if wanted else "GET", f"predictions/{quote(deployment_id)}", wanted)

    def actuals(self, deployment_id: str, *, ids: bool = False, values: bool = False) -> dict[str, Any]:
        """The account of actuals: rows ``accepted``, ``batches`` by state, ``charged``, ``stored``, ``matched``.

        :param ids: with ``acceptedPerId``, how often each association id was accepted
        :param values: with ``values``, what is stored for each association id
        """
        wanted = urlencode({name: "true" for name, on in (("ids", ids), ("values", values)) if on})
        return self._ask("GET", f"actuals/{quote(deployment_id)}?{wanted}")

    def outcomes(self, deployment_id: str, start: str | None = None, end: str | None = None) -> list[dict[str, Any]]:
        """How the world's predictions came out: ``associationId``, ``actualValue``, ``predictedAt``.

        :param start: only those predicted from then on (RFC 3339)
        :param end: only those predicted before
        """
        wanted = urlencode({name: text for name, text in (("start", start), ("end", end)) if text})
        rows: list[dict[str, Any]] = self._ask("GET", f"outcomes/{quote(deployment_id)}?{wanted}")["data"]
        return rows

    def _ask(self, method: str, door: str, body: Any = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body else None
        address = f"{self.url}/__emulator__/{door}"
        request = Request(address, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
        try:
            with self._open(request, timeout=TIMEOUT) as answer:
                result: dict[str, Any] = json.loads(answer.read())
                return result
        except HTTPError as refused:
            with refused:
                raise DoorError(refused.code, json.loads(refused.read())["message"]) from None
