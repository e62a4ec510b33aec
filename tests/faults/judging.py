"""What a story came to, judged by the store of the service.

right        success, and the service did it as often as it should
loud         failed, and the service did nothing
unsure       failed with an error that says that it may have happened or goes on; it happened at most once
repeated     a settable state was written again, which changes nothing
reported     something happened twice, and the task or its result says so
undetected   something happened twice, and nothing says so
lost         success, and the service did not do it
wrong        failed, and the service did it, and nothing says so
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.case import Case
    from tests.harness import Ending

WORDS = ("right", "loud", "unsure", "repeated", "reported", "undetected", "lost", "wrong")
BAD = ("undetected", "lost", "wrong")
UNSURE = ("OutcomeUnknown", "WaitTimedOut", "PollBudgetSpent", "ForeignLocation", "AnswerLost")
SAYING = re.compile(
    "second sending|several|others? that|not known|was accepted|nothing tells|already|SameName|not sent again"
)
TELLING = ("sent_twice", "sent_before", "duplicates", "answer_lost")


@dataclass(frozen=True)
class Verdict:
    """One of the words above, and why."""

    word: str
    why: str = ""


def judge(case: Case, endings: list[Ending], effects: Mapping[str, int], *, spare: int = 0) -> Verdict:
    """The verdict on the runs of a task, each given by its last attempt.

    :param effects: how often each effect was committed since the first run began.
    :param spare: how often work was stopped, by a kill or because it failed, and so may be there once more.
    """
    good = sum(one.state == "success" for one in endings)
    unsure = sum(one.state != "success" and name_of(one) in UNSURE for one in endings)
    why = f"{', '.join(str(one)[:400] for one in endings)}; {dict(effects)}"
    for name, right in case.effects.items():
        found = effects.get(name, 0)
        least, most = (good, good + unsure) if case.anew else (min(good, 1), min(good + unsure, 1))
        if found < right * least:
            return Verdict("lost", why)
        if found > right * (most + spare):
            return Verdict(_too_often(case, endings, good + unsure, found > right * max(len(endings), 1)), why)
    if good == len(endings):
        return Verdict("right")
    return Verdict("unsure" if unsure else "loud", why)


def _too_often(case: Case, endings: list[Ending], counted: int, twice: bool) -> str:
    telling = any(told(one) for one in endings)
    if case.settable and (counted or telling):
        return "repeated"
    if telling:
        return "reported" if counted or twice else "unsure"
    return "undetected" if counted or twice else "wrong"


def name_of(ending: Ending) -> str:
    """The name of the error with which an attempt ended."""
    return str(ending.error).partition(":")[0]


def told(ending: Ending) -> bool:
    """Whether an ending says that something may be there twice, or that it may have happened."""
    if ending.state != "success":
        return name_of(ending) in UNSURE or SAYING.search(_text(ending)) is not None
    return _named(ending.result)


def _text(ending: Ending) -> str:
    cause = ending.error.__cause__ if ending.error is not None else None
    notes = getattr(cause, "__notes__", [])
    return " ".join([str(ending.error), *notes])


def _named(result: Any) -> bool:
    if isinstance(result, Mapping):
        return any(bool(value) if key in TELLING else _named(value) for key, value in result.items())
    return False
