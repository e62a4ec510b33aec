"""Which windows an export is cut into, so that each holds fewer rows than the service puts into one.

    rows an hour and model (predictions versus actuals) ──► pieces of whole hours ──► possibly cut? two halves

Start inclusive, end exclusive: pieces meet at full hours, cover the whole window, and never overlap. Row counts are
taken when the plan is made; an export that has fewer rows than its piece had then, or exactly as many as the limit, may
have been cut by the service, and is never taken for whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api import moments
from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.mlops.windows import HOUR, Window, floor, stamp

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

FULL = 0.9  # share of the limit up to which hours are put together: rows may still come
LOOK = timedelta(days=7)  # hours that are counted with one call


class ChampionChanged(DataRobotError):
    """The window holds rows of more than one model, and nobody said which are wanted."""


class NoRows(DataRobotError):
    """There is nothing to export in the window."""


class PossiblyCut(DataRobotError):
    """An export of one hour may lack rows, and an hour cannot be split."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One export: of a model, from ``start`` (inside) to ``end`` (outside).

    :param planned: how many rows it should have at least; None where nobody knows. ``start`` and ``end`` are None for
        what has no time (training data, batches).
    """

    model_id: str | None
    start: str | None = None
    end: str | None = None
    planned: int | None = None

    @property
    def name(self) -> str:
        """What tells it from the others, fit for the name of a file."""
        parts = [self.model_id or "champion", *(short(one) for one in (self.start, self.end) if one)]
        return "_".join(parts)

    @property
    def window(self) -> Window | None:
        """Its time."""
        return Window(moments.read(self.start), moments.read(self.end)) if self.start and self.end else None

    def told(self) -> str:
        """For people."""
        time = f" from {self.start} to {self.end}" if self.start else ""
        return f"model {self.model_id or '(champion)'}{time}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


Hours = Mapping[str, Mapping[datetime, int]]  # rows by model and hour


def whole_hours(start: Any, end: Any) -> Window:
    """The window that an author gave: datetimes or ISO 8601; without a zone UTC. Raises :class:`InvalidCall`."""
    return Window(_on_the_hour("start", start), _on_the_hour("end", end))


def count_rows(client: Client, deployment_id: str, models: Sequence[str], window: Window, *, actuals: bool) -> Hours:
    """Rows by model and hour (operation getDeploymentPredictionsVsActualsOverTime); hours without rows are left out.

    :param actuals: count only predictions whose actual is there.
    """
    key = "rowCountWithActual" if actuals else "rowCountTotal"
    found: dict[str, dict[datetime, int]] = {model: {} for model in models}
    for part in _parts(window):
        time: dict[str, Any] = part.arguments()
        answer = client.call(
            "getDeploymentPredictionsVsActualsOverTime",
            deploymentId=deployment_id,
            modelId=list(models),
            bucketSize="PT1H",
            **time,
        )
        for bucket in answer.require("buckets"):
            rows, model = int(bucket.get(key) or 0), bucket.get("modelId")
            if rows and model in found:
                hour = floor(moments.read(bucket["period"]["start"]))
                found[model][hour] = found[model].get(hour, 0) + rows
    return found


def plan(hours: Hours, window: Window, limit: int) -> list[Piece]:
    """The pieces of a window, model by model; a model without rows has none.

    :param limit: how many rows one export can have.
    :raises PossiblyCut: an hour has as many rows as the limit by itself.
    """
    return [
        piece
        for model, counts in hours.items()
        if sum(counts.values())
        for piece in _pieces(model, counts, window, limit)
    ]


def halves(piece: Piece, hours: Hours) -> tuple[Piece, Piece]:
    """A piece of two hours and more as two, with the rows that each has now."""
    window = piece.window
    assert window is not None, "only windows are split"
    middle = window.start + window.hours // 2 * HOUR
    counts = hours.get(str(piece.model_id), {})
    first, second = (
        Piece(piece.model_id, stamp(begin), stamp(end), _sum(counts, begin, end))
        for begin, end in ((window.start, middle), (middle, window.end))
    )
    return first, second


def doubt(piece: Piece, rows: int, limit: int | None) -> str | None:
    """Why so many rows may not be all; None where there is no doubt."""
    if limit is not None and rows >= limit:
        return f"the export of {piece.told()} has {rows:,} rows, as many as one export can have"
    if piece.planned is not None and rows < piece.planned:
        return f"the export of {piece.told()} has {rows:,} rows, and {piece.planned:,} were counted before"
    return None


def refuse_changed_champion(deployment: Mapping[str, Any], window: Window) -> str:
    """The champion's model id; raises :class:`ChampionChanged` where it was not champion for the whole window."""
    model = deployment.get("model") or {}
    model_id, since = model.get("id"), model.get("deployedAt")
    if not model_id:
        raise ChampionChanged(f"deployment {deployment.get('id')} tells no champion: say which with model_ids")
    if since and moments.read(since) > window.start:
        raise ChampionChanged(
            f"model {model_id} is champion of deployment {deployment.get('id')} since {since}, and the window from "
            f"{stamp(window.start)} to {stamp(window.end)} begins before: an export holds the rows of one model, so "
            "name all whose rows are wanted with model_ids (former champions too), or begin the window later"
        )
    return str(model_id)


def short(text: str) -> str:
    """A time for the name of a file: 20260301T0000Z."""
    return moments.read(text).astimezone(UTC).strftime("%Y%m%dT%H%MZ")


def _pieces(model: str, counts: Mapping[datetime, int], window: Window, limit: int) -> Iterator[Piece]:
    most = max(int(limit * FULL), 1)
    start, rows = window.start, 0
    for hour in _hours(window):
        count = counts.get(hour, 0)
        if count >= limit:
            raise PossiblyCut(
                f"model {model} has {count:,} rows in the hour from {stamp(hour)}, and one export must have fewer than "
                f"{limit:,}"
            )
        if rows and rows + count > most:
            yield Piece(model, stamp(start), stamp(hour), rows)
            start, rows = hour, 0
        rows += count
    yield Piece(model, stamp(start), stamp(window.end), rows)


def _hours(window: Window) -> Iterator[datetime]:
    return (window.start + number * HOUR for number in range(window.hours))


def _parts(window: Window) -> Iterator[Window]:
    start = window.start
    while start < window.end:
        end = min(start + LOOK, window.end)
        yield Window(start, end)
        start = end


def _sum(counts: Mapping[datetime, int], start: datetime, end: datetime) -> int:
    return sum(_of(counts, start, end))


def _of(counts: Mapping[datetime, int], start: datetime, end: datetime) -> Iterable[int]:
    return (rows for hour, rows in counts.items() if start <= hour < end)


def _on_the_hour(name: str, given: Any) -> datetime:
    found = moments.given(name, given)
    if floor(found) != found:
        raise InvalidCall(f"{name} must be on the hour of UTC, because rows are counted by hours: not {given!r}")
    return floor(found)
