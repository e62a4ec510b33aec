"""The stage, the tasks of real Airflow, and a receiver of webhooks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.receiver import Receiver, receiving
from tests.stages import stage
from tests.tasks import errors, perform, service, soon

__all__ = ["errors", "perform", "service", "soon", "stage"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found
