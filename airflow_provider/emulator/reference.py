"""Everything that can be set on the emulator and everything it leaves out, as text for people."""

from __future__ import annotations

import json
from collections.abc import Iterator

from airflow_provider.emulator.faults import KINDS
from airflow_provider.emulator.switches import known, lies, not_emulated


def as_text() -> str:
    """Switches, lies, faults and gaps: what ``--assumed`` prints."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield from ("Switches: what public sources leave open. The first value is the default.", "")
    for switch in known().values():
        yield f"{switch.name} = {' | '.join(switch.values)}"
        yield f"    {switch.why}"
    yield from ("", "Lies: wrong behaviours that can be switched on to prove that a client sees through them.", "")
    for name, text in lies().items():
        yield name
        yield f"    {text}"
    yield from ("", "Faults: what a request can be made to meet, with parameters and their defaults.", "")
    for name, kind in KINDS.items():
        parameters = ", ".join(f"{key}={json.dumps(value)}" for key, value in kind.parameters.items())
        yield f"{name}({parameters})"
        yield f"    {kind.why[0].upper()}{kind.why[1:]}."
    yield from ("", "Not emulated", "")
    for texts in not_emulated().values():
        yield from (f"- {text}" for text in texts)
