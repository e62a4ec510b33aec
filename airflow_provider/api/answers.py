"""What came back, read leniently and only when it is asked for: no answer is refused for what nobody needs of it."""

from __future__ import annotations

import email.utils
import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_provider.api.errors import DataRobotError, KeyMissing, NotUnderstood, error_class
from airflow_provider.api.moments import aware
from airflow_provider.contract.secrets import scrub, scrub_value

DEPTH = 100  # levels of JSON; whoever walks through it later, Airflow too, may fail where parsing did not
TOO_DEEP = f"the JSON is nested more than {DEPTH} levels deep"
SHOWN = 300  # characters of a server's own words that an error shows when they are not JSON
REQUEST_ID = ("x-request-id", "x-datarobot-request-id")  # the first that is there counts
TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


class Object(dict[str, Any]):
    """A JSON object of an answer: a documented key that is needed and absent raises :class:`KeyMissing`."""

    __slots__ = ("about",)
    about: dict[str, Any]  # what an error says of the answer

    def __missing__(self, key: str) -> Any:
        raise KeyMissing(f"the answer has no key {key!r}", **getattr(self, "about", {}))


@dataclass(frozen=True)
class Answer:
    """What the service said. Header names are in lower case; ``url_path`` is the asked path, without its query."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # they and the content may repeat what nobody shall see
    content: bytes = field(repr=False)
    url_path: str
    operation: str = ""

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters; '' where none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def location(self) -> str | None:
        """The Location header as it came; :func:`local_path` makes a path of it."""
        return self.headers.get("location")

    @property
    def date(self) -> datetime | None:
        """The service's own clock (Date header), with zone."""
        return _http_date(self.headers.get("date"))

    @property
    def request_id(self) -> str | None:
        """The service's name for this exchange, for its support (wire.md B)."""
        return request_id_in(self.headers)

    @property
    def retry_after(self) -> float | None:
        """Seconds that the service asks to wait; a point in time is read relative to the answer's own Date."""
        given = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d+(\.\d+)?", given):
            return float(given)
        until, now = _http_date(given), self.date
        return max(0.0, (until - now).total_seconds()) if until and now else None

    def json(self) -> Any:
        """The body, parsed once; None where it is empty. Raises :class:`NotUnderstood` where it is no JSON."""
        return self._json

    def object(self) -> dict[str, Any]:
        """The body where it must be a JSON object; raises :class:`NotUnderstood` otherwise."""
        found = self.json()
        if not isinstance(found, dict):
            kind = "nothing" if found is None else type(found).__name__
            raise self._not_understood(f"a JSON object was expected, not {kind}")
        return found

    def require(self, key: str) -> Any:
        """The value of a key that is needed; raises :class:`KeyMissing` that names operation and key."""
        return self.object()[key]

    @functools.cached_property
    def _json(self) -> Any:
        if not self.content.strip():
            return None
        if self.content_type and self.content_type != "application/json" and not self.content_type.endswith("+json"):
            raise self._not_understood(f"JSON was expected, not {self.content_type}")
        found, wrong = self._parsed()
        if wrong:
            raise self._not_understood(wrong)
        return found

    def _parsed(self) -> tuple[Any, str]:
        """The body and what is wrong with it; the parser's own error would carry the whole text along."""
        try:
            found = json.loads(self.content, object_pairs_hook=self._object)
        except ValueError:
            return None, "the body is no JSON, or only a part of it"
        except RecursionError:
            return None, TOO_DEEP
        return found, TOO_DEEP if _is_deep(found) else ""

    def _object(self, pairs: list[tuple[str, Any]]) -> Object:
        found = Object(pairs)
        found.about = self._about
        return found

    def _not_understood(self, text: str) -> NotUnderstood:
        return NotUnderstood(text, **self.about())

    def about(self) -> dict[str, Any]:
        """What an error says of this answer: ``operation``, ``status`` and ``request_id``."""
        return dict(self._about)

    @functools.cached_property
    def _about(self) -> dict[str, Any]:
        operation = self.operation or self.url_path
        return {"operation": operation, "status": self.status, "request_id": self.request_id}


def request_id_in(headers: Mapping[str, str]) -> str | None:
    """The service's name for an exchange, as far as the headers of an answer (in lower case) tell it."""
    return next((headers[name] for name in REQUEST_ID if headers.get(name)), None)


def error_from(answer: Answer, operation: str, secrets: Iterable[str] = ()) -> DataRobotError:
    """The error that an answer stands for; ``secrets`` are texts that must not survive an echo."""
    known = tuple(secrets)
    body = _body(answer)
    # Masked by field and by literal text: a validation text may hang on the name of a secret field.
    fields = body.get("errors") if isinstance(body, Mapping) else None
    return error_class(answer.status)(
        _message(answer, body, known),
        operation=operation,
        status=answer.status,
        request_id=scrub(answer.request_id, known)[:SHOWN] if answer.request_id else None,
        errors=scrub_value(fields, known) if isinstance(fields, Mapping) else None,
        retry_after=answer.retry_after,
        location=answer.location,
        body=scrub_value(body, known),
    )


def _is_deep(value: Any) -> bool:
    """Level by level, because a walk that goes down would itself be the victim."""
    level = [value]
    for _ in range(DEPTH):
        level = [
            below
            for one in level
            if isinstance(one, (dict, list))
            for below in (one.values() if isinstance(one, dict) else one)
            if isinstance(below, (dict, list))
        ]
        if not level:
            return False
    return True


def _body(answer: Answer) -> Any:
    try:
        return answer.json()
    except NotUnderstood:
        return None


def _message(answer: Answer, body: Any, secrets: Iterable[str]) -> str:
    told: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    for key in ("message", "detail", "error"):
        if isinstance(told.get(key), str) and told[key].strip():
            return scrub(told[key], secrets).strip()
    if answer.location and 300 <= answer.status < 400:
        target = scrub(answer.location.partition("?")[0], secrets)
        return f"redirected to {target}, which is not followed; check scheme and path of the endpoint"
    # Scrubbed before it is cut: a part of a secret would not be found any more.
    text = scrub(answer.content[:20_000].decode("utf-8", "replace"), secrets).strip()
    if "html" in answer.content_type or text[:1] == "<":
        title = TITLE.search(text)
        return f"a web page{f' titled {title[1].strip()[:SHOWN]!r}' if title else ''}, not this API"
    if not text or isinstance(body, Mapping):
        return "no message"
    if text[:1] in "{[":  # not shown as it is: only what can be parsed can be masked
        return "no message, and a body of an unknown form" if body is not None else "a JSON body that is cut"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _http_date(text: str | None) -> datetime | None:
    try:
        return aware(email.utils.parsedate_to_datetime(text or ""))
    except ValueError:
        return None
