"""A client on answers that are typed from the pages; time stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest

from airflow_provider.api.client import Client
from tests.api.tools import Clock, Even, Script, settings

Told = Callable[[Iterable[httpx.Response | Exception]], tuple[Client, Script]]


@pytest.fixture
def told() -> Told:
    """``client, script = told([answers in the order in which they are asked])``."""

    def make(answers: Iterable[httpx.Response | Exception]) -> tuple[Client, Script]:
        script, clock = Script(answers), Clock()
        options: dict[str, Any] = {"sleep": clock.sleep, "clock": clock, "rng": Even()}
        return Client(settings(), transport=script.transport, **options), script

    return make
