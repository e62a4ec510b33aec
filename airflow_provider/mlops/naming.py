"""Things that people name: a name must fit exactly one of them, and what we make carries a mark of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider.api.errors import DataRobotError

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

MARK_LENGTH = 10
LOOKS, APART = 4, 5.0  # a list may be behind what is there; seconds
Found = TypeVar("Found")


class NotOne(DataRobotError):
    """A name fits nothing, or more than one thing."""


def the_one(found: Iterable[Mapping[str, Any]], what: str) -> dict[str, Any]:
    """The only one of them; raises :class:`NotOne` that says how many there are, and which.

    :param what: what was looked for, for the error.
    """
    listed = [dict(one) for one in found]
    if len(listed) == 1:
        return listed[0]
    ids = ", ".join(sorted(str(one.get("id")) for one in listed)) or "none"
    raise NotOne(f"{len(listed)} things are {what}, and exactly one is needed: {ids}")


def find_soon(client: Client, find: Callable[[], Found | None]) -> Found | None:
    """What ``find`` finds of things that may be new: a list may be behind, so it looks again before None is given."""
    for look in range(LOOKS):
        if look:
            client.sleep(APART)
        found = find()
        if found is not None:
            return found
    return None


def mark_of(*parts: object) -> str:
    """A mark for a description: the same parts give the same mark."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
    return f"(Airflow {digest[:MARK_LENGTH]})"


def marked(description: str, mark: str | None) -> str:
    """A description that ends with the mark."""
    return " ".join(part for part in (description.strip(), mark) if part)
