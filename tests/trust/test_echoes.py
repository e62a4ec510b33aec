"""Every operator that writes, while the service repeats what it is sent: no word of it is kept anywhere.

A share that is drawn by a seed; ``ECHOES=800`` draws more, ``ECHOES=all`` plays every case with every echo at every
request (``make test-echoes``).
"""

from __future__ import annotations

import inspect
import os
import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.case import Case, kind_of
from tests.faults.registry import all_cases
from tests.harness import dice
from tests.trust.leaving import Lines, kept, lines
from tests.trust.mirror import ECHOES
from tests.trust.scanning import TOKENS, in_text
from tests.trust.theatre import GATEWAY, EchoTheatre, echo_theatre

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

__all__ = ["lines"]

ALL = os.environ.get("ECHOES") == "all"
SHARE = 40 if ALL else int(os.environ.get("ECHOES", "40"))  # stories that are drawn
SECRET, HEADER = "s3cret-of-the-hook", "private-header-of-the-hook"
PASSWORD, CREDENTIAL = "pa55word-of-a-body", "cr3dential-of-a-body"
WORDS = (*TOKENS, GATEWAY, SECRET, HEADER, PASSWORD, CREDENTIAL)
# What the contract calls a secret, in a body of any operation that takes one.
EXTRA = {"password": PASSWORD, "credentialData": {"key": CREDENTIAL}}
HOOK = {"secret_token": SECRET, "custom_headers": {"X-T": HEADER}}
SECRET_ARGUMENTS: dict[str, dict[str, Any]] = {
    "notification_channels.CreateNotificationChannel": HOOK,
    "notification_channels.UpdateNotificationChannel": HOOK,
    "webhook_tests.TestWebhookChannel": HOOK,
}


@dataclass(frozen=True)
class Story:
    """A case in one way, an echo at its nth request and at all after it, or at that one alone."""

    case: Case
    store: bool
    deferrable: bool
    echo: str
    nth: int
    times: int
    extra: bool

    def __str__(self) -> str:
        how = f"{'store' if self.store else 'no store'}, {'deferred' if self.deferrable else 'in place'}"
        return f"{self.case.name} ({how}, extra={self.extra}), {self.echo} at #{self.nth} x {self.times}"


@pytest.fixture(scope="module")
def played(datarobot_emulator_server: EmulatorDoor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoTheatre]:
    """One theatre for all: what a good run asks for is found out once."""
    folder = tmp_path_factory.mktemp("echoes")
    with pytest.MonkeyPatch.context() as patches, echo_theatre(datarobot_emulator_server, folder, patches) as found:
        yield found


@pytest.fixture(autouse=True)
def _known_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*written out in the DAG file")
        warnings.filterwarnings("ignore", "(?s).*deprecated")
        yield


def stories(theatre: EchoTheatre, case: Case, seed: int = 20260302) -> Iterator[Story]:
    """Every echo at every request of a case, each in one way that is drawn."""
    chance = dice(seed)
    for echo in ECHOES:
        store, deferrable = chance.choice((True, False)), chance.choice((True, False))
        for nth in range(1, theatre.requests(case, store, deferrable) + 1):
            yield Story(case, store, deferrable, echo, nth, *_rest(chance, case))


def drawn(theatre: EchoTheatre, count: int, seed: int = 20260302) -> Iterator[Story]:
    """So many stories; each case, echo and request is as likely as any other."""
    chance, cases = dice(seed), list(all_cases().values())
    for _ in range(count):
        case, echo = chance.choice(cases), chance.choice(list(ECHOES))
        store, deferrable = chance.choice((True, False)), chance.choice((True, False))
        nth = chance.randint(1, theatre.requests(case, store, deferrable))
        yield Story(case, store, deferrable, echo, nth, *_rest(chance, case))


def _rest(chance: random.Random, case: Case) -> tuple[int, bool]:
    takes = "extra_body" in inspect.signature(kind_of(case.operator).__init__).parameters
    return chance.choice((1, 99)), takes and chance.random() < 0.5


def left(theatre: EchoTheatre, story: Story, lines: Lines) -> str:
    """Plays a story; all that it leaves."""
    case, more = story.case, dict(SECRET_ARGUMENTS.get(story.case.operator, {}))
    if story.extra:
        more["extra_body"] = {**case.given.get("extra_body", {}), **EXTRA}
    lines.clear()
    theatre.way.mirror.echo = ECHOES[story.echo]
    task = theatre.play(case, story.store, story.deferrable, story.nth, story.times, more)
    return kept(task) + lines.ours


def leaks(theatre: EchoTheatre, lines: Lines, played: Sequence[Story]) -> list[str]:
    """Each word that must not be anywhere, where it was found; and errors of which nobody would know what to make."""
    found = []
    for story in played:
        try:
            text = left(theatre, story, lines)
        except AssertionError as stray:
            found.append(f"{story}\n    {stray}")
            continue
        for word in in_text(text, WORDS):
            at = text.index(word)
            found.append(f"{word}: {story}\n    {text[max(at - 300, 0) : at + 100]!r}")
    return found


def test_what_is_repeated_is_kept_nowhere(played: EchoTheatre, lines: Lines) -> None:
    some, before = list(drawn(played, SHARE)), played.way.mirror.heard
    found = leaks(played, lines, some)
    assert found == [], f"{len(found)} of {len(some)} stories:\n" + "\n".join(found)
    assert played.way.mirror.heard - before > len(some) / 2


@pytest.mark.skipif(not ALL, reason="ECHOES=all plays them all")
@pytest.mark.parametrize("name", all_cases() if ALL else ["none"])
def test_every_echo_of_a_case(played: EchoTheatre, lines: Lines, name: str) -> None:
    found = leaks(played, lines, list(stories(played, all_cases()[name])))
    assert found == [], "\n".join(found)


def test_the_echo_reaches_what_is_looked_through(played: EchoTheatre, lines: Lines) -> None:
    """A control: what is no secret in the same echo is kept, and lines of all three are read."""
    case = all_cases()["CreateNotificationChannel"]
    nth = played.requests(case, True, True)  # the write
    text = left(played, Story(case, True, True, "422, everywhere", nth, 1, True), lines)
    assert in_text(text, ["http://127.0.0.1:9/a", "x-key: ***", "Bearer ***", "'secretToken': '***'"]) == [
        "http://127.0.0.1:9/a",
        "x-key: ***",
        "Bearer ***",
        "'secretToken': '***'",
    ]
    assert "state=intended operation=createNotificationChannel" in lines.ours
    assert "send_request_headers" in lines.ours
