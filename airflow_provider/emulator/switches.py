"""Named switches: what public sources leave open, with a default, all values, and why.

The data stands in ``assumptions/``, one file an area: ``switches``, ``lies`` (named wrong behaviours) and
``notEmulated`` (what is left out). ``python -m airflow_provider.emulator --assumed`` prints all of it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "assumptions"


class UnknownSwitch(ValueError):
    """No such switch, or no such value."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One open question about the service, and the answers that the emulator can give."""

    name: str
    default: str
    values: tuple[str, ...]
    why: str
    area: str  # the file that it stands in
    departing: tuple[str, ...] = ()  # values whose answers depart from the contract


@functools.cache
def known() -> Mapping[str, Switch]:
    """All switches by name."""
    return {
        one["name"]: Switch(
            one["name"], one["default"], tuple(one["values"]), one["why"], name, tuple(one.get("departing", ()))
        )
        for name, area in _areas().items()
        for one in area.get("switches", ())
    }


@functools.cache
def lies(*areas: str) -> Mapping[str, str]:
    """Named wrong behaviours of a service, each with a sentence; of these areas, else of all."""
    chosen = [_areas()[name] for name in areas or _areas()]
    return {name: text for area in chosen for name, text in area.get("lies", {}).items()}


@functools.cache
def not_emulated() -> Mapping[str, tuple[str, ...]]:
    """What the emulator leaves out, by area."""
    return {name: tuple(area["notEmulated"]) for name, area in _areas().items() if area.get("notEmulated")}


@functools.cache
def _areas() -> Mapping[str, Any]:
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(HERE.glob("*.json"))}


class Switches(Mapping[str, str]):
    """The values of one server, as words; only known names and values can be set."""

    def __init__(self) -> None:
        self._set: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self._set.get(name, _switch(name).default)

    def __iter__(self) -> Iterator[str]:
        return iter(known())

    def __len__(self) -> int:
        return len(known())

    def set(self, values: Mapping[str, Any]) -> None:
        """Set several at once; raises :class:`UnknownSwitch` and sets none if one of them is wrong."""
        self._set.update(self.checked(values))

    def checked(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The values as words, if all of them are known; nothing is set."""
        checked = {}
        for name, value in values.items():
            switch = _switch(name)
            if str(value) not in switch.values:
                raise UnknownSwitch(f"{name} must be one of {', '.join(switch.values)}, not {value!r}")
            checked[name] = str(value)
        return checked

    @property
    def departing(self) -> bool:
        """Whether one of them is set so that answers depart from the contract."""
        return any(value in known()[name].departing for name, value in self._set.items())

    def reset(self) -> None:
        """Back to the defaults."""
        self._set.clear()


def _switch(name: str) -> Switch:
    try:
        return known()[name]
    except KeyError:
        raise UnknownSwitch(f"there is no switch {name!r}; there are {', '.join(sorted(known()))}") from None
