"""What is waited for: work of several kinds that a tenant of the service begins and ends, and what its store says."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from demo.processes import Unwell

GOVERNED, NIGHTLY, CANDIDATE = "64e000000000000000000001", "64e000000000000000000003", "64d000000000000000000003"
BY_HAND = ("onDemandReport", "dataExport")  # the director ends these jobs
SPEED = 60.0  # service seconds in a second
MOST_POLICIES = 5  # of a deployment
SWITCHES = {"retraining_unset": "runs", "export_places_full": "oldest_goes"}
LATE = 100.0  # seconds after its deadline at which work ends that is too late
ENDS = ("ERROR", "ABORTED", "EXPIRED")
JSON = dict[str, Any]


@dataclass
class Work:
    """Something at the service, the wait for it as plain JSON, and how it shall end; times in seconds since 1970."""

    kind: str
    tenant: str
    id: str
    wait: JSON
    ends: float
    how: str = "well"
    deadline: float | None = None
    ended: float | None = None  # when its end was asked for
    arrived: float | None = None  # when the event was seen in the database
    event: JSON = field(default_factory=dict)
    more: Any = None  # what its kind needs to end it


class Tenant:
    """One service and the people who use it.

    :param control: the door of the emulator, past any proxy: method, path, body.
    :param endpoint: where its users and Airflow find it.
    """

    def __init__(self, name: str, endpoint: str, control: Callable[[str, str, Any], Any], rng: random.Random) -> None:
        self.name = name
        self.endpoint = endpoint
        self.control = control
        self.rng = rng
        self.token = "requester-token"
        self.away = False  # nobody can ask it now
        self.latest = math.inf  # nobody waits for a later point in time
        self._http = httpx.Client(trust_env=False, timeout=30.0)
        self._policies: list[str] = []
        day = datetime.now(UTC) - timedelta(days=2)
        self._hour = {"start": day.isoformat(), "end": (day + timedelta(hours=1)).isoformat()}

    def prepare(self, run_seconds: float, deployments: int) -> None:
        """Jobs that the director ends, and deployments to retrain, whose runs take so many service seconds."""
        self.control("POST", "switches", SWITCHES)
        for kind in BY_HAND:
            self.control("POST", "jobs", {"kind": kind, "byHand": True})
        self.control("POST", "jobs", {"kind": "retrainingRun", "seconds": run_seconds})
        self.control("POST", f"predictions/{NIGHTLY}", {"rows": 20, "prefix": "soak-", **self._hour})
        for number in range(deployments):
            body = {"modelPackageId": CANDIDATE, "label": f"Soak {number}"}
            made = self.ask("POST", "deployments/fromModelPackage/", body).json()["id"]
            self.control("POST", "clock", {"advance": 30})
            for index in range(MOST_POLICIES):
                path = f"deployments/{made}/retrainingPolicies/"
                policy = {"name": f"Policy {index}", "action": "create_model_package"}
                self._policies.append(f"{path}{self.ask('POST', path, policy).json()['id']}/runs/")

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> httpx.Response:
        """One call of a user; raises :class:`Unwell` on any error status, and where a read answers something else."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        answer = self._http.request(method, f"{self.endpoint}/{path}", json=body, headers=headers)
        if answer.is_error or (method == "GET" and not _is_json(answer)):  # storms meet our own looks too
            raise Unwell(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    def begin(self, lasting: float) -> Work:
        """Begins something that ends so many seconds from now."""
        kinds = [kind for kind in KINDS if kind != "retraining" or self._policies]
        kind = self.rng.choices(kinds, [KINDS[one].share for one in kinds])[0]
        return KINDS[kind].begin(self, time.time() + lasting)

    def end(self, work: Work) -> None:
        """Ends it as it shall end; what ends by itself, or has ended, is left alone."""
        work.ended = work.ended or time.time()
        KINDS[work.kind].end(self, work)

    def given_back(self, work: Work) -> None:
        """Its wait is over."""
        if work.kind == "retraining":
            self._policies.append(work.more)

    def world(self, table: str) -> dict[str, JSON]:
        """What the store holds."""
        found: dict[str, JSON] = self.control("GET", f"world/{table}", None)
        return found

    # --- the kinds ----------------------------------------------------------------------------------------------

    def report(self, ends: float) -> Work:
        """A job at its Location: ends well or badly, is lost, or ends after the deadline of its wait."""
        how = self.rng.choices(["well", "badly", "lost", "late"], [80, 14, 2, 4])[0]
        fault = {"kind": "job_404", "operationId": "createDeploymentOnDemandReport"}
        set_fault = self.control("POST", "faults", fault)["id"] if how == "lost" else None
        answer = self.ask("POST", f"deployments/{GOVERNED}/onDemandReports/", {"id": "64a000000000000000000077"})
        if set_fault:
            self.control("DELETE", f"faults/{set_fault}", None)
        job = _job(answer)
        work = Work("job", self.name, job, {"kind": "job", "path": f"status/{job}/"}, ends, how, more=job)
        if how == "late":
            work.deadline, work.ends = ends, ends + LATE
        return work

    def export(self, ends: float) -> Work:
        """An export of an hour's predictions: succeeds or fails."""
        path = f"deployments/{NIGHTLY}/predictionDataExports/"
        answer = self.ask("POST", path, self._hour)
        made, how = answer.json()["id"], self.rng.choices(["well", "badly"], [85, 15])[0]
        wait = {"kind": "entity", "path": f"{path}{made}/", "endings": "export"}
        return Work("export", self.name, made, wait, ends, how, more=_job(answer))

    def end_job(self, work: Work) -> None:
        """By the emulator's door."""
        badly = {"failsWith": "The soak wants it so.", "ends": self.rng.choice(ENDS)}
        self.control("POST", f"jobs/{work.more}", badly if work.how == "badly" else {})

    def change(self, ends: float) -> Work:
        """A change request that people decide."""
        change = {"modelPackageId": CANDIDATE, "replacementReason": "accuracy"}
        body = {"action": "replaceModelPackage", "autoApply": False, "entityId": GOVERNED, "entityType": "deployment"}
        made = self.ask("POST", "changeRequests/", {**body, "change": change}).json()
        wait = {"kind": "review", "path": f"changeRequests/{made['id']}/", "version": made["changeVersionId"]}
        how = self.rng.choices(["approved", "changesRequested", "cancelled"], [70, 15, 15])[0]
        return Work("change request", self.name, made["id"], wait, ends, how, more=made["changeVersionId"])

    def decide(self, work: Work) -> None:
        """The author cancels, or a reviewer reviews."""
        path = f"changeRequests/{work.id}/"
        if work.how == "cancelled":
            self.ask("PATCH", f"{path}status/", {"status": "cancelled"})
        else:
            self.ask("POST", f"{path}reviews/", {"changeVersionId": work.more, "status": work.how}, "reviewer-token")

    def retraining(self, ends: float) -> Work:
        """A run that ends on the service's clock, unless it is cancelled before."""
        path = self._policies.pop(0)
        try:
            before = {one["id"] for one in self.ask("GET", f"{path}?limit=100").json()["data"]}
            self.ask("POST", path)
            after = [one["id"] for one in self.ask("GET", f"{path}?limit=100").json()["data"]]
        except (Unwell, httpx.HTTPError):
            self._policies.append(path)
            raise
        [run] = set(after) - before
        wait = {"kind": "retraining_run", "path": f"{path}{run}/", "promises": ["modelPackageId"]}
        how = self.rng.choices(["well", "cancelled"], [80, 20])[0]
        return Work("retraining", self.name, run, wait, ends if how == "cancelled" else 0.0, how, more=path)

    def cancel_run(self, work: Work) -> None:
        """What shall end well ends on the clock; it is too late for a cancel in the last step."""
        run = self.ask("GET", f"{work.more}{work.id}/").json()
        if work.how == "cancelled" and run["status"] in ("Initializing", "Training"):
            self.ask("PATCH", f"{work.more}{work.id}/", {"status": "cancelled"})

    def until(self, ends: float) -> Work:
        """A point in time; nobody is asked."""
        ends = min(ends, self.latest)
        return Work("until", self.name, f"{ends:.6f}", {"kind": "until", "time": ends}, ends)


def _is_json(answer: httpx.Response) -> bool:
    return answer.content[:1] in (b"{", b"[")


def _job(answer: httpx.Response) -> str:
    return answer.headers["Location"].rstrip("/").rpartition("/")[2]


@dataclass(frozen=True)
class Kind:
    """How often something is begun, and how."""

    share: int
    begin: Callable[[Tenant, float], Work]
    end: Callable[[Tenant, Work], None]


KINDS: Mapping[str, Kind] = {
    "job": Kind(35, Tenant.report, Tenant.end_job),
    "change request": Kind(20, Tenant.change, Tenant.decide),
    "export": Kind(20, Tenant.export, Tenant.end_job),
    "retraining": Kind(10, Tenant.retraining, Tenant.cancel_run),
    "until": Kind(15, Tenant.until, lambda tenant, work: None),
}
