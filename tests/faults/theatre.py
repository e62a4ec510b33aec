"""Builds the theatre: an emulator, a proxy before it, a stopped clock."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.case import CONNECTIONS
from tests.faults.playing import Theatre
from tests.faults.proxy import proxied
from tests.faults.sockets import full_port
from tests.faults.wire import Triggerer, Wire
from tests.harness import staged
from tests.receiver import receiving

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


@contextmanager
def theatre(
    service: EmulatorDoor,
    folder: Path,
    patches: pytest.MonkeyPatch,
    tell_time: Callable[[float], object] | None = None,
) -> Iterator[Theatre]:
    """The theatre of one run; everybody of the demo world has a connection.

    :param tell_time: of an emulator in another process.
    """
    from airflow_provider.api import transport

    with ExitStack() as stack:
        proxy = stack.enter_context(proxied(service.url))
        for user, name in CONNECTIONS.items():
            connection = {"conn_type": "datarobot", "host": f"{proxy.origin}/api/v2", "password": service.tokens[user]}
            patches.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
        wire = Wire(proxy, stack.enter_context(full_port()))
        open_async = transport.open_async

        @functools.wraps(open_async)
        def opened(*arguments: Any, **options: Any) -> Any:
            return open_async(*arguments, **{**options, "transport": Triggerer(wire)})

        patches.setattr(transport, "open_async", opened)
        receiver = stack.enter_context(receiving())
        runner = stack.enter_context(asyncio.Runner())
        stage = stack.enter_context(staged(service, patches, runner, tell_time))
        yield Theatre(stage, wire, folder / "story", receiver)
