"""What a story came to, judged by what the service did and never by what the client says of it.

right      the champion is the target, one replacement, one change request where people decide
loud       the task failed, and nothing was replaced
unsure     the task failed and says that it cannot know, or that the work goes on; the replacement happened once or not
reported   something happened twice, and the task failed or its result names it
wrong      everything else; the text says what
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.harness import BEFORE, GOVERNED, V3, Ending, Stage

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

UNSURE = ("OutcomeUnknown", "WaitTimedOut", "PollBudgetSpent", "ForeignLocation")
LATER = 7200.0  # seconds after the end of a task within which everything has happened that will happen


@dataclass(frozen=True)
class Facts:
    """What the service did."""

    champion: str
    replaced: int
    requests: int
    accepted: dict[str, int]

    @classmethod
    def of(cls, service: EmulatorDoor, deployment_id: str) -> Facts:
        return cls(
            champion=service.world("deployments")[deployment_id]["modelPackageId"],
            replaced=service.count("modelReplaced", deployment_id),
            requests=service.count("changeRequestCreated"),
            accepted=service.accepted(),
        )


@dataclass(frozen=True)
class Verdict:
    """One of the words above, and why."""

    word: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.why}" if self.why else self.word


def verdict_on(stage: Stage, ending: Ending, deployment: str, *, requests: tuple[int, int] | None = None) -> Verdict:
    """The verdict on a task that should make V3 the champion, after everything has happened that will happen."""
    stage.sleep(LATER)
    usual = (1, 1) if deployment == GOVERNED else (0, 0)
    facts = Facts.of(stage.service, deployment)
    return judge(ending, facts, target=V3, before=BEFORE[deployment], requests=requests or usual)


def judge(ending: Ending, facts: Facts, *, target: str, before: str, requests: tuple[int, int]) -> Verdict:
    """The verdict on a task that should make ``target`` the champion with so many change requests (least, most)."""
    twice = facts.replaced > 1 or facts.requests > requests[1]
    if ending.state == "success":
        return _on_success(ending.result, facts, target, requests[0], twice)
    name = str(ending.error).partition(":")[0]
    if twice:
        return Verdict("reported", name)
    if facts.replaced == 0 and facts.champion == before:
        return Verdict("loud", name)
    if facts.champion == target and name in UNSURE:
        return Verdict("unsure", name)
    return Verdict("wrong", f"failed with {ending.error}, and the champion is {facts.champion}: {facts}")


def _on_success(result: Any, facts: Facts, target: str, least: int, twice: bool) -> Verdict:
    if facts.champion != target or facts.replaced == 0:
        return Verdict("wrong", f"success, and the champion is {facts.champion}: {facts}")
    if result["champion"]["model_package_id"] != target:
        return Verdict("wrong", f"the result names another champion: {result}")
    if twice:
        told = result.get("sent_twice") or (result["change_request"] or {}).get("duplicates")
        return Verdict("reported" if told else "wrong", f"{'' if told else 'silent duplicate: '}{facts}")
    if facts.requests < least:
        return Verdict("wrong", f"a change request is missing: {facts}")
    return Verdict("right")


def tally(verdicts: list[tuple[str, Verdict]]) -> tuple[Counter[str], list[str]]:
    """How often each word, and the stories that went wrong."""
    words = Counter(verdict.word for _, verdict in verdicts)
    return words, [f"{story}: {verdict.why}" for story, verdict in verdicts if verdict.word == "wrong"]
