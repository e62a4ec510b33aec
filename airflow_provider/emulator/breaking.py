"""How a fault spoils an exchange: the answer given instead, or the answer made worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from airflow_provider.contract.model import API_ROOT
from airflow_provider.emulator.answers import Answer

if TYPE_CHECKING:
    from airflow_provider.emulator.clock import Clock
    from airflow_provider.emulator.faults import Fault

GATEWAY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
RESET = "reset"


def instead(fault: Fault, clock: Clock) -> Answer | str | None:
    """What a fault answers without doing anything: an answer, ``reset``, or None if it is not of that sort."""
    wanted = fault.parameters
    match fault.kind:
        case "status":
            body = wanted["body"]
            raw = body.encode() if isinstance(body, str) else None
            headers = {name: str(value) for name, value in wanted["headers"].items()}
            return Answer(wanted["code"], None if raw is not None else body, headers, wanted["content_type"], raw)
        case "retry_after":
            headers = {"Retry-After": _retry_after(wanted["seconds"], clock, as_date=wanted["as_date"])}
            return Answer(wanted["code"], {"message": "Too many requests, try again later."}, headers)
        case "html_page":
            return Answer(wanted["code"], content_type="text/html; charset=utf-8", raw=GATEWAY_PAGE)
        case "reset":
            return RESET
    return None


def _retry_after(seconds: float, clock: Clock, *, as_date: bool) -> str:
    if as_date:
        return format_datetime(datetime.fromtimestamp(clock.now() + seconds, UTC), usegmt=True)
    return str(max(round(clock.real_seconds(seconds)), 1))


def lost(answer: Any) -> Answer | str:
    """What the client gets while the work is done or will be: ``reset``, or a gateway's error."""
    return RESET if answer == RESET else Answer(answer, {"message": "The upstream did not answer in time."})


def worse(fault: Fault, answer: Answer, base_url: str) -> Answer | str:
    """The answer as this fault lets it through; ``reset`` for none at all."""
    location = answer.headers.get("Location")
    match fault.kind:
        case "lost_answer":
            return lost(fault.parameters["answer"])
        case "empty_body":
            return Answer(answer.status, None, answer.headers, answer.content_type)
        case "content_type":
            return replace(answer, content_type=fault.parameters["value"])
        case "missing_location":
            return answer.with_headers(Location=None)
        case "relative_location" if location is not None:
            return answer.with_headers(Location=location[location.index(API_ROOT) :])
        case "foreign_location" if location is not None:
            return answer.with_headers(Location=location.replace(base_url, fault.parameters["origin"], 1))
    return answer
