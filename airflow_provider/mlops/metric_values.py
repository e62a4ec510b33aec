"""Values of a custom metric: rows in, checked buckets out, in chunks that can be told apart.

::

    rows ──► check ──► survey (counts, digests of the chunks) ──► chunks ──► sent one after another
               └──► rejects                                        each compared with the survey

The service cannot tell a bucket that comes twice from two (writes.py: blind). So the rows are read twice: once to be
checked as a whole before anything is sent, once to be sent. A digest over all buckets up to a point says whether a
source still gives what was sent of it before.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from airflow_provider.api.errors import DataRobotError
from airflow_provider.api.messages import Call, prepare
from airflow_provider.api.moments import utc
from airflow_provider.mlops.columns import Parts, key_text
from airflow_provider.mlops.row_check import shown
from airflow_provider.mlops.rows import Broken, Row

SUBMIT = "submitDeploymentCustomMetricValuesFromJson"
CHUNK = 10_000  # buckets that submitDeploymentCustomMetricValuesFromJson takes (wire.md I)
DIGEST = 16  # characters of a digest that are kept
TOLD = 20  # rejects that an error shows
Bucket = dict[str, Any]
Mark = tuple[int, str]


class ValuesRejected(DataRobotError):
    """Rows of the source are no buckets; nothing was sent."""


class ChangedValues(DataRobotError):
    """The source gives other rows than those of it that were sent or checked before."""


@dataclass(frozen=True, slots=True)
class BucketColumns:
    """Where the parts of a bucket stand; its rows are (line, association id, value, timestamp, the rest).

    :param value: the number.
    :param timestamp: when it was measured; a time without a zone is UTC.
    :param sample_size: how many samples the value stands for.
    :param batch: the id of its monitoring batch.
    :param segments: name of a segment -> column of its value.
    """

    value: str
    timestamp: str | None = None
    sample_size: str | None = None
    batch: str | None = None
    association_id: str | None = None
    segments: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column that must be there."""
        single = (self.value, self.timestamp, self.sample_size, self.batch, self.association_id)
        return tuple(dict.fromkeys(name for name in (*single, *self.segments.values()) if name))

    def pick(self, places: Mapping[str, Any]) -> Callable[[Any], Parts]:
        """A function from a sequence of fields, or from a mapping, to the parts of a bucket."""

        def part(fields: Any, name: str | None) -> Any:
            return None if name is None else fields[places[name]]

        def picked(fields: Any) -> Parts:
            segments = {name: part(fields, column) for name, column in self.segments.items()}
            rest = (part(fields, self.sample_size), part(fields, self.batch), segments)
            return part(fields, self.association_id), fields[places[self.value]], part(fields, self.timestamp), rest

        return picked


@dataclass(slots=True)
class BucketCheck:
    """Makes the bucket of a row, or says what is wrong with it; at least as strict as the contract.

    :param timestamp: of all rows, where they have no column of it.
    :param batch: the monitoring batch of all rows.
    """

    timestamp: str | None = None
    batch: str | None = None
    naive: int = 0

    def bucket(self, row: Row) -> Bucket | str:
        """The bucket, or a reason: its kind, a colon and what was found."""
        _, association, value, stamp, (size, batch, segments) = row
        number = _number(value)
        if number is None:
            return f"value is no finite number: {shown(value)}"
        found: Bucket = {"value": number}
        size_told = _size(size)
        if isinstance(size_told, str):
            return size_told
        when = self._time(stamp)
        if isinstance(when, str) and when.startswith("timestamp "):
            return when
        place = self.batch or (None if _blank(batch) else key_text(batch))
        if when is None and place is None:
            return "neither timestamp nor batch"
        parts = {
            "sampleSize": size_told,
            "timestamp": when,
            "batch": place,
            "associationId": None if _blank(association) else key_text(association),
            "segments": [{"name": name, "value": str(one)} for name, one in segments.items() if not _blank(one)],
        }
        return found | {name: part for name, part in parts.items() if part}

    def _time(self, stamp: Any) -> str | None:
        """RFC 3339 in UTC, None where there is none, or what is wrong with it."""
        if _blank(stamp):
            return self.timestamp
        try:
            when = stamp if isinstance(stamp, datetime) else datetime.fromisoformat(str(stamp).strip())
        except ValueError:
            return f"timestamp is no ISO 8601 time: {shown(stamp)}"
        self.naive += when.tzinfo is None
        return utc(when)


