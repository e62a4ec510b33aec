"""The HTTP layer as wire.md B and C tell it: tokens, errors to the byte, pages, spellings of a query."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from airflow_provider.emulator.calls import SERVED
from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import GOVERNED, UNGOVERNED, ask_for, taken

PACKAGES = 9  # of the world "demo"


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer"])
def test_both_schemes_of_the_authorization_header_are_taken(requester: httpx.Client, scheme: str) -> None:
    """wire.md B: SDK and CMA send Token, TF and the command line Bearer; the server must take both."""
    answer = requester.get("version/", headers={"Authorization": f"{scheme} requester-token"})
    assert answer.status_code == 200


def test_version_is_what_the_newest_client_expects(requester: httpx.Client) -> None:
    """wire.md B: body keys major, minor, versionString; K: minor >= 49 avoids warnings."""
    assert requester.get("version/").json() == {
        "major": 2,
        "minor": 49,
        "versionString": "2.49.0",
        "releasedVersion": "2.48.0",
    }


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic requester-token", "Bearer wrong-secret"])
def test_an_unknown_token_is_401_and_is_not_echoed(origin: str, emulator: EmulatorDoor, header: str | None) -> None:
    """wire.md B: one client looks for 'invalid authorization header' in the text; error bodies are {"message"}."""
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.get(f"{origin}/api/v2/version/", headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert "invalid authorization header" in answer.json()["message"].lower()
    assert list(answer.json()) == ["message"]
    assert b"wrong-secret" not in answer.content
    assert emulator.log()[-1]["user"] is None
    assert "wrong-secret" not in str(emulator.log())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "deployments/000000000000000000000000/", 404),
        ("GET", "no/such/path/", 404),
        ("GET", "deployments//settings/", 404),
        ("PUT", "deployments/", 405),
        ("GET", f"deployments/{GOVERNED}/humilityStats/", 501),
        ("GET", "deployments/?limit=1000", 422),
        ("PATCH", f"deployments/{UNGOVERNED}/status/", 422),
    ],
)
def test_every_error_says_exactly_application_json(
    requester: httpx.Client, monkeypatch: pytest.MonkeyPatch, method: str, path: str, status: int
) -> None:
    """wire.md B: the content type must be exactly this on every error, else a client's parser breaks."""
    monkeypatch.delitem(SERVED, "getDeploymentHumilityStats")
    answer = requester.request(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert isinstance(answer.json()["message"], str)


def test_a_known_operation_that_is_not_served_names_itself(
    requester: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(SERVED, "getDeploymentHumilityStats")
    assert requester.get(f"deployments/{GOVERNED}/humilityStats/").json() == {
        "message": "getDeploymentHumilityStats is not emulated."
    }


def test_another_method_names_the_allowed_ones(requester: httpx.Client) -> None:
    assert requester.put("deployments/").headers["Allow"] == "GET"


@pytest.mark.parametrize("path", ["modelPackages/%0A/archive/", "status/a%0Ab/", "%0A", "deployments/%F1%8B%0A/"])
def test_a_line_break_in_a_path_is_answered_like_any_other(requester: httpx.Client, path: str) -> None:
    for method in ("GET", "POST"):
        answer = requester.request(method, path)
        assert answer.status_code in (404, 405, 422)
        assert answer.headers["Content-Type"] == "application/json"


def test_a_field_that_is_wrong_is_named(requester: httpx.Client) -> None:
    """wire.md B: validation failures add "errors" with a text for each field; 422."""
    answer = requester.patch(f"deployments/{UNGOVERNED}/status/", json={"status": "sleeping"})
    assert answer.status_code == 422
    assert answer.json() == {
        "message": "Invalid field data",
        "errors": {"status": "must be one of active, inactive, not 'sleeping'"},
    }


def test_a_field_below_another_is_named_below_it(requester: httpx.Client) -> None:
    """wire.md B: "errors": {"<field>": "<text>" | {...}}; replacementReason is lower case (seed 000)."""
    change = {"modelPackageId": "64d000000000000000000003", "replacementReason": "ACCURACY"}
    errors = ask_for(requester, change=change).json()["errors"]
    assert errors["change"]["replacementReason"].startswith("must be one of accuracy, data_drift")


def test_unknown_body_keys_pass(requester: httpx.Client) -> None:
    """Rule 1: unknown keys pass, only what a table or a correction says is 422."""
    answer = requester.patch(f"deployments/{UNGOVERNED}/status/", json={"status": "inactive", "colour": "red"})
    assert answer.status_code == 202


def test_a_body_that_is_no_json_is_400(requester: httpx.Client) -> None:
    answer = requester.patch(
        f"deployments/{UNGOVERNED}/status/", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400


def test_a_body_of_another_media_type_is_415(requester: httpx.Client) -> None:
    answer = requester.patch(f"deployments/{UNGOVERNED}/status/", content=b"a=1", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 415


def test_a_body_of_a_get_is_ignored(requester: httpx.Client) -> None:
    """wire.md C: one public client sends its filters of a GET as a JSON body."""
    answer = requester.request("GET", "modelPackages/", json={"modelId": "x"})
    assert answer.json()["totalCount"] == PACKAGES


@pytest.mark.parametrize("path", [f"deployments/{GOVERNED}/", f"deployments/{GOVERNED}", "version", "approvalPolicies"])
def test_the_trailing_slash_may_be_left_out(requester: httpx.Client, path: str) -> None:
    """wire.md B: several clients omit it; both forms are answered directly, without a redirect."""
    assert requester.get(path, follow_redirects=False).status_code == 200


def test_a_page_has_all_five_keys(requester: httpx.Client) -> None:
    """wire.md C: one client demands totalCount, count, next and data, the pages add previous."""
    body = requester.get("deployments/").json()
    assert set(body) == {"count", "totalCount", "next", "previous", "data"}
    assert (body["count"], body["totalCount"], body["next"], body["previous"]) == (3, 3, None, None)


def test_next_is_absolute_on_the_host_that_was_asked_and_keeps_the_filters(
    origin: str, requester: httpx.Client
) -> None:
    """wire.md C: build next from the request's Host header, keep all filters."""
    query = "deployments/?limit=1&importance=LOW,CRITICAL&search=churn"
    body = requester.get(query, headers={"Host": "datarobot.example:8443"}).json()
    assert body["next"].startswith("http://datarobot.example:8443/api/v2/deployments/?")
    following = requester.get(body["next"].replace("http://datarobot.example:8443", origin)).json()
    assert (following["count"], following["totalCount"], following["next"]) == (1, 2, None)
    assert following["previous"].startswith(f"{origin}/api/v2/deployments/?")
    assert {body["data"][0]["id"], following["data"][0]["id"]} == {GOVERNED, UNGOVERNED}


@pytest.mark.parametrize("query", ["importance=LOW,CRITICAL", "importance=LOW&importance=CRITICAL"])
def test_both_renderings_of_a_list_are_understood(requester: httpx.Client, query: str) -> None:
    """wire.md C: lists as repeated keys, deployment filters comma-joined."""
    assert requester.get(f"deployments/?{query}").json()["count"] == 2


@pytest.mark.parametrize("word", ["true", "True"])
def test_both_renderings_of_a_boolean_are_understood(requester: httpx.Client, word: str) -> None:
    """wire.md C: booleans come as True and False; the page shows true and false too."""
    assert requester.get(f"deployments/?createdByMe={word}").json()["count"] == 3
    assert requester.get(f"modelPackages/?imported={word}").json()["count"] == 0


@pytest.mark.parametrize("word", ["false", "False"])
def test_both_renderings_of_false(requester: httpx.Client, word: str) -> None:
    assert requester.get(f"deployments/?createdByMe={word}").json()["count"] == 0
    assert requester.get(f"modelPackages/?imported={word}").json()["count"] == PACKAGES


@pytest.mark.parametrize("query", ["limit=ten", "limit=0", "limit=101", "orderBy=colour", "status=asleep"])
def test_a_query_outside_the_documented_values_is_422(requester: httpx.Client, query: str) -> None:
    """Seed 002:104-146: limit greater than zero, max 100; enumerated values of orderBy and status."""
    answer = requester.get(f"deployments/?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(("value", "status"), [("ignored", 200), ("refuse_422", 422)])
def test_switch_unknown_query(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(unknown_query=value)
    assert requester.get("deployments/?colour=red").status_code == status


@pytest.mark.parametrize(("value", "rows"), [("20", PACKAGES), ("100", PACKAGES), ("2", 2)])
def test_switch_page_size(emulator: EmulatorDoor, requester: httpx.Client, value: str, rows: int) -> None:
    """Seed 000: 'At most this many results are returned. The default may change without notice.'"""
    emulator.switches(page_size=value)
    assert requester.get("modelPackages/").json()["count"] == rows


def test_the_date_header_tells_the_services_time(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Rule 25: the only clock that a client may read; uvicorn's own header is off."""
    emulator.clock(offset=-600)
    answer = requester.get("version/")
    behind = datetime.now(UTC) - parsedate_to_datetime(answer.headers["Date"])
    assert 595 < behind.total_seconds() < 605
    assert len(answer.headers.get_list("Date")) == 1


def test_each_answer_carries_a_request_id_of_its_own(requester: httpx.Client) -> None:
    """wire.md B: clients read the request id from x-request-id or X-DataRobot-Request-ID."""
    ids = {requester.get("version/").headers["X-DataRobot-Request-ID"] for _ in range(2)}
    assert len(ids) == 2


def test_ids_made_by_the_service_are_24_hex_digits_in_no_order(requester: httpx.Client) -> None:
    """wire.md K: ids are 24-hex ObjectIds; rule 3: random per start."""
    ids = [taken(ask_for(requester))["id"] for _ in range(12)]
    assert all(len(key) == 24 and int(key, 16) >= 0 for key in ids)
    assert ids != sorted(ids)
