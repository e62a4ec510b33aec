"""Calls: what is sent for what is asked, and what is refused before."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.api import messages
from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import prepare, reading
from tests.api.tools import ID


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_told", set())


def test_a_path_is_filled_and_stays_relative() -> None:
    call = prepare("getDeployment", {"deploymentId": ID})
    assert (call.operation.method, call.target, call.body) == ("GET", f"deployments/{ID}/", None)


def names_something(text: str) -> bool:
    return text not in (".", "..") and "/" not in text and not any(one.isspace() for one in text)


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(names_something))
def test_a_path_argument_stays_one_segment(text: str) -> None:
    segment = prepare("getDeployment", {"deploymentId": text}).path.removeprefix("deployments/").removesuffix("/")
    assert not set(segment) & set("/?#\\ ")
    assert unquote(segment) == text


MORNING = datetime(2024, 5, 1, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("operation", "arguments", "query"),
    [
        # A documented list travels as one value joined by commas, anything else as repeated keys (wire.md C).
        ("listDeployments", {"serviceHealth": ["failing", "passing"]}, "serviceHealth=failing%2Cpassing"),
        ("listDeployments", {"serviceHealth": "failing"}, "serviceHealth=failing"),
        ("listDeployments", {"tagKeys": ["a", "b"]}, "tagKeys=a&tagKeys=b"),
        ("listDeployments", {"tagKeys": ("a",)}, "tagKeys=a"),
        ("listChangeRequests", {"status": ["pending", "approved"]}, "status=pending&status=approved"),
        # Booleans in lower case, whether the page calls them booleans or words.
        ("listModelPackages", {"forChallenger": True}, "forChallenger=true"),
        ("listChangeRequests", {"myRequests": False}, "myRequests=false"),
        ("listDeployments", {"limit": 20, "offset": 0}, "offset=0&limit=20"),
        ("listDeployments", {"limit": 20.0}, "limit=20"),
        ("listDeployments", {"limit": None, "search": "a b&c=d"}, "search=a+b%26c%3Dd"),
        ("listDeployments", {}, ""),
        ("getDeploymentServiceStats", {"start": MORNING}, "start=2024-05-01T06%3A30%3A00%2B00%3A00"),
        # A naive time is UTC.
        (
            "getDeploymentServiceStats",
            {"start": MORNING.replace(tzinfo=None)},
            "start=2024-05-01T06%3A30%3A00%2B00%3A00",
        ),
        (
            "getDeploymentServiceStats",
            {"start": MORNING.astimezone(timezone(timedelta(hours=2)))},
            "start=2024-05-01T08%3A30%3A00%2B02%3A00",
        ),
    ],
)
def test_a_query_is_written_as_the_service_reads_it(operation: str, arguments: dict[str, Any], query: str) -> None:
    path = {"deploymentId": ID} if operation.startswith("getDeployment") else {}
    required = {"entityType": "deployment"} if operation == "listChangeRequests" else {}
    _, _, sent = prepare(operation, {**path, **required, **arguments}).target.partition("?")
    assert sent.removeprefix("entityType=deployment").removeprefix("&") == query


def test_a_header_argument_travels_as_a_header() -> None:
    call = prepare("listDeploymentPredictionResults", {"deploymentId": ID, "Accept": "text/csv"})
    assert call.headers == (("Accept", "text/csv"),)
    assert "Accept" not in call.target


def test_all_faults_come_in_one_error_before_anything_is_sent() -> None:
    with pytest.raises(InvalidCall) as caught:
        prepare("replaceDeploymentModel", {"deploymentId": "", "forse": True}, {"modelId": ID, "reason": "WHY"})
    text = str(caught.value)
    assert caught.value.operation == "replaceDeploymentModel"
    for place in ("$.deploymentId", "$.forse", "$.reason"):
        assert f"@ {place}" in text


def test_an_unknown_operation_is_an_invalid_call() -> None:
    with pytest.raises(InvalidCall, match="no operation 'getDeploymnt'; did you mean getDeployment"):
        prepare("getDeploymnt")


def test_a_body_is_json_with_times_written_out() -> None:
    rows = [{"associationId": "1", "actualValue": "yes", "timestamp": MORNING}]
    call = prepare("submitDeploymentActualsFromJson", {"deploymentId": ID}, {"data": rows})
    assert json.loads(call.content() or b"") == {
        "data": [{"associationId": "1", "actualValue": "yes", "timestamp": "2024-05-01T06:30:00+00:00"}]
    }
    assert call.media_type == "application/json"


def test_no_body_is_no_body() -> None:
    call = prepare("archiveModelPackage", {"modelPackageId": ID})
    assert (call.content(), call.media_type) == (None, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    call = prepare("createDeploymentTrainingDataExport", {"deploymentId": ID}, {"modelId": value})
    with pytest.raises(InvalidCall, match="createDeploymentTrainingDataExport: the body cannot be written as JSON"):
        call.content()


def test_extra_body_is_laid_over_the_body_unchecked() -> None:
    body = {"modelPackageId": ID, "reason": "OTHER", "deep": {"a": 1, "b": [1]}}
    extra = {"deep": {"b": [2], "c": None}, "reason": "A_NEW_WORD", "other": MORNING}
    call = prepare("replaceDeploymentModel", {"deploymentId": ID}, body, extra)
    assert call.body == {
        "modelPackageId": ID,
        "reason": "A_NEW_WORD",
        "deep": {"a": 1, "b": [2], "c": None},
        "other": "2024-05-01T06:30:00+00:00",
    }
    assert body["deep"] == {"a": 1, "b": [1]}


def test_what_extra_body_supplies_is_not_missed() -> None:
    call = prepare("replaceDeploymentModel", {"deploymentId": ID}, {"modelPackageId": ID}, {"reason": "OTHER"})
    assert call.body == {"modelPackageId": ID, "reason": "OTHER"}
    whole = {"modelPackageId": ID, "reason": "OTHER"}
    assert prepare("replaceDeploymentModel", {"deploymentId": ID}, None, whole).body == whole
    with pytest.raises(InvalidCall, match=r"required @ \$.reason"):
        prepare("replaceDeploymentModel", {"deploymentId": ID}, {"modelPackageId": ID}, {"other": 1})


def test_extra_body_gives_a_body_to_an_operation_without_one() -> None:
    arguments = {"deploymentId": ID, "retrainingPolicyId": ID}
    call = prepare("createDeploymentRetrainingPolicyRun", arguments, extra_body={"datasetId": ID})
    assert (call.body, call.media_type) == ({"datasetId": ID}, "application/json")


def test_extra_body_needs_an_object() -> None:
    with pytest.raises(InvalidCall, match="extra_body needs a body that is an object, not list"):
        prepare("createDeploymentChallenger", {"deploymentId": ID}, ["x"], {"a": 1})


def test_what_a_guessed_schema_does_not_know_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            body = {"modelId": 7, "novel": "a secret value"}
            prepare("createDeploymentTrainingDataExport", {"deploymentId": ID}, body)
    told = [record.getMessage() for record in caplog.records]
    name = "createDeploymentTrainingDataExport"
    assert told == [
        f"{name}: unknown key 'novel'; sent as it is, the service decides",
        f"{name}: not as in the page's sample: $.modelId; sent as it is, the service decides",
    ]


def test_nothing_is_told_about_bodies_whose_form_is_known(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        prepare("updateDeployment", {"deploymentId": ID}, {"label": "x", "novel": 1})
    assert caplog.records == []


def test_deprecated_and_preview_operations_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            prepare("archiveModelPackage", {"modelPackageId": ID})
            prepare("listComputeBundles")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "archiveModelPackage is deprecated by the service"),
        ("INFO", "listComputeBundles is a public preview: the service may change it without notice"),
    ]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("status/abc/", "getStatus"),
        ("status/abc", "getStatus"),
        (f"deployments/{ID}/?x=1", "getDeployment"),
        (f"changeRequests/{ID}/", "getChangeRequest"),
        ("deployments/", "listDeployments"),
        (f"deployments/{ID}/customMetrics/{ID}/summary/", "getDeploymentCustomMetricSummary"),
        ("somethingNew/abc/", "GET somethingNew/abc/"),
    ],
)
def test_a_path_to_look_at_is_named_after_its_operation(target: str, name: str) -> None:
    call = reading(target)
    assert (call.operation.id, call.target, call.operation.method) == (name, target, "GET")