@dataclass(slots=True)
class Survey:
    """What a source holds: ``rows`` read, ``good`` buckets, ``rejected`` rows, and the first rejects in words.

    ``marks`` are the ends of the chunks that are still to be sent: how many buckets there are up to there, and the
    digest over them. ``before`` is the digest over what was sent before.
    """

    rows: int = 0
    good: int = 0
    rejected: int = 0
    naive: int = 0
    told: list[str] = field(default_factory=list)
    before: str = ""
    marks: list[Mark] = field(default_factory=list)

    def refuse(self, most: int) -> None:
        """Raises :class:`ValuesRejected` when more rows than ``most`` were rejected, or none is good."""
        if self.rejected > most:
            more = f"; and {self.rejected - len(self.told)} more" if self.rejected > len(self.told) else ""
            raise ValuesRejected(
                f"{self.rejected} of {self.rows} rows are no buckets, and {most} may be: {'; '.join(self.told)}{more}"
            )


def good_buckets(rows: Iterable[Row | Broken], check: BucketCheck, survey: Survey) -> Iterator[Bucket]:
    """The buckets of the good rows; the others are counted and told in the survey."""
    for row in rows:
        survey.rows += 1
        found = row.reason if isinstance(row, Broken) else check.bucket(row)
        if isinstance(found, dict):
            survey.good += 1
            yield found
            continue
        survey.rejected += 1
        if len(survey.told) < TOLD:
            survey.told.append(f"line {row.line if isinstance(row, Broken) else row[0]}: {found}")
    survey.naive = check.naive


def survey_of(rows: Iterable[Row | Broken], check: BucketCheck, sent: int = 0) -> Survey:
    """Reads a source to its end, and keeps nothing but counts and digests.

    :param sent: how many of its buckets were sent before.
    """
    survey, digest = Survey(), hashlib.sha256()
    for number, bucket in enumerate(good_buckets(rows, check, survey), 1):
        digest.update(_line(bucket))
        if number == sent:
            survey.before = _short(digest)
        elif number > sent and (number - sent) % CHUNK == 0:
            survey.marks.append((number, _short(digest)))
    if survey.good > sent and (survey.good - sent) % CHUNK:
        survey.marks.append((survey.good, _short(digest)))
    return survey


@dataclass(frozen=True, slots=True)
class Chunk:
    """Buckets of one call, and their end in the source."""

    buckets: list[Bucket]
    mark: Mark


def chunks(rows: Iterable[Row | Broken], check: BucketCheck, sent: int = 0) -> Iterator[Chunk]:
    """The chunks behind the first ``sent`` buckets."""
    digest, held, number = hashlib.sha256(), list[Bucket](), 0
    for number, bucket in enumerate(good_buckets(rows, check, Survey()), 1):
        digest.update(_line(bucket))
        if number > sent:
            held.append(bucket)
        if len(held) == CHUNK:
            yield Chunk(held, (number, _short(digest)))
            held = []
    if held:
        yield Chunk(held, (number, _short(digest)))


def call_of(
    deployment_id: str,
    metric_id: str,
    chunk: Chunk,
    model: Mapping[str, str],
    extra_body: Mapping[str, Any] | None = None,
    *,
    dry_run: bool = False,
) -> Call:
    """The call that submits a chunk. The contract sees the envelope and the first bucket, the rest was checked here.

    :param model: ``modelId`` or ``modelPackageId``, where the metric is specific to models.
    :param dry_run: the service checks the values and keeps none.
    """
    body = {"buckets": chunk.buckets[:1], **model, **({"dryRun": True} if dry_run else {})}
    call = prepare(SUBMIT, {"deploymentId": deployment_id, "customMetricId": metric_id}, body, extra_body)
    whole = {**call.body, "buckets": chunk.buckets}
    return replace(call, body=json.dumps(whole, allow_nan=False, separators=(",", ":")).encode())


def _short(digest: Any) -> str:
    return str(digest.hexdigest()[:DIGEST])


def _line(bucket: Bucket) -> bytes:
    return json.dumps(bucket, sort_keys=True).encode() + b"\n"


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        return None
    if not isinstance(value, (str, numbers.Number)):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _size(value: Any) -> int | str | None:
    """How many samples; None where nothing is said, a text that says what is wrong."""
    if _blank(value):
        return None
    number = _number(value)
    if number is None or number < 1 or number != int(number):
        return f"sample size is no whole number from 1 on: {shown(value)}"
    return int(number)


def _blank(value: Any) -> bool:
    """None, a blank text, or what data frames write for nothing."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, numbers.Number) and value != value)
