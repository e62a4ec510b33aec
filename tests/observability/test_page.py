"""docs/observability.md: each line that it quotes is one that a task writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import UNGOVERNED, V3, replacing
from tests.trust.leaving import Lines, lines

if TYPE_CHECKING:
    from tests.harness import Stage

__all__ = ["lines"]

PAGE = (Path(__file__).parents[2] / "docs" / "observability.md").read_text()
# What differs from run to run: ids, digests, times, seconds.
CHANGES = re.compile(r"[0-9a-f]{24}|(?<=work=)[0-9a-f]{8}|\d{4}-\d\d-\d\dT[\d:]+Z|(?<=seconds=)\d+|(?<= )\d+(?= in a)")
FAULTS: dict[str, dict[str, Any]] = {
    "stuck": {"kind": "stuck_job"},
    "a page": {"kind": "status", "code": 502, "body": "<title>Bad gateway</title>", "content_type": "text/html"},
    "401": {"kind": "status", "code": 401, "body": {"message": "Invalid or expired token."}},
    "404": {"kind": "status", "code": 404, "body": {"message": "Not found."}},
    "a word": {"kind": "status", "code": 200, "body": {"status": "PARKED"}},
}
QUOTED = {
    "stuck": ["status is RUNNING"],
    "a page": ["error 12 in a row: getStatus answered 502: ...", "PollBudgetSpent"],
    "401": [
        "The token was refused; the connection datarobot_default is read again.",
        "outcome=refused",
        "PollBudgetSpent: the look was refused: getStatus answered 401: ...",
    ],
    "404": ["not found (2): getStatus answered 404: ..."],
    "a word": ["the service says 'PARKED', a word that no page has"],
}


def like(quoted: str) -> re.Pattern[str]:
    """Fits lines as the quoted one, whatever its ids are; three dots stand for anything."""
    parts = [CHANGES.sub("<>", part) for part in quoted.split("...")]
    return re.compile(".*".join(re.escape(part).replace("<>", r"[\w:-]+") for part in parts))


def test_the_lines_of_a_replacement(stage: Stage, lines: Lines) -> None:
    assert replacing(stage, UNGOVERNED).run().state == "success"
    found = [str(one["event"]) for one in lines.told]
    quoted = PAGE.split("```text\n")[1].split("\n```")[0].splitlines()
    assert len(found) == len(quoted), found
    assert [(one, text) for one, text in zip(quoted, found, strict=True) if not like(one).fullmatch(text)] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_last_looks_saw(stage: Stage, lines: Lines, fault: str) -> None:
    given = {"operationId": "getStatus", **FAULTS[fault]} if "code" in FAULTS[fault] else FAULTS[fault]
    stage.service.fault(**given, times=0)
    ending = replacing(stage, UNGOVERNED, retries=0, apply_timeout=2400).run()
    told = "\n".join([*(str(one["event"]) for one in lines.told), str(ending)])
    assert [one for one in QUOTED[fault] if f"`{one}`" not in PAGE or not like(one).search(told)] == []


def test_a_plan_says_that_it_would_wait(stage: Stage, lines: Lines) -> None:
    stage.service.fault("stuck_job", times=0)
    stage.desk("requester").replace(UNGOVERNED, V3)
    result = replacing(stage, UNGOVERNED, retries=0, plan_only=True).run().result
    assert set(result) == {"plan", "waits_for"}
    assert f'`{{"plan": {result["plan"]}, "waits_for": ...}}`' in PAGE
    quoted = "plan_only: the task would wait first: another replacement is under way."
    assert f"`{quoted}`" in PAGE
    assert quoted in [one["event"] for one in lines.told]
