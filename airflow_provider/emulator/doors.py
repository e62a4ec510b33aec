"""What each door of ``/__emulator__/`` does: state in, JSON out. The table of the doors stands in ``control.py``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator import jobs
from airflow_provider.emulator.clock import is_number
from airflow_provider.emulator.faults import Fault
from airflow_provider.emulator.requestlog import masked
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.store import TABLES
from airflow_provider.emulator.switches import known

if TYPE_CHECKING:
    from starlette.requests import Request

HELD_TIMEOUT = 30.0  # real seconds that GET faults/{id}/held waits


class BadRequest(ValueError):
    """Input that the control door does not understand."""


class Missing(LookupError):
    """Nothing of this id."""


def only(body: dict[str, Any], *allowed: str) -> None:
    """Refuse keys that are not allowed."""
    unknown = sorted(set(body) - set(allowed))
    if unknown:
        raise BadRequest(f"unknown key {', '.join(unknown)}; allowed are {', '.join(allowed)}")


async def reset(service: Service, _: Request, body: dict[str, Any]) -> Any:
    """Everything as at the start."""
    only(body, "world", "switches")
    world, values = body.get("world"), body.get("switches", {})
    if not isinstance(values, dict):
        raise BadRequest(f"switches must be an object, not {values!r}")
    service.reset(None if world is None else str(world), values)
    return {"world": service.world}


async def clock(service: Service, _: Request, body: dict[str, Any]) -> Any:
    """Read the clock, or move it."""
    only(body, "advance", "offset", "speed")
    for name, least in (("advance", 0.0), ("offset", None), ("speed", 0.0)):
        if name in body:
            value = body[name]
            if not is_number(value) or (least is not None and value < least):
                raise BadRequest(f"{name} must be a number{' from 0 on' if least is not None else ''}, not {value!r}")
    if "speed" in body:
        service.clock.set_speed(body["speed"])
    if "offset" in body:
        service.clock.set_offset(body["offset"])
    if "advance" in body:
        service.clock.advance(body["advance"])
    service.store.touch()
    clock = service.clock
    return {"now": clock.iso(), "epoch": clock.now(), "offset": clock.offset, "speed": clock.speed}


async def read_or_pace_jobs(service: Service, _: Request, body: dict[str, Any]) -> Any:
    """All jobs and paces; with a body, set a pace first."""
    if body:
        kind = body.pop("kind", None)
        if kind not in jobs.SECONDS:
            raise BadRequest(f"kind must be one of {', '.join(jobs.SECONDS)}, not {kind!r}")
        service.paces[kind] = jobs.check_plan(body)
        service.store.touch()
    running = [{**job, "status": jobs.word(service, job)} for job in service.store.rows("jobs")]
    return {"seconds": dict(jobs.SECONDS), "paces": service.paces, "jobs": running}


async def forget_paces(service: Service, request: Request, _: dict[str, Any]) -> Any:
    """Back to the usual paces."""
    service.paces.clear()
    service.store.touch()
    return await read_or_pace_jobs(service, request, {})


async def end_job(service: Service, request: Request, body: dict[str, Any]) -> Any:
    """End a running job by hand."""
    only(body, "failsWith", "ends")
    job = service.store.get("jobs", request.path_params["id"])
    if job is None:
        raise Missing("no such job")
    if job["state"] != "running":
        raise BadRequest(f"the job is over: {job['state']}")
    job["plan"] = {**job["plan"], **jobs.check_plan(body)}
    jobs.end(service, job["id"])
    return job


async def read_or_set_faults(service: Service, _: Request, body: dict[str, Any]) -> Any:
    """All faults; with a body, set one."""
    if body:
        return service.faults.add(body).to_json()
    return {"faults": [fault.to_json() for fault in service.faults.set.values()]}


async def clear_faults(service: Service, _: Request, __: dict[str, Any]) -> Any:
    """Take all faults away."""
    service.faults.clear()
    return {"faults": []}


async def remove_fault(service: Service, request: Request, _: dict[str, Any]) -> Any:
    """Take one away."""
    fault = _fault(service, request)
    service.faults.remove(fault.id)
    return fault.to_json()


async def release(service: Service, request: Request, _: dict[str, Any]) -> Any:
    """Let go what a hold holds, from now on."""
    fault = _fault(service, request)
    fault.released.set()
    return fault.to_json()


async def held(service: Service, request: Request, _: dict[str, Any]) -> Any:
    """Answer as soon as a request hangs in a hold."""
    fault = _fault(service, request)
    async with asyncio.timeout(HELD_TIMEOUT):
        await fault.held.wait()
    return fault.to_json()


def _fault(service: Service, request: Request) -> Fault:
    fault = service.faults.set.get(request.path_params["id"])
    if fault is None:
        raise Missing("no such fault")
    return fault


async def read_log(service: Service, request: Request, _: dict[str, Any]) -> Any:
    """Requests seen, and how many writes were carried out."""
    wanted = dict(request.query_params)
    writes = wanted.pop("writes", "false").lower() == "true"
    entries = [
        entry
        for entry in service.log.entries
        if all(entry.get(name) == value for name, value in wanted.items()) and not (writes and entry["method"] == "GET")
    ]
    return {"accepted": dict(service.log.accepted), "requests": entries}


async def clear_log(service: Service, _: Request, __: dict[str, Any]) -> Any:
    """Forget the requests."""
    service.log.clear()
    return {"accepted": {}, "requests": []}


async def read_effects(service: Service, _: Request, __: dict[str, Any]) -> Any:
    """Commits and their counts."""
    return {"counts": service.store.counts(), "effects": service.store.effects}


async def clear_effects(service: Service, _: Request, __: dict[str, Any]) -> Any:
    """Forget the commits."""
    service.store.effects.clear()
    service.store.touch()
    return {"counts": {}, "effects": []}


async def deliveries(service: Service, _: Request, __: dict[str, Any]) -> Any:
    """The states of all notifications, as soon as none is on its way."""
    notes = service.store.tables["notifications"]
    async with asyncio.timeout(HELD_TIMEOUT):
        while any(one["state"] == "pending" for one in notes.values()):
            await asyncio.sleep(0.005)
            service.catch_up()
    return {"states": {key: one["state"] for key, one in notes.items()}}


async def switches(service: Service, _: Request, body: dict[str, Any]) -> Any:
    """All switches; with a body, set some."""
    service.switches.set(body)
    service.store.touch()
    return {
        "switches": dict(service.switches),
        "known": {s.name: {"default": s.default, "values": s.values, "why": s.why} for s in known().values()},
    }


async def read_world(service: Service, request: Request, _: dict[str, Any]) -> Any:
    """The state as it is stored, without secrets."""
    table = request.path_params.get("table")
    return masked(service.store.tables if table is None else service.store.tables[_table(table)])


async def patch_world(service: Service, request: Request, body: dict[str, Any]) -> Any:
    """Merge fields into a record."""
    table, key = _table(request.path_params["table"]), request.path_params["id"]
    record = service.store.get(table, key)
    if record is None:
        raise Missing(f"no record {key!r} in {table}")
    merged = {
        name: {**record[name], **value} if isinstance(value, dict) and isinstance(record.get(name), dict) else value
        for name, value in body.items()
    }
    return service.store.change(table, key, merged)


def _table(name: str) -> str:
    if name not in TABLES:
        raise Missing(f"no table {name!r}; there are {', '.join(TABLES)}")
    return name
