"""How the seconds of the harness become real ones.

The harness stops all clocks, so a story of hours costs nothing. Here time passes, so what a story measures in minutes
has to be shorter, and everything has to keep its order: a commit that came before the second look must come before it
here as well. Three kinds of time meet:

======================  ============================================================================================
constants of ours       are as they are: nothing of the package is changed (first poll, pauses between tries, ``APART``)
arguments of the task   are shorter: ``SETTLE`` is a tenth of its default, the others as the table below says
the service's time      runs ``SPEED`` times as fast, so a job of 20 s is over before the first look of the triggerer
======================  ============================================================================================

What the service is told in its own seconds but is meant in the worker's (late commits, waits by date) is translated
here: :func:`late` keeps where a commit lies between the lost answer, the first look (``settle`` later), the second
(``APART`` later) and the time after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.once import APART
from airflow_provider.api.once import SETTLE as USUAL_SETTLE
from tests.faults.playing import TIMEOUT as USUAL_TIMEOUT

SPEED = 5.0  # service seconds in a real one
SETTLE = 6.0
SHRUNK = SETTLE / USUAL_SETTLE
AFTER = 2 * SHRUNK  # of what comes after the second look, so that a busy machine does not make that look too late
POLL = 5.0  # seconds between looks, the default; at the second one a job that takes its usual 20 s is over
TIMEOUT = 300.0  # of the task; three attempts and their pauses fit in
RETRY_DELAY = 5.0
PATIENCE = 10.0  # seconds until the client takes an answer, or a connection, for lost
LOOK = 3.0  # until a person looks at a task that has ended
SLOW = 45.0  # seconds that a task may take to its first write
GLANCE = 1.0  # until a person interrupts a task that waits; its first poll comes after 6 s


def late(seconds: float) -> float:
    """Real seconds from a lost answer to the late commit, which takes so many in the harness."""
    if seconds < USUAL_SETTLE:
        return seconds * SHRUNK
    return SETTLE + APART + (seconds - USUAL_SETTLE - APART) * AFTER


def fault(given: Mapping[str, Any]) -> dict[str, Any]:
    """A fault of the emulator with its seconds as the service's clock here has to count them."""
    if given.get("kind") == "late_commit":
        return {**given, "seconds": late(given["seconds"]) * SPEED}
    if given.get("as_date"):  # a client counts its seconds itself
        return {**given, "seconds": max(2.0, given["seconds"] * SHRUNK)}
    return dict(given)


def come(given: Mapping[str, Any]) -> float:
    """Seconds from the start of a story until what comes late has come: nobody looks earlier, in the harness too."""
    return late(given["seconds"]) + SLOW if given.get("kind") == "late_commit" else 0.0


def arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a case, with those that are seconds of the task's life as short as the rest."""
    shorter = {"timeout": TIMEOUT, "settle": SETTLE, "poll_interval": POLL, **given}
    if "apply_timeout" in given:
        shorter["apply_timeout"] = given["apply_timeout"] * TIMEOUT / USUAL_TIMEOUT
    return shorter
