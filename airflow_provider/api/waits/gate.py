"""A measured number until it is judged to pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from airflow_provider.api import judging, moving
from airflow_provider.api.endings import Ending
from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.readings import More, newest, reader
from airflow_provider.api.waits.verdicts import JSON, Done, Pending, Verdict, WaitAnswer


@dataclass(slots=True)
class GateWait:
    """A measured number until it is judged to pass, or (``until`` is ``data``) until there is anything to judge.

    ``reader`` names a module of ``readings``, ``of`` tells it which number, ``rule`` is a ``judging.Rule`` as plain
    JSON. Done gives the ``verdict``, with what it is ``about``. ``further`` and ``kept`` belong to a look that takes
    more than one answer; with ``of["newest_path"]`` the last of them tells how old the newest rows are. With
    ``of["rolls"]`` (hours) the window moves on by the ``Date`` of the service's answers; else it stays what it is.
    """

    kind: ClassVar[str] = "gate"
    absent: ClassVar[Ending] = "failed"
    path: str
    reader: str
    of: Mapping[str, Any]
    rule: Mapping[str, Any]
    until: str = "pass"
    about: JSON = field(default_factory=dict)
    further: str | None = None
    kept: JSON = field(default_factory=dict)

    def request(self) -> str:
        return self.further or self.path

    def roll(self, now: datetime | None) -> None:
        """Move the window on to the present hour; never back, and not where the service tells no time."""
        hours = int(self.of.get("rolls", 0))
        if not hours or now is None:
            return
        window = moving.window_at(now, hours)
        if window["end"] > str((self.about.get("window") or {}).get("end", "")):
            self.path, self.of = moving.moved(self.path, window), moving.told(self.of, window)
            self.about = {**self.about, "window": window}

    def receive(self, answer: WaitAnswer) -> Verdict:
        verdict = self.judged(answer)
        if verdict is None:
            return Pending("", at_once=True)
        if verdict.outcome == "pass" or (verdict.outcome == "fail" and self.until == "data"):
            return Done({"verdict": self.told(verdict)})
        self.roll(getattr(answer, "date", None))
        return Pending(f"{verdict.outcome}: {verdict.reason}")

    def judged(self, answer: WaitAnswer) -> judging.Verdict | None:
        """The verdict on what an answer says, None when another answer is needed first."""
        try:
            found = self._read(answer.json() or {})
        except KeyMissing as error:  # readers see bodies only
            error.request_id = error.request_id or getattr(answer, "request_id", None)
            raise
        if isinstance(found, More):
            self.further, self.kept = found.path, found.kept
            return None
        self.further, self.kept = None, {}
        return judging.judge(found, judging.Rule.from_json(self.rule))

    def _read(self, body: JSON) -> judging.Reading | More:
        if "reading" in self.kept:
            return newest.aged(judging.Reading(**self.kept["reading"]), body, self.of)
        found = reader(self.reader).read(body, self.of, self.kept)
        if isinstance(found, judging.Reading) and self.of.get("newest_path"):
            return More(self.of["newest_path"], {"reading": asdict(found)})
        return found

    def told(self, verdict: judging.Verdict) -> JSON:
        """A verdict as plain JSON, with what it is about."""
        return {**self.about, **verdict.to_json()}
