"""Predictions and labels of a day at the emulator, by its control door and by raw HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from tests.stages import LABELLED

if TYPE_CHECKING:
    from tests.harness import Stage

BEGIN = "2026-03-01T00:00:00Z"
START = datetime(2026, 3, 1, tzinfo=UTC)


def sure(number: int) -> float:
    """The predicted probability of "yes": every other row is a clear yes."""
    return 0.9 - 0.0001 * number if number % 2 else 0.1 + 0.0001 * number


def predictions(stage: Stage, count: int, *, prefix: str = "row-", **wanted: Any) -> None:
    """So many predictions, spread over the first of March."""
    step = timedelta(days=1) / count
    data = [
        {
            "associationId": f"{prefix}{number}",
            "predicted": sure(number),
            "classes": {"yes": sure(number), "no": 1 - sure(number)},
            "timestamp": (START + number * step).isoformat(),
        }
        for number in range(count)
    ]
    stage.service.predictions(LABELLED, data=data, **wanted)


def actuals(stage: Stage, count: int, *, right: float, prefix: str = "row-") -> None:
    """The labels of the first rows; this share of them is as predicted. In the store when this returns."""
    data = []
    for number in range(count):
        wrong = (number // 2) % 10 >= round(right * 10)
        said_yes = number % 2 == 1
        data.append({"associationId": f"{prefix}{number}", "actualValue": "yes" if said_yes != wrong else "no"})
    answer = httpx.post(
        f"{stage.service.endpoint}/deployments/{LABELLED}/actuals/fromJSON/",
        json={"data": data},
        headers={"Authorization": f"Bearer {stage.service.tokens['requester']}"},
    )
    answer.raise_for_status()
    stage.service.end_job(answer.headers["Location"].rstrip("/").rsplit("/", 1)[1])
