"""Which word of the service ends which wait."""

from __future__ import annotations

from airflow_provider.api.endings import ENTITIES, JOB, Endings
from docs.parts.table import table


def text() -> str:
    """Object, field, and the words by what they mean."""
    return table(
        ("object", "field", "goes on", "done", "failed", "404 that lasts"),
        [_row("job (status object)", JOB), *(_row(name, endings) for name, endings in ENTITIES.items())],
    )


def _row(name: str, endings: Endings) -> tuple[str, ...]:
    def words(ending: str) -> str:
        return ", ".join(word for word, meaning in endings.words.items() if meaning == ending) or "-"

    return name, f"`{endings.field}`", words("pending"), words("done"), words("failed"), endings.absent
