"""The union law: whatever a range of time is cut into, its exports together are the one export of all of it."""

from __future__ import annotations

import csv
import io
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider.api.errors import InvalidCall
from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.server import running
from airflow_provider.emulator.service import Service
from airflow_provider.mlops.export_windows import Piece, PossiblyCut, doubt, halves, plan, whole_hours
from airflow_provider.mlops.windows import HOUR, Window, stamp

DEPLOYMENT, MODEL = "64e000000000000000000002", "64a100000000000000000002"
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = 12
SEAMS = [BEGIN + number * HOUR for number in range(HOURS + 1)]
EDGES = [timedelta(0), timedelta(microseconds=1), timedelta(microseconds=-1), timedelta(minutes=30)]


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[EmulatorDoor, httpx.Client]]:
    """Rows on every seam, just before and just after it, and in between; a third of them with actuals."""
    with running(Service(speed=0)) as origin:
        door = EmulatorDoor(origin)
        door.clock(offset=datetime(2026, 3, 2, tzinfo=UTC).timestamp() - door.clock()["epoch"])
        with httpx.Client(base_url=f"{origin}/api/v2/", trust_env=False) as client:
            client.headers["Authorization"] = "Bearer requester-token"
            moments = [seam + edge for seam in SEAMS for edge in EDGES]
            rows = [
                {"predicted": 0.5, "timestamp": moment.isoformat(), "associationId": f"id-{number}"}
                for number, moment in enumerate(moments)
            ]
            random.Random(3).shuffle(rows)  # noqa: S311 - no secret
            door.predictions(DEPLOYMENT, data=rows)
            given = [{"associationId": one["associationId"], "actualValue": "yes"} for one in rows[::3]]
            client.post(f"deployments/{DEPLOYMENT}/actuals/fromJSON/", json={"data": given})
            door.advance(10)
            door.switches(empty_export="empty_file")
            yield door, client


def exported(service: tuple[EmulatorDoor, httpx.Client], kind: str, start: datetime, end: datetime) -> Counter[Any]:
    door, client = service
    path = f"deployments/{DEPLOYMENT}/{kind}DataExports/"
    made = client.post(path, json={"start": start.isoformat(), "end": end.isoformat(), "modelId": MODEL}).json()
    door.advance(31)
    [dataset] = client.get(f"{path}{made['id']}/").json()["data"]
    rows = list(csv.reader(io.StringIO(client.get(f"datasets/{dataset['id']}/file/").text)))[1:]
    client.delete(f"datasets/{dataset['id']}/")
    return Counter(map(tuple, rows))


@pytest.mark.parametrize("kind", ["prediction", "actuals"])
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.sets(st.integers(1, HOURS - 1)))
def test_the_union_of_the_windows_is_the_one_export(
    service: tuple[EmulatorDoor, httpx.Client], kind: str, cuts: set[int]
) -> None:
    whole = exported(service, kind, SEAMS[0], SEAMS[-1])
    seams = [SEAMS[number] for number in (0, *sorted(cuts), HOURS)]
    parts = [exported(service, kind, *pair) for pair in itertools.pairwise(seams)]
    assert sum(parts, Counter()) == whole
    assert set(whole.values()) == {1}


counts = st.dictionaries(st.integers(0, 99).map(lambda number: BEGIN + number * HOUR), st.integers(0, 60), max_size=100)


@given(hours=counts, limit=st.integers(1, 200), length=st.integers(1, 100))
def test_a_plan_covers_the_window_without_a_seam_and_keeps_to_the_limit(
    hours: dict[datetime, int], limit: int, length: int
) -> None:
    window = Window(BEGIN, BEGIN + length * HOUR)
    inside = {hour: rows for hour, rows in hours.items() if hour < window.end and rows}
    try:
        pieces = plan({MODEL: inside}, window, limit)
    except PossiblyCut:
        assert max(inside.values()) >= limit
        return
    if not inside:
        assert pieces == []
        return
    assert (pieces[0].start, pieces[-1].end) == (stamp(window.start), stamp(window.end))
    assert all(one.end == other.start for one, other in itertools.pairwise(pieces))
    assert sum(one.planned or 0 for one in pieces) == sum(inside.values())
    assert all((one.planned or 0) < limit for one in pieces)


@given(hours=counts, length=st.integers(2, 100))
def test_halves_are_the_whole(hours: dict[datetime, int], length: int) -> None:
    piece = Piece(MODEL, stamp(BEGIN), stamp(BEGIN + length * HOUR), None)
    first, second = halves(piece, {MODEL: hours})
    assert (first.start, first.end, second.end) == (piece.start, second.start, piece.end)
    assert first.window is not None
    assert second.window is not None
    assert abs(first.window.hours - second.window.hours) <= 1
    end = BEGIN + length * HOUR
    assert (first.planned or 0) + (second.planned or 0) == sum(n for hour, n in hours.items() if hour < end)


@pytest.mark.parametrize(
    ("rows", "planned", "limit", "doubtful"),
    [(9, 9, 10, False), (10, 9, 10, True), (8, 9, 10, True), (9, None, 10, False), (99, 9, None, False)],
)
def test_what_may_be_cut(rows: int, planned: int | None, limit: int | None, doubtful: bool) -> None:
    piece = Piece(MODEL, stamp(BEGIN), stamp(BEGIN + HOUR), planned)
    assert (doubt(piece, rows, limit) is not None) is doubtful


@pytest.mark.parametrize("given", [("2026-03-01", "2026-03-01T00:00:01Z"), ("", "x"), (None, None)], ids=str)
def test_windows_that_are_none(given: tuple[Any, Any]) -> None:
    with pytest.raises(InvalidCall):
        whole_hours(*given)
