"""What the tests of the client share: settings, scripted answers, a clock that moves when somebody sleeps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from airflow_provider.api.answers import Answer
from airflow_provider.api.client import AsyncClient, Client
from airflow_provider.api.settings import Settings

TOKEN = "NjE3ZjA1-secret-token"
ID = "5e1b6d1c2f8a4b0012345678"
HERE = "https://app.example.com/api/v2"

Scripted = httpx.Response | Exception


def settings(**given: Any) -> Settings:
    """Settings of a tenant that does not exist."""
    return Settings(**{"endpoint": HERE, "token": TOKEN, **given})


def says(status: int, body: Any = None, **headers: str) -> httpx.Response:
    """An answer with a JSON body (None: an empty one), as the service words it (wire.md B)."""
    content = b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers={"content-type": "application/json", **named}, content=content)


def page(text: str, status: int = 200) -> httpx.Response:
    """A web page, as a proxy or a login would send it."""
    return httpx.Response(status, headers={"content-type": "text/html; charset=utf-8"}, content=text.encode())


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    """The same as the client gives it."""
    content = b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json", **named}, content, "deployments/", "listDeployments")


@dataclass
class Script:
    """A transport that gives one scripted answer after another and keeps what it was sent."""

    answers: Iterable[Scripted]
    requests: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = iter(self.answers)
        self.transport = httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        following = next(self._left, None)
        if following is None:
            raise AssertionError(f"one request too many: {request.method} {request.url}")
        if isinstance(following, Exception):
            raise following
        # A fresh one each time: a response remembers the client that has read it.
        return httpx.Response(following.status_code, headers=following.headers, content=following.content)

    @property
    def lines(self) -> list[str]:
        """Method and target of each request."""
        return [f"{one.method} {one.url.raw_path.decode()}" for one in self.requests]


@dataclass
class Clock:
    """Stands still unless somebody sleeps."""

    now: float = 1_700_000_000.0
    naps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Even:
    """Dice that always show the middle."""

    def uniform(self, a: float, b: float, /) -> float:
        return (a + b) / 2


@dataclass
class Told:
    """An observer that keeps what it is told."""

    seen: list[tuple[Any, ...]] = field(default_factory=list)

    def request(
        self, operation_id: str, method: str, path: str, status: int | None, seconds: float, attempt: int
    ) -> None:
        self.seen.append((operation_id, method, path, status, seconds, attempt))


class Both:
    """One story, told to the sync and to the async client."""

    def __init__(self, kind: str, answers: Iterable[Scripted], **options: Any) -> None:
        self.kind = kind
        self.script = Script(answers)
        self.clock = Clock()
        self.told = Told()
        shared: dict[str, Any] = {"observer": self.told, "clock": self.clock, "rng": Even(), **options}
        made = shared.pop("settings", None) or settings()
        transport = shared.pop("transport", self.script.transport)
        self.client = Client(made, sleep=self.clock.sleep, transport=transport, **shared)
        self.aclient = AsyncClient(made, sleep=self.clock.asleep, transport=transport, **shared)

    async def run(self, method: str, *positional: Any, **named: Any) -> Any:
        """What ``client.method(...)`` gives, a list where it iterates."""
        if self.kind == "sync":
            with self.client:
                result = getattr(self.client, method)(*positional, **named)
                return list(result) if method == "iterate" else result
        async with self.aclient:
            result = getattr(self.aclient, method)(*positional, **named)
            return [one async for one in result] if method == "iterate" else await result


Teller = Callable[..., Both]


async def ask(kind: str, made: Settings, *call: Any, **arguments: Any) -> Any:
    """One call through a client of this kind, sent once."""
    if kind == "async":
        async with AsyncClient(made, tries=1) as client:
            return await client.call(*call, **arguments)

    def run() -> Any:
        with Client(made, tries=1) as client:
            return client.call(*call, **arguments)

    return await asyncio.to_thread(run)
