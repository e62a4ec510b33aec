"""The faults, and which requests can meet them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tests.faults.case import Case
    from tests.faults.proxy import Deed
    from tests.faults.wire import Wire
    from tests.harness import Stage

On = Literal["any", "writes", "jobs", "story"]


@dataclass(frozen=True)
class Kind:
    """One fault.

    :param on: which requests meet it: any, those that change something, those that start a job; or the whole story.
    :param emulator: the fault of the emulator, with its parameters.
    :param network: what the network does to the request or its answer (see ``wire.py``).
    :param clock: seconds that the service's clock jumps at that moment.
    :param times: how many requests in a row.
    :param stops: the remote work ends badly, so another attempt may begin it anew.
    """

    on: On
    emulator: Mapping[str, Any] = field(default_factory=dict)
    network: Deed | Literal["full", ""] = ""
    clock: float = 0.0
    times: int = 1
    stops: bool = False

    def set(self, stage: Stage, wire: Wire, case: Case, nth: int) -> None:
        """Plans it for the nth request from now on."""
        if self.emulator:
            counted = {} if self.on == "story" else {"user": case.username, "nth": nth, "times": self.times}
            stage.service.fault(**{**self.emulator, **counted})
        if self.network:
            wire.plan(self.network, nth, self.times)
        if self.clock and self.on == "story":
            jump(stage, self.clock)
        elif self.clock:
            wire.at(nth, lambda: jump(stage, self.clock))


def jump(stage: Stage, seconds: float) -> None:
    """The service's clock is so much ahead of where it was."""
    stage.service.clock(offset=stage.service.clock()["offset"] + seconds)


def _status(code: int, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "code": code, "body": {"message": "An injected fault."}, **more}


def _late(seconds: float, answer: str | int) -> dict[str, Any]:
    return {"kind": "late_commit", "answer": answer, "seconds": seconds}


KINDS: Mapping[str, Kind] = {
    "connection refused": Kind("any", network="refuse"),
    "refused for a while": Kind("any", network="refuse", times=9),
    "connect timeout": Kind("any", network="full"),
    "read timeout before commit": Kind("any", network="silent before"),
    "read timeout after commit": Kind("any", network="silent after"),
    "reset before commit": Kind("any", network="reset before"),
    "reset after commit": Kind("any", network="reset after"),
    "answer cut in its headers": Kind("any", network="cut head"),
    "answer cut in its body": Kind("any", network="cut body"),
    "504 after commit": Kind("writes", {"kind": "lost_answer", "answer": 504}),
    "committed 30 s later, 504": Kind("writes", _late(30, 504)),
    "committed 55 s later, reset": Kind("writes", _late(55, "reset")),
    "committed 90 s later, 504": Kind("writes", _late(90, 504)),
    "committed 10 min later, reset": Kind("writes", _late(600, "reset")),
    "401 once": Kind("any", _status(401)),
    "401 for a while": Kind("any", _status(401), times=9),
    "403 once": Kind("any", _status(403)),
    "403 for a while": Kind("any", _status(403), times=9),
    "408": Kind("any", _status(408)),
    "409": Kind("any", _status(409)),
    "413": Kind("any", _status(413)),
    "429": Kind("any", _status(429)),
    "429 with Retry-After": Kind("any", {"kind": "retry_after", "code": 429, "seconds": 30}),
    "429 with a date": Kind("any", {"kind": "retry_after", "code": 429, "seconds": 45, "as_date": True}),
    "500": Kind("any", _status(500)),
    "502, HTML page": Kind("any", {"kind": "html_page", "code": 502}),
    "503": Kind("any", _status(503)),
    "503 for a while": Kind("any", _status(503), times=9),
    "504": Kind("any", _status(504)),
    "truncated JSON": Kind("any", network="half JSON"),
    "wrong content type": Kind("any", {"kind": "content_type", "value": "text/plain"}),
    "no content type": Kind("any", {"kind": "content_type", "value": None}),
    "200, HTML page": Kind("any", {"kind": "html_page", "code": 200}),
    "empty body": Kind("any", {"kind": "empty_body"}),
    "missing Location": Kind("jobs", {"kind": "missing_location"}),
    "relative Location": Kind("jobs", {"kind": "relative_location"}),
    "foreign Location": Kind("jobs", {"kind": "foreign_location"}),
    "200 instead of 202": Kind("story", {"kind": "lie", "name": "200_instead_of_202"}),
    "job stays INITIALIZED": Kind("jobs", {"kind": "stuck_job"}, stops=True),
    "job EXPIRED": Kind("jobs", {"kind": "expired_job"}, stops=True),
    "job ERROR": Kind("jobs", {"kind": "failed_job"}, stops=True),
    "404 on status": Kind("jobs", {"kind": "job_404"}),
    "service 10 min ahead": Kind("story", clock=600.0),
    "service 10 min behind": Kind("story", clock=-600.0),
    "service clock jumps ahead": Kind("any", clock=600.0),
    "service clock jumps back": Kind("any", clock=-600.0),
}
