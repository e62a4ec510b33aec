"""Rows of actuals as they are sent: how each is read, and which of them the deployment cannot take."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.answers import invalid
from airflow_provider.emulator.behaviour.actuals import Row
from airflow_provider.emulator.behaviour.moments import BadMoment, naive_is_utc, seconds
from airflow_provider.emulator.bulk import SHOWN
from airflow_provider.emulator.jobs import JobFails

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

HUGE = 2**63
BIGGEST = sys.float_info.max
LONGEST = 128  # characters of an association id (wire.md D)
VALUES = frozenset({str, int, float, list})  # what the corrected contract takes as an actual value
LISTS = ("Multilabel", "TextGeneration")  # target types whose actual value may be a list
OPTIONAL = {"wasActedOn": (bool,), "timestamp": (str, type(None))}


def suspicious(rows: list[Any]) -> Iterator[int]:
    """Numbers of rows that may not fit the schema; at least as strict as it, and much faster."""
    for number, row in enumerate(rows):
        if (
            type(row) is not dict
            or type(row.get("associationId")) is not str
            or not row["associationId"]
            or type(row.get("actualValue")) not in VALUES
            or (len(row) > 2 and not _rest_fits(row))
        ):
            yield number


def _rest_fits(row: Mapping[str, Any]) -> bool:
    return all(type(row[name]) in types for name, types in OPTIONAL.items() if name in row)


def summary(rows: list[Any]) -> Any:
    """What the request log keeps: how many, the first and the last."""
    return {"rows": len(rows), "first": rows[0], "last": rows[-1]} if rows else {"rows": 0}


class Reader:
    """Reads the rows of one submission for one deployment, by the switches of the service.

    A row that the deployment cannot take is a *misfit*: a word where a number is wanted, or a label that is no class of
    the target. What becomes of it is not documented: switch ``actual_misfit``.
    """

    def __init__(self, service: Service, deployment: Record) -> None:
        target = service.store.tables["packages"][deployment["modelPackageId"]]["target"]
        self._naive_is_utc = naive_is_utc(service)
        self._truncates = service.switches["long_association_id"] == "truncated"
        self._misfit = service.switches["actual_misfit"]
        self._wants_number = target["type"] == "Regression"
        self._takes_lists = target["type"] in LISTS
        self._classes = frozenset(target["classNames"])
        self.fails_with: str | None = None

    def read(self, rows: list[Mapping[str, Any]]) -> list[Row]:
        """The rows to store; 422 with the first faults, or ``fails_with`` is set, as the switches say."""
        read: list[Row] = []
        faults: list[str] = []
        for number, row in enumerate(rows):
            if len(faults) >= SHOWN:
                break
            association, value, moment = row["associationId"], row["actualValue"], row.get("timestamp")
            try:
                if moment is not None:
                    moment = seconds(moment, naive_is_utc=self._naive_is_utc)
                if len(association) > LONGEST:
                    association = self.shortened(association)
            except BadMoment as fault:
                faults.append(f"{fault} @ $.data[{number}].timestamp")
            except ValueError as fault:
                faults.append(f"{fault} @ $.data[{number}].associationId")
            if type(value) in (int, float) and not -BIGGEST <= value <= BIGGEST:  # 1e999, which is JSON
                faults.append(f"must be a finite number @ $.data[{number}].actualValue")
                continue
            if not self.fits(value):
                if self._misfit == "refuse_422":
                    faults.append(f"{self.complaint(value)} @ $.data[{number}].actualValue")
                elif self._misfit == "job_error":
                    self.fails_with = self.fails_with or self.complaint(value)
                elif self._misfit == "dropped":
                    continue
            read.append((association, kept(value), row.get("wasActedOn"), moment))
        if faults:
            raise invalid(faults)
        return read

    def fits(self, value: Any) -> bool:
        """Whether the deployment's target can have this value."""
        if self._wants_number:
            return type(value) in (int, float)
        if type(value) is list:
            return self._takes_lists
        return not self._classes or (type(value) is str and value in self._classes)

    def complaint(self, value: Any) -> str:
        """What is wrong with a misfit."""
        wanted = "a number" if self._wants_number else f"one of {', '.join(sorted(self._classes))}"
        return f"must be {wanted}, not {value!r}"

    def shortened(self, association: str) -> str:
        """An id of at most 128 characters; a ValueError where the switch refuses longer ones."""
        if not self._truncates:
            raise ValueError(f"must have at most {LONGEST} characters, not {len(association)}")
        return association[:LONGEST]

    def read_text(self, association: str, value: str, acted: str | None, moment: str | None) -> Row | None:
        """A row of a dataset, where everything is text; None for one that cannot be read.

        :raises JobFails: where the switch ``actual_misfit`` says that a misfit fails the job
        """
        if not association or not value:
            return None
        found: Any = value
        if self._wants_number:
            found = _number(value)
        if not self.fits(found):
            if self._misfit in ("job_error", "refuse_422"):  # the post is answered before a dataset is read
                raise JobFails(f"The value of {association!r} {self.complaint(found)}.")
            if self._misfit == "dropped":
                return None
        try:
            when = seconds(moment, naive_is_utc=True) if moment else None
            return self.shortened(association), found, _acted(acted), when
        except ValueError:
            return None


def _acted(text: str | None) -> int | None:
    return None if not text else int(text.strip().lower() in ("true", "1", "yes"))


def _number(text: str) -> Any:
    """The text as a finite number; the text itself where it is none."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def kept(value: Any) -> Any:
    """The value as SQLite keeps it: a list as its JSON, in bytes, and no whole number beyond 64 bits."""
    if type(value) is list:
        return json.dumps(value).encode()
    return float(value) if type(value) is int and not -HUGE <= value < HUGE else value
