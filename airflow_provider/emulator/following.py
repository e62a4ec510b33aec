"""Who follows what happens: functions that are told of each commit, whatever made it.

A follower may commit more; of that the followers are told too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Commit

Follower = Callable[["Service", "Commit"], None]
FOLLOWERS: list[Follower] = []


def follows(function: Follower) -> Follower:
    """Mark a function as one that is told of each commit."""
    FOLLOWERS.append(function)
    return function


def follow(service: Service, commit: Commit) -> None:
    """Tell all of them."""
    for follower in FOLLOWERS:
        follower(service, commit)
