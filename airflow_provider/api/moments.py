"""Points in time as people and the service write them: ISO 8601, and one without a zone is UTC (wire.md F)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow_provider.api.errors import InvalidCall


def aware(moment: datetime) -> datetime:
    """The same with a zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read(value: Any) -> datetime:
    """A datetime or a text, with a zone; raises ValueError for what is no time."""
    return aware(value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip()))


def given(name: str, value: Any) -> datetime:
    """The same of an argument that a person gave: raises :class:`InvalidCall` that names it."""
    try:
        return read(value)
    except ValueError:
        raise InvalidCall(f"{name} must be a time like 2026-03-01T00:00:00Z, not {value!r}") from None


def utc(moment: datetime) -> str:
    """As it is sent: 2026-03-01T00:00:00Z, with as many digits as it has."""
    return aware(moment).astimezone(UTC).isoformat().replace("+00:00", "Z")
