"""A paged list, one page after another, without sending: the driver sends ``call``, gives the answer to ``receive``.

Pages look like ``{count, next, previous, data}`` with or without ``totalCount`` (wire.md C). The end is a ``next``
that is null, empty or absent. Only the query of ``next`` counts: it is laid onto the list's own path, so that no
server can point the token elsewhere, and a list behind a proxy works whatever address the service thinks it has.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import NotUnderstood
from airflow_provider.api.messages import Call

PAGES = 10_000  # of one list; a million objects of a usual list


class Pages:
    """Where a list is being read; ``call`` is the next one to send, None at the end."""

    def __init__(self, first: Call) -> None:
        self.call: Call | None = first
        self._seen = {first.query}

    def receive(self, answer: Answer) -> list[dict[str, Any]]:
        """The objects of this page. Raises :class:`NotUnderstood` for a list that leads back to an earlier page."""
        asked = self.call
        if asked is None:
            raise RuntimeError("the list is at its end")
        data: list[dict[str, Any]] = answer.require("data")
        following = answer.object().get("next")
        self.call = replace(asked, query=_query(following)) if following else None
        if self.call is not None:
            if self.call.query in self._seen:
                raise NotUnderstood("the list leads back to a page that was read", **answer.about())
            self._seen.add(self.call.query)
            if len(self._seen) > PAGES:
                raise NotUnderstood(f"the list has no end after {PAGES} pages", **answer.about())
        return data


def _query(url: Any) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(urlsplit(str(url)).query, keep_blank_values=True))
