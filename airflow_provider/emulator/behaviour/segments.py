"""Which rows a monitoring call is about: those of a segment, of some monitoring batches, or all.

A segment is all rows with one value of an attribute: of a feature, or of the request that they came with. Which
attributes are tracked stands in the deployment's settings (``segmentAnalysis``); the three of requests always are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider.emulator.answers import invalid

if TYPE_CHECKING:
    from airflow_provider.emulator.calls import Call
    from airflow_provider.emulator.rows import Rows
    from airflow_provider.emulator.store import Record

OF_REQUESTS: Mapping[str, str] = {
    "DataRobot-Consumer": "consumer",
    "DataRobot-Remote-IP": "remote",
    "DataRobot-Host-IP": "host",
}  # attribute (seed 002:1305) --> column of the stored requests


class Only(NamedTuple):
    """What rows must be of; an attribute without a value narrows nothing down, one that is not tracked has no rows."""

    attribute: str | None = None
    value: str | None = None
    batches: tuple[str, ...] = ()
    nothing: bool = False

    def segment(self) -> dict[str, Any]:
        """As the API shows it: no key unless a segment was asked for, null there breaks a client (wire.md K.1)."""
        return {} if self.attribute is None else {"segmentAttribute": self.attribute, "segmentValue": self.value}


EVERYTHING = Only()


def only_of(call: Call, deployment: Record) -> Only:
    """What the call's arguments ask for; an attribute that is not tracked by the switch ``unknown_segment``."""
    attribute, value = (call.arguments.get(name) or None for name in ("segmentAttribute", "segmentValue"))
    unknown = attribute is not None and attribute not in (*OF_REQUESTS, *tracked(deployment))
    if unknown and call.service.switches["unknown_segment"] == "refuse_422":
        raise invalid([f"{attribute!r} is not tracked for segmented analysis @ $.segmentAttribute"])
    return Only(attribute, value, batch_ids(call), nothing=unknown)


def batch_ids(call: Call) -> tuple[str, ...]:
    """The monitoring batches that a call names: one, several, or none."""
    given = call.arguments.get("batchId") or ()
    return (given,) if isinstance(given, str) else tuple(dict.fromkeys(given))


def tracked(deployment: Record) -> list[str]:
    """The features that the settings track for segmented analysis; none while it is off."""
    settings = deployment["settings"].get("segmentAnalysis")
    if not isinstance(settings, dict) or settings.get("enabled") is not True:
        return []
    return [str(name) for name in settings.get("attributes") or ()]


def where_predictions(rows: Rows, deployment: Record, only: Only) -> tuple[str, list[Any]]:
    """Further conditions on stored predictions ``p``, and their arguments."""
    text, arguments = _of_batches("p.batch", only)
    column = OF_REQUESTS.get(only.attribute or "")
    if column and only.value is not None:
        text += f" AND p.request IN (SELECT number FROM requests WHERE deployment = ? AND {column} = ?)"  # noqa: S608
        arguments += [rows.number(deployment["id"]), only.value]
    elif only.attribute is not None and only.value is not None:
        text += " AND EXISTS (SELECT 1 FROM json_each(p.features) f WHERE f.key = ? AND CAST(f.value AS TEXT) = ?)"
        arguments += [only.attribute, only.value]
    return text, arguments


def where_requests(only: Only) -> tuple[str, list[Any]]:
    """Further conditions on stored requests, and their arguments; the contract lets in attributes of requests only."""
    text, arguments = _of_batches("batch", only)
    column = OF_REQUESTS.get(only.attribute or "")
    if column and only.value is not None:
        text += f" AND {column} = ?"
        arguments.append(only.value)
    return text, arguments


def _of_batches(column: str, only: Only) -> tuple[str, list[Any]]:
    if only.nothing or not only.batches:
        return (" AND 0" if only.nothing else ""), []
    return f" AND {column} IN ({','.join('?' * len(only.batches))})", list(only.batches)
