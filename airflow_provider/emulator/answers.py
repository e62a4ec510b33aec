"""What goes back to the client: answers, refusals, pages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

JSON = "application/json"  # exactly so, also on errors: wire.md B
PIECE = 262_144  # bytes of a file that are held in memory


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer before it becomes bytes.

    ``body`` is a JSON value, or None for an empty body; ``raw`` wins over it, and ``file`` over both. ``span`` is the
    part of the file that is meant: first byte, and the one after the last.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = JSON
    raw: bytes | None = None
    file: Path | None = None
    span: tuple[int, int] | None = None

    @property
    def length(self) -> int | None:
        """How many bytes of a file it carries; None without a file."""
        if self.file is None:
            return None
        start, end = self.span or (0, self.file.stat().st_size)
        return end - start

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        if self.raw is not None:
            return self.raw
        return b"" if self.body is None else json.dumps(self.body).encode()

    def with_headers(self, **headers: str | None) -> Answer:
        """The same answer with other headers; None takes one away. Underscores stand for hyphens."""
        merged: dict[str, str | None] = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return replace(self, headers={name: value for name, value in merged.items() if value is not None})


class Refusal(Exception):
    """The service says no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}: {answer.body}")
        self.answer = answer


def refuse(status: int, message: str, errors: Mapping[str, Any] | None = None) -> Refusal:
    """A refusal ``{"message": ..., "errors": {...}}``, wire.md B."""
    body: dict[str, Any] = {"message": message}
    if errors:
        body["errors"] = dict(errors)
    return Refusal(Answer(status, body))


def refuse_by_switch(value: str, message: str) -> Refusal:
    """A refusal with the status that a switch value such as ``refuse_409`` names."""
    return refuse(int(value.removeprefix("refuse_")), message)


def invalid(faults: Sequence[str]) -> Refusal:
    """422 with the faults of the contract check, each below the field it belongs to."""
    errors: dict[str, Any] = {}
    for fault in faults:
        text, _, path = fault.rpartition(" @ ")
        _put(errors, path.replace("[", ".").replace("]", "").split(".")[1:] or ["body"], text)
    return refuse(422, "Invalid field data", errors)


def _put(errors: dict[str, Any], path: list[str], text: str) -> None:
    *parents, last = path
    place = errors
    for name in parents:
        below = place.get(name)
        if not isinstance(below, dict):
            below = place[name] = {}
        place = below
    place.setdefault(last, text)


def empty(status: int, **headers: str) -> Answer:
    """An answer without a body."""
    return Answer(status, content_type=None).with_headers(**headers)


def page(rows: Sequence[Any], url: str, arguments: Mapping[str, Any], default_limit: int) -> dict[str, Any]:
    """One page with all five keys; ``next`` and ``previous`` are absolute and keep the filters (wire.md C).

    :param url: absolute address of the list, without a query
    :param arguments: the query as it was understood; limit 0 means all
    """
    offset = max(arguments.get("offset") or 0, 0)
    asked = arguments.get("limit")
    limit = max(default_limit if asked is None else asked, 0) or max(len(rows), 1)
    part = list(rows[offset : offset + limit])

    def link(start: int) -> str:
        query = {**arguments, "offset": start, "limit": limit}
        return f"{url}?{urlencode(query, doseq=True)}"

    return {
        "count": len(part),
        "totalCount": len(rows),
        "next": link(offset + limit) if offset + limit < len(rows) else None,
        "previous": link(max(offset - limit, 0)) if offset else None,
        "data": part,
    }


def pieces(answer: Answer, share: float = 1.0) -> Iterator[bytes]:
    """The bytes of the body, or of its first part, a file piece by piece.

    :param share: how much of it, 0 to 1
    """
    if answer.file is None:
        yield answer.content[: int(len(answer.content) * share)]
        return
    left = int((answer.length or 0) * share)
    with answer.file.open("rb") as file:
        file.seek(answer.span[0] if answer.span else 0)
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
