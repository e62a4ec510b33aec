from __future__ import annotations

from typing import Any

import pytest

from tests.api.tools import Both, Teller


@pytest.fixture(params=["sync", "async"])
def both(request: pytest.FixtureRequest) -> Teller:
    """``both(answers)``: a client of each kind, one after the other, on a scripted transport."""

    def tell(answers: Any, **options: Any) -> Both:
        return Both(request.param, answers, **options)

    return tell
