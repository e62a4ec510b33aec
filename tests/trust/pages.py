"""Every page that Airflow's web UI can ask for: the GET routes of the running Airflow, filled with what is there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

Known = Mapping[str, Sequence[Any]]
PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


@dataclass(frozen=True)
class Route:
    """A path with names in braces, and the query parameters that it cannot do without."""

    path: str
    needed: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """All that has to be known."""
        return [*PARAMETER.findall(self.path), *self.needed]

    def filled(self, known: Known) -> Iterator[tuple[str, dict[str, Any]]]:
        """Paths and queries, one for each combination of what is known; none where something is not."""
        for values in itertools.product(*(known.get(name, ()) for name in self.names)):
            given = dict(zip(self.names, map(str, values), strict=True))
            path = PARAMETER.sub(lambda match, given=given: given[match[1]], self.path)  # type: ignore[misc]
            yield path, {name: given[name] for name in self.needed}


@dataclass
class Visit:
    """What a tour has seen: answers by path, routes that could not be filled in, and routes that never answered 200."""

    answers: dict[str, str] = field(default_factory=dict)
    unfilled: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def routes() -> list[Route]:
    """The GET routes of REST API and UI, as this version of Airflow has them."""
    from airflow.api_fastapi.core_api.routes.public import public_router
    from airflow.api_fastapi.core_api.routes.ui import ui_router
    from fastapi.routing import APIRoute

    found = []
    for route in [*public_router.routes, *ui_router.routes]:
        if isinstance(route, APIRoute) and "GET" in route.methods:
            needed = {one.alias for one in route.dependant.query_params if one.field_info.is_required()}
            found.append(Route(route.path, tuple(sorted(needed))))
    return sorted(set(found), key=lambda one: one.path)


def tour(http: httpx.Client, known: Known) -> Visit:
    """Asks for every page with everything that is known."""
    visit = Visit()
    for route in routes():
        pages, good = list(route.filled(known)), False
        if not pages:
            visit.unfilled.append(route.path)
            continue
        for path, query in pages:
            answer = http.get(path, params=query, headers={"accept": "*/*"}, follow_redirects=False)
            visit.answers[str(answer.request.url)] = f"{answer.headers}\n{answer.text}"
            good = good or answer.is_success
            if answer.is_server_error:
                visit.broken.append(f"{path}: {answer.status_code} {answer.text[:300]}")
        if not good:
            visit.silent.append(route.path)
    return visit
