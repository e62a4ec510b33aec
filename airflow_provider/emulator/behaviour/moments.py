"""Moments as the API writes them: RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service


class BadMoment(ValueError):
    """No RFC 3339 date and time."""


def seconds(text: object, *, naive_is_utc: bool = False) -> float:
    """An RFC 3339 text as seconds since the epoch; raises :class:`BadMoment`.

    :param naive_is_utc: whether a text without a zone is taken as UTC, which RFC 3339 does not know
    """
    try:
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]  # anything else raises a TypeError
    except (TypeError, ValueError):
        raise BadMoment(f"must be an RFC 3339 date and time, not {text!r}") from None
    if moment.tzinfo is None:
        if not naive_is_utc:
            raise BadMoment(f"must be an RFC 3339 date and time with its zone, not {text!r}")
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def naive_is_utc(service: Service) -> bool:
    """Whether this service takes moments without a zone (switch ``naive_times``)."""
    return service.switches["naive_times"] == "utc"
