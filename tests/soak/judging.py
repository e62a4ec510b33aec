"""What came of a run: figures of what was seen, and every wait held against the service's store.

A wait that is done, failed or too late must be so in the store, and not before it is. The bounds stand here.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.soak.figures import figures
from tests.soak.work import JSON

TABLES = ("jobs", "dataExports", "changeRequests", "retrainingRuns")
RESULT = Path(__file__).parents[2] / "docs" / "parts" / "soak.json"
GROWN = {"memory": 4.0, "descriptors": 8.0, "connections": 8.0, "threads": 2.0}  # in the second half; memory in MB
LONG = 900.0  # seconds from which on growth is judged: connections of a token that was changed last five minutes
CONNECTIONS = 64  # for each connection record and token in use
LAG = 100.0  # milliseconds, at the 99th percentile
REFUSED_AFTER = 20.0  # seconds after which a token that was refused must not be felt any more
SHOWN = 40  # lines about what is wrong
SLACK = 2.0  # seconds between what happens and what is seen of it


def judge(folder: Path, told: Mapping[str, Any], keep: bool) -> int:
    """Prints the figures and what is wrong, draws the picture; 1 when anything is wrong."""
    run, rest = (json.loads((folder / f"{name}.json").read_text()) for name in ("run", "rest"))
    waits = waits_of(folder, run)
    found = {**told, **figures(folder, run), "waits ended": waits, "storms": run["met"]}
    wrong = waits.pop("wrong")
    beyond = list(bounds(found, rest))
    found |= {"wrong": len(wrong), "beyond": len(beyond)}
    sys.stdout.write("\n".join([json.dumps(found, indent=1), *wrong[:SHOWN], *beyond[:SHOWN], ""]))
    if keep:
        RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(folder, keep)
    return 1 if wrong or beyond else 0


def draw(folder: Path, keep: bool) -> None:
    """The picture, where matplotlib is there."""
    from tests.soak.picture import picture

    picture(folder, RESULT.parents[1] / "soak.png" if keep else folder / "soak.png")


def bounds(found: Mapping[str, Any], rest: Mapping[str, Any]) -> Iterator[str]:
    """What is beyond its bound."""
    grown = found["grown in the second half"]
    for name, bound in GROWN.items():
        if grown[name] > bound and found["seconds"] >= LONG:
            yield f"{name} grew by {grown[name]:.1f} in the second half, more than {bound}"
    if found["connections"]["most"] > 4 * CONNECTIONS:
        yield f"{found['connections']['most']} connections, more than {CONNECTIONS} for each of four tokens"
    if found["late by itself"]["p99"] >= LAG:
        yield f"the loop woke up {found['late by itself']['p99']} ms late at the 99th percentile"
    yield from (line for line in found["blocked"].pop("by itself"))
    if rest["left"]:
        yield f"{rest['left']} triggers are left in the database"
    if rest["strange"]:
        yield f"events of waits that were over: {rest['strange'][:9]}"
    if rest["sampling"]:
        yield f"sampling broke off: {rest['sampling']}"


def waits_of(folder: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """Each wait against the store: counts of verdicts by kind, how soon an end was seen, and what is wrong."""
    works, stores = (json.loads((folder / f"{name}.json").read_text()) for name in ("works", "stores"))
    spells = [one for one in run["weather"] if one["name"] == "refuses the token"]
    counts: dict[str, Counter[str]] = {}
    wrong: list[str] = []
    after: list[float] = []
    for work in works.values():
        verdict = verdict_of(work, stores[work["tenant"]], spells)
        counts.setdefault(work["kind"], Counter())[verdict.partition(":")[0]] += 1
        if verdict.startswith(("lost", "wrong")):
            wrong.append(f"{verdict}: {work}")
        elif _by_the_director(work, stores[work["tenant"]]) and verdict in ("done", "failed"):
            after.append(work["arrived"] - work["ended"])
    after.sort()
    seen = {name: round(after[int(share * (len(after) - 1))], 1) for name, share in (("p50", 0.5), ("p99", 0.99))}
    return {"by kind": counts, "seen after": {**seen, "most": round(after[-1], 1)}, "wrong": wrong}


def verdict_of(work: JSON, store: Mapping[str, Mapping[str, JSON]], refused: list[dict[str, Any]]) -> str:
    """``done``, ``failed``, ``timed_out`` or ``refused`` where it is right; ``lost`` or ``wrong``, and why."""
    if work["arrived"] is None:
        return "lost: no event"
    event = work["event"].get("event") or {}
    outcome = str(event.get("outcome"))
    if "answered 401" in str(event.get("reason")):
        in_time = any(
            one["tenant"] == work["tenant"] and one["from"] <= work["arrived"] <= one["to"] + REFUSED_AFTER
            for one in refused
        )
        return "refused" if in_time else "wrong: refused a good token"
    if outcome == "timed_out":
        too_early = work["deadline"] is None or work["arrived"] < work["deadline"]
        return "wrong: too early a deadline" if too_early or _ended_by_deadline(work) else outcome
    if _by_the_director(work, store) and work["arrived"] < work["ended"] - SLACK:
        return f"wrong: {outcome} before the end"
    wanted = wanted_of(work, store)
    said = (outcome, (event.get("result") or {}).get("outcome") if work["kind"] == "change request" else None)
    return outcome if said == wanted else f"wrong: {said}, not {wanted}"


def _by_the_director(work: JSON, store: Mapping[str, Mapping[str, JSON]]) -> bool:
    """Whether it ended when the director ended it; a lost job is over for its wait before it is over."""
    if work["kind"] == "retraining":
        return bool(work["ended"]) and store["retrainingRuns"][work["id"]]["state"] == "cancelled"
    return bool(work["ended"]) and work["kind"] != "until" and work["how"] != "lost"


def _ended_by_deadline(work: JSON) -> bool:
    return bool(work["ended"]) and work["ended"] < work["deadline"] - SLACK


def wanted_of(work: JSON, store: Mapping[str, Mapping[str, JSON]]) -> tuple[str, str | None]:
    """The outcome that the store stands for, and the status of a change request."""
    if work["kind"] == "until":
        return ("done" if work["arrived"] >= work["ends"] else "early"), None
    if work["kind"] == "change request":
        return "done", store["changeRequests"][work["id"]]["status"]
    if work["kind"] == "export":
        return ("done" if store["dataExports"][work["id"]]["outcome"] == "SUCCEEDED" else "failed"), None
    if work["kind"] == "retraining":
        return ("done" if store["retrainingRuns"][work["id"]]["state"] == "finished" else "failed"), None
    job = store["jobs"][work["id"]]
    return ("done" if job["state"] == "COMPLETED" and not job["plan"].get("lost") else "failed"), None
