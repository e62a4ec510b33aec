"""The emulator as a process of its own, and its users as people with a token."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from demo.processes import Child, Unwell, stop, until

START_SECONDS = 30.0


class Emulator:
    """``python -m airflow_provider.emulator`` on a free loopback port; a context manager.

    :param folder: where its log goes.
    :param environment: its whole environment.
    :param world: what exists at the start.
    :param speed: service seconds that pass in one real second.
    :param python: the interpreter of the environment in which the package is installed.
    :param port: a fixed port; 0 takes a free one.
    :param state: a file that keeps everything between two starts.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        world: str = "demo",
        speed: float = 60,
        python: str = sys.executable,
        port: int = 0,
        state: Path | None = None,
    ) -> None:
        self._log = folder / "emulator.log"
        self._environment = environment
        options: dict[str, object] = {"--host": "127.0.0.1", "--port": port, "--world": world, "--speed": speed}
        options |= {"--state": state} if state else {}
        words = [str(word) for option in options.items() for word in option]
        self._command = [python, "-m", "airflow_provider.emulator", *words]
        self.endpoint = ""

    def __enter__(self) -> Emulator:
        self.start()
        return self

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)
        self.child = Child("emulator", self._command, self._environment, self._log)
        try:
            until(lambda: "\n" in self._log.read_text(), "emulator ready", START_SECONDS, [self.child], pause=0.05)
        except BaseException:
            stop([self.child])
            raise
        self.endpoint = self._log.read_text().splitlines()[0]  # the first line printed is the endpoint

    def kill(self) -> None:
        """End it with SIGKILL, as a crash does; :meth:`start` begins anew, with its ``state`` where it has one."""
        self.child.signal(signal.SIGKILL)
        stop([self.child])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop([self.child])

    @property
    def origin(self) -> str:
        """The address without the API's path."""
        return str(httpx.URL(self.endpoint).join("/")).rstrip("/")

    def person(self, token: str) -> Person:
        """Somebody who uses the service with a token: ``requester-token``, ``reviewer-token``, ``admin-token``."""
        return Person(self.endpoint, token)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The control door: ``control("GET", "log")``, ``control("POST", "clock", {"advance": 3600})``."""
        answer = httpx.request(method, f"{self.origin}/__emulator__/{path}", json=body, timeout=60.0, trust_env=False)
        if answer.is_error:
            raise Unwell(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


class Person:
    """A user of the service who does by hand what no DAG may do: approve.

    :param endpoint: the API's address.
    :param token: the user's token.
    """

    def __init__(self, endpoint: str, token: str) -> None:
        self._endpoint = endpoint
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One call with a path relative to the API; the parsed answer. Raises :class:`Unwell` on any error status."""
        address = f"{self._endpoint}/{path}"
        answer = httpx.request(
            method, address, params=query, json=body, headers=self._headers, timeout=30.0, trust_env=False
        )
        if answer.is_error:
            raise Unwell(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None
