"""All state of one emulated service, as plain JSON values, and the one place where commits are counted.

Whoever changes something names the effect (``modelReplaced``, ``changeRequestCreated``, ...). ``effects`` holds one
entry per commit, so that a client that did a thing twice is seen to have done it twice, whatever the entity looks like
afterwards. With a state file everything is written before the answer leaves, by rename: a killed process loses nothing
that was answered.
"""

from __future__ import annotations

import json
import os
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider.emulator import seeds
from airflow_provider.emulator.clock import Clock

Record = dict[str, Any]
TABLES = (
    "challengers",
    "users",
    "groups",
    "deployments",
    "deletedDeployments",
    "packages",
    "baselines",
    "registeredModels",
    "leaderboardModels",
    "customModelVersions",
    "predictionServers",
    "predictionEnvironments",
    "customModelDeployments",
    "policies",
    "changeRequests",
    "reviews",
    "jobs",
    "datasets",
    "datasetVersions",
    "dataExports",
    "retrainingPolicies",
    "retrainingRuns",
    "retrainingSettings",
    "customMetrics",
    "monitoringBatches",
    "batchPredictions",
    "notificationChannels",
    "notificationPolicies",
    "notificationMutes",
    "notifications",
    "emailVerifications",
    "mails",
    "remoteEvents",
    "userNotifications",
    "runtimeParameters",
    "secondaryDatasetConfigs",
    "computeBundles",
)


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, for whoever follows what happens: ``record`` is as it is now, or as it was before a deletion."""

    table: str
    record: Record
    before: Record  # old values of the fields that changed; empty for a new record
    effect: str | None


class UnknownWorld(ValueError):
    """No world file of this name."""


def new_id() -> str:
    """24 random hex digits: no order, and no sign of when a thing was made."""
    return secrets.token_hex(12)


def worlds() -> list[str]:
    """Names of the worlds that can be loaded."""
    return seeds.names()


class Store:
    """Tables of records by id, the agenda of what is due later, and the effects.

    :param file: where the state is kept between processes, or None
    """

    def __init__(self, clock: Clock, file: Path | None = None) -> None:
        self.clock = clock
        self.file = file
        self.actor: str | None = None
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in TABLES}
        self.agenda: list[Record] = []
        self.effects: list[Record] = []
        self.looks: dict[str, int] = {}
        self.told: Callable[[Commit], None] = lambda commit: None
        self._changed = False

    def seed(self, world: str) -> None:
        """Start afresh with a world file; raises :class:`UnknownWorld`."""
        if world not in worlds():
            raise UnknownWorld(f"there is no world {world!r}; there are {', '.join(worlds())}")
        data = seeds.read(world)
        self.tables = {name: {row["id"]: row for row in data.get(name, ())} for name in TABLES}
        self.agenda, self.effects, self.looks = [], [], {}
        self._changed = True

    def get(self, table: str, key: Any) -> Record | None:
        """The record of this id, or None."""
        return self.tables[table].get(key)

    def rows(self, table: str) -> list[Record]:
        """All records of a table, oldest first."""
        return list(self.tables[table].values())

    def add(self, table: str, record: Record, effect: str | None = None) -> Record:
        """Commit a new record; it gets a random id."""
        stored = {"id": new_id(), **record}
        self.tables[table][stored["id"]] = stored
        self.looks[stored["id"]] = 0
        self._commit(effect, table, stored, {})
        return stored

    def change(self, table: str, key: str, changes: Record, effect: str | None = None) -> Record:
        """Commit new values of some fields."""
        record = self.tables[table][key]
        before = {name: record.get(name) for name in changes}
        record.update(changes)
        self._commit(effect, table, record, before)
        return record

    def remove(self, table: str, key: str, effect: str | None = None) -> None:
        """Commit a deletion."""
        record = self.tables[table].pop(key)
        self._commit(effect, table, record, {})

    def plan(self, due: float, do: str, **arguments: Any) -> None:
        """Put something on the agenda: ``do`` at service time ``due``."""
        self.agenda.append({"due": due, "do": do, "with": arguments})
        self._changed = True

    def next_due(self, now: float) -> Record | None:
        """Take the earliest entry that is due off the agenda."""
        ready = [entry for entry in self.agenda if entry["due"] <= now]
        if not ready:
            return None
        entry = min(ready, key=lambda one: float(one["due"]))
        self.agenda.remove(entry)
        self._changed = True
        return entry

    def seen(self, record: Record, lag: int) -> bool:
        """Whether a list shows the record yet: new ones are missing for ``lag`` looks."""
        looks = self.looks.get(record["id"])
        if looks is None or looks >= lag:
            return True
        self.looks[record["id"]] = looks + 1
        self._changed = True
        return False

    def counts(self) -> dict[str, dict[str, int]]:
        """How often each effect was committed, by entity id."""
        counted: dict[str, Counter[str]] = {}
        for effect in self.effects:
            counted.setdefault(effect["effect"], Counter())[effect["id"]] += 1
        return {name: dict(ids) for name, ids in counted.items()}

    def _commit(self, effect: str | None, table: str, record: Record, before: Record) -> None:
        self._changed = True
        if effect is not None:
            self.effects.append(
                {"effect": effect, "entity": table, "id": record["id"], "by": self.actor, "at": self.clock.iso()}
            )
        self.told(Commit(table, record, before, effect))

    def save(self, extra: Record) -> None:
        """Write everything that has changed to the state file, atomically; nothing to do without a file."""
        if self.file is None or not self._changed:
            return
        data = {
            "tables": self.tables,
            "agenda": self.agenda,
            "effects": self.effects,
            "looks": self.looks,
            "clock": self.clock.to_json(),
            **extra,
        }
        beside = self.file.with_name(self.file.name + ".new")
        beside.write_text(json.dumps(data), encoding="utf-8")
        os.replace(beside, self.file)
        self._changed = False

    def load(self) -> Record | None:
        """Read the state file; the whole of it is returned, or None where there is none yet. ValueError for others."""
        if self.file is None or not self.file.exists():
            return None
        data: Any = json.loads(self.file.read_text(encoding="utf-8"))
        if not isinstance(data, dict) or "tables" not in data:
            raise ValueError("the file holds no state of an emulator")
        self.tables = {name: data["tables"].get(name, {}) for name in TABLES}
        self.agenda = data["agenda"]
        self.effects, self.looks = data["effects"], data["looks"]
        self.clock.load(data["clock"])
        return dict(data)

    def touch(self) -> None:
        """Something beside the tables has changed and is to be saved too."""
        self._changed = True
