"""The control door ``/__emulator__/``: for tests and people, apart from the API, plain JSON, no token.

==========================================  ==========================================================================
``POST reset``                              ``{"world"?, "switches"?}``: everything as at the start
``GET | POST clock``                        ``{"advance"?, "offset"?, "speed"?}``, all in service seconds
``GET | POST | DELETE jobs``                pace of a kind: ``{"kind", "seconds"?, "failsWith"?, "ends"?, "stuck"?,
                                            "byHand"?, "times"?}``; DELETE forgets all paces
``POST jobs/{id}``                          end a job by hand: ``{}`` well, ``{"failsWith", "ends"?}`` badly
``GET | POST | DELETE faults``              see ``faults.py``; DELETE removes all and lets go what is held
``DELETE faults/{id}``                      removes one
``POST faults/{id}/release``                lets go what a ``hold`` holds, from now on
``GET faults/{id}/held``                    answers as soon as a request hangs in a ``hold`` (408 after 30 s)
``GET | DELETE log``                        requests seen; filters ``?operationId=``, ``?user=``, ``?writes=true``
``GET | DELETE effects``                    commits, and how many per effect and entity
``GET | POST switches``                     names to values
``GET world``, ``GET world/{table}``        the state as it is stored
``PATCH world/{table}/{id}``                merge fields into a record, for example a health status
==========================================  ==========================================================================

Bad input answers 400 with ``{"message": ...}``, an unknown id or table 404.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider.emulator import jobs
from airflow_provider.emulator.faults import BadFault
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.store import TABLES, UnknownWorld
from airflow_provider.emulator.switches import UnknownSwitch, known

HELD_TIMEOUT = 30.0  # real seconds that GET faults/{id}/held waits
Door = Callable[[Service, Request, dict[str, Any]], Awaitable[Any]]


class BadRequest(ValueError):
    """Input that the control door does not understand."""


class Missing(LookupError):
    """Nothing of this id."""


def control_routes(service: Service) -> list[Route]:
    """One route for each row of the table above."""
    return [Route(path, _endpoint(service, door), methods=[method]) for method, path, door in DOORS]


def _endpoint(service: Service, door: Door) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            result = await door(service, request, await _body(request))
        except (BadRequest, BadFault, UnknownSwitch, UnknownWorld, jobs.BadPlan) as fault:
            return JSONResponse({"message": str(fault)}, 400)
        except Missing as fault:
            return JSONResponse({"message": str(fault)}, 404)
        except TimeoutError:
            return JSONResponse({"message": "no request is held yet"}, 408)
        service.catch_up()
        return JSONResponse(result)

    return endpoint


async def _body(request: Request) -> dict[str, Any]:
    content = await request.body()
    try:
        body = json.loads(content) if content else {}
    except ValueError:
        raise BadRequest("the body is not valid JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be an object")
    return body


def _only(body: dict[str, Any], *allowed: str) -> None:
    unknown = sorted(set(body) - set(allowed))
    if unknown:
        raise BadRequest(f"unknown key {', '.join(unknown)}; allowed are {', '.join(allowed)}")


async def _reset(service: Service, _: Request, body: dict[str, Any]) -> Any:
    _only(body, "world", "switches")
    service.reset(body.get("world"), body.get("switches"))
    return {"world": service.world}


async def _clock(service: Service, _: Request, body: dict[str, Any]) -> Any:
    _only(body, "advance", "offset", "speed")
    for name, least in (("advance", 0.0), ("offset", None), ("speed", 0.0)):
        if name in body:
            value = body[name]
            wrong = isinstance(value, bool) or not isinstance(value, (int, float))
            if wrong or (least is not None and value < least):
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


async def _jobs(service: Service, _: Request, body: dict[str, Any]) -> Any:
    if body:
        kind = body.pop("kind", None)
        if kind not in jobs.SECONDS:
            raise BadRequest(f"kind must be one of {', '.join(jobs.SECONDS)}, not {kind!r}")
        service.paces[kind] = jobs.check_plan(body)
        service.store.touch()
    running = [{**job, "status": jobs.word(service, job)} for job in service.store.rows("jobs")]
    return {"seconds": dict(jobs.SECONDS), "paces": service.paces, "jobs": running}


async def _forget_paces(service: Service, request: Request, _: dict[str, Any]) -> Any:
    service.paces.clear()
    service.store.touch()
    return await _jobs(service, request, {})


async def _end_job(service: Service, request: Request, body: dict[str, Any]) -> Any:
    _only(body, "failsWith", "ends")
    job = service.store.get("jobs", request.path_params["id"])
    if job is None:
        raise Missing("no such job")
    if job["state"] != "running":
        raise BadRequest(f"the job is over: {job['state']}")
    job["plan"] = {**job["plan"], **jobs.check_plan(body)}
    jobs.end(service, job["id"])
    return job


async def _faults(service: Service, _: Request, body: dict[str, Any]) -> Any:
    if body:
        return service.faults.add(body).to_json()
    return {"faults": [fault.to_json() for fault in service.faults.set.values()]}


async def _clear_faults(service: Service, _: Request, __: dict[str, Any]) -> Any:
    service.faults.clear()
    return {"faults": []}


async def _remove_fault(service: Service, request: Request, _: dict[str, Any]) -> Any:
    fault = _fault(service, request)
    service.faults.remove(fault.id)
    return fault.to_json()


async def _release(service: Service, request: Request, _: dict[str, Any]) -> Any:
    fault = _fault(service, request)
    fault.released.set()
    return fault.to_json()


async def _held(service: Service, request: Request, _: dict[str, Any]) -> Any:
    fault = _fault(service, request)
    async with asyncio.timeout(HELD_TIMEOUT):
        await fault.held.wait()
    return fault.to_json()


def _fault(service: Service, request: Request) -> Any:
    fault = service.faults.set.get(request.path_params["id"])
    if fault is None:
        raise Missing("no such fault")
    return fault


async def _log(service: Service, request: Request, _: dict[str, Any]) -> Any:
    wanted = dict(request.query_params)
    writes = wanted.pop("writes", "false").lower() == "true"
    entries = [
        entry
        for entry in service.log.entries
        if all(entry.get(name) == value for name, value in wanted.items()) and not (writes and entry["method"] == "GET")
    ]
    return {"accepted": dict(service.log.accepted), "requests": entries}


async def _clear_log(service: Service, _: Request, __: dict[str, Any]) -> Any:
    service.log.clear()
    return {"accepted": {}, "requests": []}


async def _effects(service: Service, _: Request, __: dict[str, Any]) -> Any:
    return {"counts": service.store.counts(), "effects": service.store.effects}


async def _clear_effects(service: Service, _: Request, __: dict[str, Any]) -> Any:
    service.store.effects.clear()
    service.store.touch()
    return {"counts": {}, "effects": []}


async def _switches(service: Service, _: Request, body: dict[str, Any]) -> Any:
    service.switches.set(body)
    service.store.touch()
    return {
        "switches": dict(service.switches),
        "known": {s.name: {"default": s.default, "values": s.values, "why": s.why} for s in known().values()},
    }


async def _world(service: Service, request: Request, _: dict[str, Any]) -> Any:
    table = request.path_params.get("table")
    return service.store.tables if table is None else service.store.tables[_table(table)]


async def _patch_world(service: Service, request: Request, body: dict[str, Any]) -> Any:
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


DOORS: tuple[tuple[str, str, Door], ...] = (
    ("POST", "/reset", _reset),
    ("GET", "/clock", _clock),
    ("POST", "/clock", _clock),
    ("GET", "/jobs", _jobs),
    ("POST", "/jobs", _jobs),
    ("DELETE", "/jobs", _forget_paces),
    ("POST", "/jobs/{id}", _end_job),
    ("GET", "/faults", _faults),
    ("POST", "/faults", _faults),
    ("DELETE", "/faults", _clear_faults),
    ("DELETE", "/faults/{id}", _remove_fault),
    ("POST", "/faults/{id}/release", _release),
    ("GET", "/faults/{id}/held", _held),
    ("GET", "/log", _log),
    ("DELETE", "/log", _clear_log),
    ("GET", "/effects", _effects),
    ("DELETE", "/effects", _clear_effects),
    ("GET", "/switches", _switches),
    ("POST", "/switches", _switches),
    ("GET", "/world", _world),
    ("GET", "/world/{table}", _world),
    ("PATCH", "/world/{table}/{id}", _patch_world),
)
