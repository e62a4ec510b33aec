"""One call of an operation, and the functions that serve them, registered by operationId."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider.contract import Operation, contract
from airflow_provider.contract.model import API_ROOT
from airflow_provider.emulator.agenda import due
from airflow_provider.emulator.answers import Answer, Refusal, empty, page
from airflow_provider.emulator.store import Record

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with its arguments, checked, and the user who calls it."""

    service: Service
    operation: Operation
    arguments: Mapping[str, Any]
    body: Any
    user: Record
    base_url: str
    accept: str = ""

    def url(self, path: str) -> str:
        """Absolute address below the API root, on the host that the client asked."""
        return f"{self.base_url}{API_ROOT}{path}"

    def page(self, rows: list[Any]) -> Answer:
        """One page of these rows, as the query asks."""
        path = self.operation.path.format(**self.arguments)
        names = {one.name for one in self.operation.parameters if one.where == "query"}
        query = {name: value for name, value in self.arguments.items() if name in names}
        default = int(self.service.switches["page_size"])
        body = page(rows, self.url(path), query, default)
        if self.service.lies("endless_pages") and rows:
            body["next"] = self.url(path) + "?offset=0"
        return Answer(200, body)

    def accepted(self, job: Record, body: Any = None, status: int = 202) -> Answer:
        """The answer that points to the job's status object."""
        if self.service.lies("200_instead_of_202"):
            return Answer(200, body) if body is not None else empty(200)
        job_id = job["id"]
        if self.service.lies("location_of_other_job"):
            job_id = _finished_elsewhere(self.service, job)["id"]
        location = self.url(f"status/{job_id}/")
        return Answer(status, body, {"Location": location}) if body is not None else empty(status, Location=location)


Handler = Callable[[Call], Answer]
How = Literal["computed", "stored", "shaped"]
SERVED: dict[str, Handler] = {}
HOW: dict[str, How] = {}


def serves(operation_id: str, how: How = "stored") -> Callable[[Handler], Handler]:
    """Mark a function as the one that serves this operation.

    :param how: ``computed`` from stored rows at each call, ``stored`` (reads or changes what is kept), or ``shaped``:
        right in form, and the same whatever happened
    """
    contract().operation(operation_id)

    def register(function: Handler) -> Handler:
        SERVED[operation_id], HOW[operation_id] = function, how
        return function

    return register


def perform(call: Call, plan: Mapping[str, Any], entry: Record) -> Answer:
    """Do what the call asks and note it; a refusal becomes its answer.

    :param plan: how jobs that it starts go, apart from their usual pace
    :param entry: the log entry of the request
    """
    service = call.service
    service.store.actor, service.request_plan = call.user["username"], dict(plan)
    try:
        answer = SERVED[call.operation.id](call)
    except Refusal as refusal:
        answer = refusal.answer
    finally:
        service.store.actor, service.request_plan = None, {}
    if call.operation.writes and answer.status < 400:
        service.log.accept(call.operation.id, entry)
    service.save()
    return answer


def commit_later(call: Call, seconds: float, plan: Mapping[str, Any]) -> None:
    """Put the call on the agenda, so many service seconds from now."""
    service = call.service
    service.store.plan(
        service.clock.now() + seconds,
        "lateCommit",
        operation_id=call.operation.id,
        arguments=dict(call.arguments),
        body=call.body,
        user_id=call.user["id"],
        base_url=call.base_url,
        plan=dict(plan),
    )
    service.save()


@due("lateCommit")
def late_commit(
    service: Service,
    *,
    operation_id: str,
    arguments: Record,
    body: Any,
    user_id: str,
    base_url: str,
    plan: Record,
) -> None:
    """Do now what a request asked whose client has long been told otherwise."""
    operation = contract().operation(operation_id)
    user = service.store.tables["users"][user_id]
    entry = service.log.note(
        at=service.clock.iso(), operationId=operation_id, method=operation.method, late=True, user=user["username"]
    )
    entry["accepted"] = False
    call = Call(service, operation, arguments, body, user, base_url)
    entry["status"] = perform(call, plan, entry).status


def _finished_elsewhere(service: Service, job: Record) -> Record:
    """A finished job of something else."""
    other = {**job, "state": "COMPLETED", "work": "nothing", "location": "deployments/", "message": None}
    del other["id"]
    return service.store.add("jobs", other)
