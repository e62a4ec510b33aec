"""Progress of an upload at a steady pace, and the limit of rejects."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from airflow_provider.mlops.actuals import Chunk
from airflow_provider.mlops.row_check import Tally
from airflow_provider.tasks.actuals_report import EVERY, Report, TooManyRejected

LOG = logging.getLogger("report")


class Reading:
    """A source that takes ten seconds for a chunk of 100 rows, some of them bad."""

    def __init__(self, bad: list[int]) -> None:
        self.now = 0.0
        self.tally = Tally()
        self.bad = bad

    def report(self, most: float, share: float | None = None) -> Report:
        return Report(LOG, "a.csv", self.tally, most, lambda: self.now, lambda: share, lambda: 7_000)

    def chunks(self) -> Iterator[Chunk]:
        for number, bad in enumerate(self.bad):
            self.now += 10.0
            self.tally.read += 100
            self.tally.rejected += bad
            yield Chunk(number, 0, 100 - bad, "", b"")


def test_progress_is_told_every_half_minute(caplog: pytest.LogCaptureFixture) -> None:
    reading = Reading([0, 1] * 6)
    report = reading.report(10, share=0.25)
    with caplog.at_level(logging.INFO):
        assert len(list(report.watched(reading.chunks()))) == 12
    assert [record.message for record in caplog.records] == [
        f"a.csv: {rows} rows read (25%), {rejected} rejected, 10 rows/s, about {left} s left; quota left for 7000 rows"
        for rows, rejected, left in ((300, 1, 90), (600, 3, 180), (900, 4, 270), (1200, 6, 360))
    ]
    assert EVERY == 30.0
    assert (report.whole, report.reading) == (True, 120.0)


def test_where_the_share_is_not_known_nothing_is_guessed(caplog: pytest.LogCaptureFixture) -> None:
    reading = Reading([0] * 3)
    with caplog.at_level(logging.INFO):
        list(reading.report(0).watched(reading.chunks()))
    assert [record.message for record in caplog.records] == [
        "a.csv: 300 rows read, 0 rejected, 10 rows/s; quota left for 7000 rows"
    ]


@pytest.mark.parametrize(
    ("bad", "most", "given", "told"),
    [
        ([0, 0, 1, 0], 0, 2, "1 of 300 rows were refused, in the end 1 of 400 rows; allowed are 0"),
        ([0, 1, 1, 0], 1, 2, "2 of 300 rows were refused, in the end 2 of 400 rows; allowed are 1"),
        ([0, 1, 1, 0], 2, 4, None),
        ([0, 9, 0, 0], 0.02, 4, "9 of 400 rows were refused; allowed are 0.02"),  # a short input: at its end
        ([0] * 10 + [30, 0], 0.02, 10, "30 of 1100 rows were refused, in the end 30 of 1200 rows"),
        (
            [50] + [0] * 20,
            0.03,
            9,
            "50 of 1000 rows were refused, in the end 50 of 2100 rows",
        ),  # what was stopped fails
        ([1] * 10, 0.01, 10, None),
    ],
)
def test_the_limit_stops_the_chunks_and_reads_on(bad: list[int], most: float, given: int, told: str | None) -> None:
    reading, chunks = Reading(bad), list[Chunk]()
    report = reading.report(most)
    with nullcontext() if told is None else pytest.raises(TooManyRejected, match=told):
        chunks.extend(report.watched(reading.chunks()))
    assert [chunk.number for chunk in chunks] == list(range(given))
    assert reading.tally.read == 100 * len(bad), "the rest is read for its rejects"
    assert report.whole
