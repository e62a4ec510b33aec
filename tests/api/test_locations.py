"""Whatever the service points to becomes a path on the endpoint, or an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api.errors import ForeignLocation
from airflow_provider.api.locations import local_path
from tests.api.tools import TOKEN, settings

GATEWAY = {"endpoint": "https://gw.example.com:8443/datarobot/api/v2"}


@pytest.mark.parametrize(
    ("url", "given_settings", "path"),
    [
        # Absolute with a slash at its end is what the service sends (wire.md A.1).
        ("https://app.example.com/api/v2/status/abc/", {}, "status/abc/"),
        ("https://APP.example.com:443/api/v2/status/abc/", {}, "status/abc/"),
        ("/api/v2/status/abc/", {}, "status/abc/"),
        ("//app.example.com/api/v2/status/abc/", {}, "status/abc/"),
        ("status/abc/", {}, "status/abc/"),
        (
            "https://app.example.com/api/v2/deployments/1/scoringCode/?a=b&c=%2F",
            {},
            "deployments/1/scoringCode/?a=b&c=%2F",
        ),
        ("https://gw.example.com:8443/datarobot/api/v2/status/abc/", GATEWAY, "status/abc/"),
        ("/datarobot/api/v2/status/abc/", GATEWAY, "status/abc/"),
        ("http://10.1.2.3:8080/api/v2/status/abc/", {"location": "rebase"}, "status/abc/"),
        ("http://app.example.com/api/v2/status/abc/", {"location": "rebase"}, "status/abc/"),
    ],
)
def test_a_location_of_the_service_is_a_path(url: str, given_settings: dict[str, Any], path: str) -> None:
    assert local_path(url, settings(**given_settings)) == path


@pytest.mark.parametrize(
    ("url", "given_settings", "told"),
    [
        (
            "http://10.1.2.3:8080/api/v2/status/abc/",
            {},
            "points to http://10.1.2.3:8080, which is not https://app.example.com; set location='rebase'",
        ),
        ("http://app.example.com/api/v2/status/abc/", {}, "points to http://app.example.com, which is not https"),
        ("https://app.example.com:8443/api/v2/status/abc/", {}, "points to https://app.example.com:8443"),
        ("https://app.example.com.evil.org/api/v2/status/abc/", {}, "points to https://app.example.com.evil.org"),
        ("https://app.example.com@evil.org/api/v2/status/abc/", {}, "points to https://evil.org"),
        ("//evil.org/api/v2/status/abc/", {}, "points to https://evil.org"),
        ("https://app.example.com/login", {}, "the path '/login', which is not below /api/v2/"),
        ("https://app.example.com/api/v2x/", {}, "which is not below /api/v2/"),
        ("http://10.1.2.3/other/status/abc/", {"location": "rebase"}, "the path '/other/status/abc/'"),
        ("/api/v2/status/abc/", GATEWAY, "which is not below /datarobot/api/v2/"),
        ("/api/v2/../admin/", {}, "the path '/api/v2/../admin/'"),
        ("/api/v2/%2e%2E/admin/", {}, "which is not below"),
        ("../../admin/", {}, "which is not below"),
        ("file:///etc/passwd", {}, "points to a 'file' URL"),
        ("javascript:alert(1)", {"location": "rebase"}, "points to a 'javascript' URL"),
        ("https://app.example.com\\@evil.org/api/v2/", {}, "something that is no URL (blanks or backslashes)"),
        ("/api/v2/a b/", {}, "something that is no URL"),
        ("https://app.example.com:port/api/v2/", {}, "something that is no URL"),
        ("https://[app/api/v2/", {}, "something that is no URL"),
    ],
)
def test_anything_else_is_refused(url: str, given_settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ForeignLocation) as caught:
        local_path(url, settings(**given_settings))
    assert told in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_rebasing_can_be_asked_for() -> None:
    assert (
        local_path("http://internal/api/v2/deployments/?offset=20", settings(), rebase=True) == "deployments/?offset=20"
    )


@given(st.text(alphabet="ahtps:/@.\\?#%2e[]v api", max_size=40))
def test_no_text_leads_out_of_the_api(text: str) -> None:
    made = settings(location="rebase")
    try:
        path = local_path(text, made)
    except ForeignLocation:
        return
    assert not any(part in (".", "..") for part in path.partition("?")[0].split("/"))
    assert f"{made.endpoint}/{path}".startswith("https://app.example.com/api/v2/")
