"""The way of a request through the emulator: the list :data:`STEPS`, from top to bottom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider.contract import Operation
from airflow_provider.contract.model import API_ROOT
from airflow_provider.emulator.answers import Answer, Refusal, refuse
from airflow_provider.emulator.breaking import RESET, instead, lost, worse
from airflow_provider.emulator.bulk import bulk_of, shown
from airflow_provider.emulator.calls import SERVED, Call, commit_later, perform
from airflow_provider.emulator.faults import Fault, job_plan
from airflow_provider.emulator.guard import (
    check_request_body,
    checked_arguments,
    faults_of_answer,
    read_body,
    read_query,
    user_of,
)
from airflow_provider.emulator.ranges import ranged
from airflow_provider.emulator.requestlog import masked
from airflow_provider.emulator.routing import find
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.store import Record
from airflow_provider.emulator.uploads import Upload

if TYPE_CHECKING:
    from starlette.requests import Request


@dataclass(slots=True)
class Exchange:
    """One request on its way through the steps."""

    service: Service
    request: Request
    content: bytes | Upload
    entry: Record
    operation: Operation = field(init=False)
    call: Call = field(init=False)
    path_arguments: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    user: Record = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """Scheme and host as the client named them."""
        return f"{self.request.url.scheme}://{self.request.headers.get('host', self.request.url.netloc)}"

    def drop_upload(self) -> None:
        """Delete the file of an upload that nobody has taken or will take."""
        if isinstance(self.content, Upload) and not self.of_kind("late_commit"):
            self.content.drop()

    def of_kind(self, kind: str) -> list[Fault]:
        """The faults of this kind that take the request."""
        return [fault for fault in self.faults if fault.kind == kind]


Outcome = Answer | str | None  # an answer, ``reset``, or None: go on with the next step


async def catch_up(exchange: Exchange) -> Outcome:
    """First everything that is due by now."""
    exchange.service.catch_up()
    return None


async def find_operation(exchange: Exchange) -> Outcome:
    """An unknown path is 404, a known path with another method 405."""
    raw = exchange.request.scope["raw_path"].decode("ascii", "replace")
    found = find(exchange.request.method, raw.removeprefix(API_ROOT)) if raw.startswith(API_ROOT) else None
    if found is None:
        raise refuse(404, "Not found: the API has no such path.")
    if found.operation is None:
        answer = Answer(405, {"message": f"Method {exchange.request.method} is not allowed here."})
        return answer.with_headers(Allow=", ".join(found.methods))
    exchange.operation, exchange.path_arguments = found.operation, dict(found.arguments)
    exchange.entry["operationId"] = found.operation.id
    return None


async def find_user(exchange: Exchange) -> Outcome:
    """A gateway's faults come before the token is looked at; the log names the user all the same."""
    try:
        exchange.user = user_of(exchange.request.headers.get("authorization"), exchange.service.store)
    except Refusal:
        return None
    exchange.entry["user"] = exchange.user["username"]
    return None


async def meet_faults(exchange: Exchange) -> Outcome:
    """Which faults take this request."""
    facts = {key: exchange.entry.get(key) for key in ("operationId", "method", "path", "user")}
    exchange.faults = exchange.service.faults.meet(facts)
    exchange.entry["faults"] = [fault.kind for fault in exchange.faults]
    return None


async def wait_before(exchange: Exchange) -> Outcome:
    """Faults ``delay`` and ``hold`` before the commit."""
    for fault in exchange.of_kind("delay"):
        await asyncio.sleep(fault.parameters["seconds"])
    return RESET if await _dropped_in_hold(exchange, "before") else None


async def break_before(exchange: Exchange) -> Outcome:
    """Faults that answer without doing anything."""
    for fault in exchange.faults:
        outcome = instead(fault, exchange.service.clock)
        if outcome is not None:
            return outcome
    return None


async def authenticate(exchange: Exchange) -> Outcome:
    """401 without a known token."""
    user_of(exchange.request.headers.get("authorization"), exchange.service.store)
    return None


async def is_served(exchange: Exchange) -> Outcome:
    """An operation that the contract knows and the emulator does not serve is 501, with its name."""
    if exchange.operation.id not in SERVED:
        raise refuse(501, f"{exchange.operation.id} is not emulated.")
    return None


async def check(exchange: Exchange) -> Outcome:
    """Media type, arguments and body, as far as the contract is known."""
    query = read_query(exchange.operation, exchange.request.query_params.multi_items())
    arguments = checked_arguments(
        exchange.operation, exchange.path_arguments, query, exchange.service.switches["unknown_query"]
    )
    body = read_body(exchange.operation, exchange.content, exchange.request.headers.get("content-type"))
    bulk = bulk_of(exchange.operation, body)
    exchange.entry["body"] = masked(shown(body, bulk) if bulk else body)
    check_request_body(exchange.operation, body)
    accept = exchange.request.headers.get("accept", "")
    exchange.call = Call(
        exchange.service, exchange.operation, arguments, body, exchange.user, exchange.base_url, accept
    )
    return None


async def handle(exchange: Exchange) -> Outcome:
    """Do it; or, with the fault ``late_commit``, put it on the agenda and answer as a gateway would."""
    exchange.service.catch_up()  # a held or delayed request comes late
    plan = job_plan(exchange.faults)
    for fault in exchange.of_kind("late_commit"):
        commit_later(exchange.call, fault.parameters["seconds"], plan)
        return lost(fault.parameters["answer"])
    answer = perform(exchange.call, plan, exchange.entry)
    if exchange.service.check_answers and not exchange.service.departs:
        misfits = faults_of_answer(exchange.operation, answer)
        if misfits:
            return Answer(500, {"message": f"The emulator broke the contract of {exchange.operation.id}: {misfits}"})
    return ranged(answer, exchange.request.headers, exchange.service.switches)


STEPS: tuple[Callable[[Exchange], Awaitable[Outcome]], ...] = (
    catch_up,
    find_operation,
    find_user,
    meet_faults,
    wait_before,
    break_before,
    authenticate,
    is_served,
    check,
    handle,
)


async def run(exchange: Exchange) -> Answer | str:
    """The outcome of the steps, and then what faults do to it."""
    outcome = await first_outcome(exchange)
    if await _dropped_in_hold(exchange, "after"):
        return RESET
    for fault in exchange.faults:
        if isinstance(outcome, Answer):
            outcome = worse(fault, outcome, exchange.base_url)
    return outcome


async def first_outcome(exchange: Exchange) -> Answer | str:
    """The steps in order until one of them has an answer."""
    for step in STEPS:
        try:
            outcome = await step(exchange)
        except Refusal as refusal:
            return refusal.answer
        if outcome is not None:
            return outcome
    raise RuntimeError("the last step always has an answer")


async def _dropped_in_hold(exchange: Exchange, where: str) -> bool:
    """Hang in the faults ``hold``; True when the emulator was reset or ended meanwhile."""
    for fault in exchange.of_kind("hold"):
        if fault.parameters["where"] == where:
            fault.holding += 1
            fault.held.set()
            await fault.released.wait()
            fault.holding -= 1
            if fault.dropped:
                return True
    return False
