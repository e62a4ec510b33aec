"""A storage service beside the API, as redirects of downloads lead to one: another origin, no place for a token.

The same server under its other name (``localhost`` for ``127.0.0.1``) is another origin for every client. A request
that carries a signature in its URL and an ``Authorization`` header is refused, as object stores do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from airflow_provider.emulator.answers import Answer, pieces
from airflow_provider.emulator.ranges import ranged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

    from airflow_provider.emulator.service import Service

ROOT = "/storage"
OTHER_NAME = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}
SIGNED = "X-Signature"


def address(service: Service, base_url: str, path: Path) -> str:
    """A pre-signed URL of a file, on another origin than the one that was asked."""
    asked = urlsplit(base_url)
    host = OTHER_NAME.get(asked.hostname or "", "127.0.0.1")
    port = f":{asked.port}" if asked.port else ""
    return f"{asked.scheme}://{host}{port}{ROOT}/{path.name}?{SIGNED}={_signature(service, path.name)}"


def _signature(service: Service, name: str) -> str:
    return hashlib.sha256(f"{service.generation}/{name}".encode()).hexdigest()


def route(service: Service) -> Route:
    """Gives files to those who know their signed address."""

    async def get(request: Request) -> Response:
        name = request.path_params["name"]
        entry = service.log.note(
            at=service.clock.iso(), operationId="storage", method="GET", path=f"{ROOT}/{name}", query={}, user=None,
            status=None, accepted=False, faults=[], headers=sorted(request.headers.keys()),
        )  # fmt: skip
        response = _response(service, request, name)
        entry["status"] = response.status_code
        return response

    return Route(f"{ROOT}/{{name}}", get)


def _response(service: Service, request: Request, name: str) -> Response:
    if "authorization" in request.headers:
        return PlainTextResponse("Only one auth mechanism allowed.", 400)
    path = service.files.path(name)
    if request.query_params.get(SIGNED) != _signature(service, name) or not path.exists():
        return PlainTextResponse("Access denied.", 403)
    answer = ranged(Answer(200, None, {}, "application/octet-stream", file=path), request.headers, service.switches)
    if answer.file is None:
        return Response(answer.content, answer.status, dict(answer.headers))
    headers = {**answer.headers, "Content-Length": str(answer.length)}
    return StreamingResponse(_one_by_one(pieces(answer)), answer.status, headers, "application/octet-stream")


async def _one_by_one(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
