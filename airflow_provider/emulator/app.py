"""The emulator as an ASGI application: the API, and the control door below ``/__emulator__/``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount

from airflow_provider.emulator import handlers, storage, uploads
from airflow_provider.emulator.answers import Answer, pieces
from airflow_provider.emulator.breaking import RESET
from airflow_provider.emulator.control import control_routes
from airflow_provider.emulator.requestlog import masked
from airflow_provider.emulator.service import Service
from airflow_provider.emulator.steps import Exchange, run
from airflow_provider.emulator.store import new_id
from airflow_provider.emulator.transport import cut_short, hang_up

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

TICK = 0.1  # real seconds between two looks at the agenda while nobody asks
log = logging.getLogger(__name__)


def build(service: Service) -> Starlette:
    """The application: the API, and the control door below ``/__emulator__/``."""
    handlers.load()

    async def api(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["raw_path"].decode("ascii", "replace")
        entry = service.log.note(
            at=service.clock.iso(), operationId=None, method=request.method, path=path,
            query=masked(_shown(request)), user=None, status=None, accepted=False, faults=[],
        )  # fmt: skip
        try:
            content = await uploads.receive(request, service.files)
        except ClientDisconnect:
            entry["status"] = RESET
            return
        exchange = Exchange(service, request, content, entry)
        try:
            outcome = await run(exchange)
        except Exception as failure:
            log.exception("%s %s failed", request.method, path)
            outcome = Answer(500, {"message": f"The emulator has a fault of its own: {failure!r}"})
        finally:
            exchange.drop_upload()
        if isinstance(outcome, str):
            entry["status"] = RESET
            await hang_up(scope, receive)
            return
        entry["status"] = outcome.status
        response = _response(outcome, service)
        if exchange.of_kind("truncated"):
            await cut_short(response, pieces(outcome, share=0.5), scope, receive, send)
        else:
            await response(scope, receive, send)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        ticking = asyncio.create_task(_tick(service))
        yield
        ticking.cancel()
        service.close()

    routes = [Mount("/__emulator__", routes=control_routes(service)), storage.route(service)]
    built = Starlette(routes=routes, lifespan=lifespan)
    built.router.default = api  # whatever the path: a route would not match one with a line break
    return built


def _response(answer: Answer, service: Service) -> Response:
    if answer.file is None:
        response = Response(answer.content, answer.status, dict(answer.headers))
    else:
        headers = {**answer.headers, "Content-Length": str(answer.length)}
        response = StreamingResponse(_one_by_one(pieces(answer)), answer.status, headers)
    if answer.content_type is not None:
        response.headers["Content-Type"] = answer.content_type
    response.headers["Date"] = service.clock.http_date()
    response.headers["X-DataRobot-Request-ID"] = new_id()
    return response


async def _one_by_one(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The parts without a thread for each, as starlette would take for a plain iterator."""
    for part in parts:
        yield part


def _shown(request: Request) -> dict[str, str | list[str]]:
    """The query as the log keeps it: a key that is repeated with all its values."""
    values = {name: request.query_params.getlist(name) for name in request.query_params}
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


async def _tick(service: Service) -> None:
    while True:
        await asyncio.sleep(TICK)
        try:
            service.catch_up()
        except Exception:
            log.exception("an entry of the agenda failed")
