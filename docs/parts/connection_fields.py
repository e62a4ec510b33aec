"""The declared fields of the connection."""

from __future__ import annotations

from airflow_provider.provider_info.connection import FIELDS
from docs.parts.table import table


def text() -> str:
    """Name, meaning, default."""
    return table(("field", "meaning", "default"), [_row(name, field) for name, field in FIELDS.items()])


def _row(name: str, field: dict[str, object]) -> tuple[str, object, object]:
    schema = field["schema"]
    default = schema.get("default", "-") if isinstance(schema, dict) else "-"
    return f"`{name}`", field.get("description", field["label"]), default
