"""Lists: page by page, to the end, and never in circles. Answers as in wire.md C."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.api.errors import InvalidCall, KeyMissing, NotUnderstood
from airflow_provider.api.messages import prepare
from airflow_provider.api.pages import Pages
from tests.api.tools import Teller, answer, says

BASE = "https://app.example.com/api/v2/deployments/"


def envelope(ids: list[str], following: Any, **more: Any) -> dict[str, Any]:
    return {"count": len(ids), "next": following, "previous": None, "data": [{"id": one} for one in ids], **more}


async def test_all_pages_are_read_with_the_filters_of_next(both: Teller) -> None:
    first = envelope(["a", "b"], f"{BASE}?offset=2&limit=2&serviceHealth=failing%2Cpassing", totalCount=3)
    story = both([says(200, first), says(200, envelope(["c"], None, totalCount=3))])
    found = await story.run("iterate", "listDeployments", limit=2, serviceHealth=["failing", "passing"])
    assert [one["id"] for one in found] == ["a", "b", "c"]
    assert story.script.lines == [
        "GET /api/v2/deployments/?limit=2&serviceHealth=failing%2Cpassing",
        "GET /api/v2/deployments/?offset=2&limit=2&serviceHealth=failing%2Cpassing",
    ]


@pytest.mark.parametrize("end", [None, ""])
async def test_null_and_empty_next_are_the_end(both: Teller, end: Any) -> None:
    assert await both([says(200, envelope(["a"], end))]).run("iterate", "listDeployments") == [{"id": "a"}]


async def test_an_envelope_without_next_is_the_end(both: Teller) -> None:
    assert await both([says(200, {"data": []})]).run("iterate", "listDeployments") == []


@pytest.mark.parametrize(
    "following",
    [
        "http://10.0.0.5:8080/api/v2/deployments/?offset=1",
        "https://evil.org/other/path?offset=1",
        "/api/v2/deployments/?offset=1",
        "?offset=1",
    ],
)
async def test_next_is_asked_of_the_endpoint_wherever_it_points(both: Teller, following: str) -> None:
    story = both([says(200, envelope(["a"], following)), says(200, envelope(["b"], None))])
    assert len(await story.run("iterate", "listDeployments")) == 2
    assert str(story.script.requests[1].url) == f"{BASE}?offset=1"


async def test_a_list_answered_with_201_is_a_list(both: Teller) -> None:
    # The page of listChangeRequests shows 201 for a GET (wire.md F).
    story = both([says(201, envelope(["a"], None))])
    assert await story.run("iterate", "listChangeRequests", entityType="deployment") == [{"id": "a"}]


async def test_a_page_without_data_names_operation_and_key(both: Teller) -> None:
    with pytest.raises(KeyMissing, match="listDeployments answered 200: the answer has no key 'data'"):
        await both([says(200, {"count": 0, "next": None})]).run("iterate", "listDeployments")


async def test_a_list_that_leads_back_is_not_followed(both: Teller) -> None:
    pages = [
        envelope(["a"], f"{BASE}?offset=1"),
        envelope(["b"], f"{BASE}?offset=2"),
        envelope(["c"], f"{BASE}?offset=1"),
    ]
    story = both([says(200, one) for one in pages])
    with pytest.raises(
        NotUnderstood, match="listDeployments answered 200: the list leads back to a page that was read"
    ):
        await story.run("iterate", "listDeployments")
    assert len(story.script.requests) == 3


async def test_a_page_is_repeated_like_any_read(both: Teller) -> None:
    story = both([says(503), says(200, envelope(["a"], None))])
    assert await story.run("iterate", "listDeployments") == [{"id": "a"}]


def test_arguments_are_checked_before_the_first_page(both: Teller) -> None:
    story = both([])
    client = story.client if story.kind == "sync" else story.aclient
    with pytest.raises(InvalidCall, match=r"@ \$.limt"):
        client.iterate("listDeployments", limt=2)


def test_a_list_at_its_end_takes_no_more() -> None:
    pages = Pages(prepare("listDeployments"))
    assert pages.receive(answer(200, envelope([], None))) == []
    with pytest.raises(RuntimeError, match="at its end"):
        pages.receive(answer(200, envelope([], None)))
