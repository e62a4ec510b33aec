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
``GET | POST predictions/{deploymentId}``   how many are stored; store some, given or made up, see ``row_doors.py``
``GET actuals/{deploymentId}``              what was accepted and what is stored; ``?ids=true``, ``?values=true``
``GET outcomes/{deploymentId}``             how the world's predictions really came out; ``?start=``, ``?end=``
``GET deliveries``                          answers as soon as no notification is on its way (408 after 30 s)
==========================================  ==========================================================================

Bad input answers 400 with ``{"message": ...}``, an unknown id or table 404.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider.emulator import doors, row_doors
from airflow_provider.emulator.doors import BadRequest, Missing
from airflow_provider.emulator.faults import BadFault
from airflow_provider.emulator.jobs import BadPlan
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.store import UnknownWorld
from airflow_provider.emulator.switches import UnknownSwitch

Door = Callable[[Service, Request, dict[str, Any]], Awaitable[Any]]


def control_routes(service: Service) -> list[Route]:
    """One route for each row of the table above."""
    return [Route(path, _endpoint(service, door), methods=[method]) for method, path, door in DOORS]


def _endpoint(service: Service, door: Door) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.method == "GET":
            service.catch_up()
        try:
            result = await door(service, request, await _body(request))
        except (BadRequest, BadFault, UnknownSwitch, UnknownWorld, BadPlan) as fault:
            return JSONResponse({"message": str(fault)}, 400)
        except Missing as fault:
            return JSONResponse({"message": str(fault)}, 404)
        except TimeoutError:
            return JSONResponse({"message": "it did not happen in time"}, 408)
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


DOORS: tuple[tuple[str, str, Door], ...] = (
    ("POST", "/reset", doors.reset),
    ("GET", "/clock", doors.clock),
    ("POST", "/clock", doors.clock),
    ("GET", "/jobs", doors.read_or_pace_jobs),
    ("POST", "/jobs", doors.read_or_pace_jobs),
    ("DELETE", "/jobs", doors.forget_paces),
    ("POST", "/jobs/{id}", doors.end_job),
    ("GET", "/faults", doors.read_or_set_faults),
    ("POST", "/faults", doors.read_or_set_faults),
    ("DELETE", "/faults", doors.clear_faults),
    ("DELETE", "/faults/{id}", doors.remove_fault),
    ("POST", "/faults/{id}/release", doors.release),
    ("GET", "/faults/{id}/held", doors.held),
    ("GET", "/log", doors.read_log),
    ("DELETE", "/log", doors.clear_log),
    ("GET", "/effects", doors.read_effects),
    ("DELETE", "/effects", doors.clear_effects),
    ("GET", "/switches", doors.switches),
    ("POST", "/switches", doors.switches),
    ("GET", "/world", doors.read_world),
    ("GET", "/world/{table}", doors.read_world),
    ("PATCH", "/world/{table}/{id}", doors.patch_world),
    ("GET", "/predictions/{id}", row_doors.predictions),
    ("POST", "/predictions/{id}", row_doors.predictions),
    ("GET", "/actuals/{id}", row_doors.actuals),
    ("GET", "/outcomes/{id}", row_doors.outcomes),
    ("GET", "/deliveries", doors.deliveries),
)
