"""Actuals from JSON: what is accepted, what is stored, what becomes of late, unknown and repeated ids."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED
from tests.emulator.rows import make_regression, post, predict, send, stored

ROW = {"associationId": "a", "actualValue": "yes"}


def test_a_submission_is_a_job(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:966: 202, no body, Location; wire.md A.4: 303 to the deployment's accuracy; seed 002:941: later."""
    answer = send(requester, ("a", "yes"), ("b", "no"))
    assert (answer.status_code, answer.content) == (202, b"")
    location = answer.headers["Location"]
    assert requester.get(location).json()["status"] == "INITIALIZED"
    assert stored(emulator) == {}
    emulator.advance(6)
    ended = requester.get(location)
    assert (ended.status_code, ended.content) == (303, b"")
    assert ended.headers["Location"] == f"{origin}/api/v2/deployments/{UNGOVERNED}/accuracy/"
    assert stored(emulator) == {"a": "yes", "b": "no"}


@pytest.mark.parametrize(("count", "status"), [(0, 422), (1, 202), (10_000, 202), (10_001, 422)])
def test_one_to_ten_thousand_rows(requester: httpx.Client, count: int, status: int) -> None:
    """wire.md D: 1..10,000 items per call."""
    assert post(requester, [ROW] * count).status_code == status


def test_the_last_value_of_an_id_is_stored(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md D: resubmitting an association id overwrites the stored actual."""
    send(requester, ("a", "yes"), ("b", "yes"), ("a", "no"))
    emulator.advance(6)
    assert stored(emulator) == {"a": "no", "b": "yes"}
    send(requester, ("b", "no"))
    emulator.advance(6)
    assert stored(emulator) == {"a": "no", "b": "no"}


def test_every_accepted_row_is_counted(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """What overwriting hides: how often a row was sent."""
    send(requester, ("a", "yes"), ("b", "yes"))
    send(requester, ("a", "yes"))
    send(requester, ("a", "perhaps"))
    emulator.advance(6)
    account = emulator.actuals(UNGOVERNED, ids=True)
    assert account["acceptedPerId"] == {"a": 2, "b": 1}
    assert (account["accepted"], account["stored"], account["charged"]) == (3, 2, 3)
    assert account["batches"] == {"applied": {"batches": 2, "rows": 3}}
    assert emulator.accepted() == {"submitDeploymentActualsFromJson": 2}
    assert emulator.count("actualsAccepted", UNGOVERNED) == emulator.count("actualsApplied", UNGOVERNED) == 2


@pytest.mark.parametrize(
    ("keep", "ids"), [(True, {"known", "unknown"}), (False, {"known"}), (None, {"known", "unknown"})]
)
def test_actuals_without_predictions(
    emulator: EmulatorDoor, requester: httpx.Client, keep: bool | None, ids: set[str]
) -> None:
    """wire.md D: keepActualsWithoutPredictions; the generated R client's default is true."""
    predict(emulator, "known")
    flag: dict[str, Any] = {} if keep is None else {"keepActualsWithoutPredictions": keep}
    send(requester, ("known", "yes"), ("unknown", "yes"), **flag)
    emulator.advance(6)
    assert set(stored(emulator)) == ids
    assert emulator.actuals(UNGOVERNED)["matched"] == 1


def test_kept_actuals_meet_predictions_that_come_later(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    send(requester, ("late", "yes"))
    emulator.advance(6)
    assert emulator.actuals(UNGOVERNED)["waiting"] == 1
    predict(emulator, "late")
    account = emulator.actuals(UNGOVERNED)
    assert (account["matched"], account["waiting"]) == (1, 0)


def test_was_acted_on_and_timestamp_are_stored(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md D: both optional; a timestamp is RFC 3339, or null."""
    rows: list[dict[str, Any]] = [
        ROW | {"wasActedOn": True, "timestamp": "2025-03-01T12:00:00+02:00"},
        ROW | {"associationId": "b", "wasActedOn": False, "timestamp": None},
    ]
    assert post(requester, rows).status_code == 202
    emulator.advance(6)
    values = emulator.actuals(UNGOVERNED, values=True)["values"]
    assert values == {
        "a": {"actualValue": "yes", "wasActedOn": True, "timestamp": "2025-03-01T10:00:00.000000Z"},
        "b": {"actualValue": "yes", "wasActedOn": False, "timestamp": None},
    }


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"actualValue": "yes"}, "associationId"),
        ({"associationId": "", "actualValue": "yes"}, "associationId"),
        ({"associationId": 7, "actualValue": "yes"}, "associationId"),
        ({"associationId": "a"}, "actualValue"),
        ({"associationId": "a", "actualValue": None}, "actualValue"),
        ({"associationId": "a", "actualValue": True}, "actualValue"),
        ({"associationId": "a", "actualValue": {}}, "actualValue"),
        (ROW | {"wasActedOn": "yes"}, "wasActedOn"),
        (ROW | {"timestamp": 1_700_000_000}, "timestamp"),
        (ROW | {"timestamp": "yesterday"}, "timestamp"),
    ],
)
def test_a_row_that_is_none(emulator: EmulatorDoor, requester: httpx.Client, row: dict[str, Any], field: str) -> None:
    """wire.md D: the keys and their types; the answer names the row, and nothing of the post is accepted."""
    answer = post(requester, [ROW, row])
    assert answer.status_code == 422
    assert list(answer.json()["errors"]["data"]) == ["1"]
    assert list(answer.json()["errors"]["data"]["1"]) == [field]
    assert emulator.actuals(UNGOVERNED)["accepted"] == 0


@pytest.mark.parametrize(
    "body", [b'{"data": [{"associationId": "a", "actualValue": NaN}]}', b'{"data": [Infinity]}', b"{"]
)
def test_a_body_that_is_no_json(requester: httpx.Client, body: bytes) -> None:
    """RFC 8259 knows no NaN and no Infinity."""
    headers = {"Content-Type": "application/json"}
    answer = requester.post(f"deployments/{UNGOVERNED}/actuals/fromJSON/", content=body, headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body", [{}, [], {"data": {}}, {"data": ["a"]}, {"data": [ROW], "keepActualsWithoutPredictions": 1}]
)
def test_a_body_of_another_form(requester: httpx.Client, body: Any) -> None:
    assert requester.post(f"deployments/{UNGOVERNED}/actuals/fromJSON/", json=body).status_code == 422


def test_only_the_first_faults_are_named(requester: httpx.Client) -> None:
    answer = send(requester, *((f"row-{n}", "perhaps") for n in range(10_000)))
    assert len(answer.json()["errors"]["data"]) == 20


def test_numbers_and_texts_that_nothing_can_keep(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """JSON allows them: a number beyond every double, half of a surrogate pair; a long whole number is rounded."""
    make_regression(emulator)
    url, headers = f"deployments/{UNGOVERNED}/actuals/fromJSON/", {"Content-Type": "application/json"}
    for key, value in ((b"a", b"1e999"), (b"a", b"1" + b"0" * 400), (b"\\ud800", b"1")):
        body = b'{"data": [{"associationId": "%s", "actualValue": %s}]}' % (key, value)
        answer = requester.post(url, content=body, headers=headers)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["data"])
    send(requester, ("big", 10**30))
    emulator.advance(6)
    assert stored(emulator) == {"big": 1e30}


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("utc", 202)])
def test_switch_naive_times(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(naive_times=value)
    assert post(requester, [ROW | {"timestamp": "2025-03-01T12:00:00"}]).status_code == status


@pytest.mark.parametrize(("value", "status"), [("truncated", 202), ("refuse_422", 422)])
def test_switch_long_association_id(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    """wire.md D: longer than 128 characters is truncated, and so two ids may become one."""
    emulator.switches(long_association_id=value)
    answer = send(requester, ("x" * 128 + "1", "yes"), ("x" * 128 + "2", "no"), ("x" * 128, "yes"))
    assert answer.status_code == status
    emulator.advance(6)
    assert stored(emulator) == ({"x" * 128: "yes"} if value == "truncated" else {})


@pytest.mark.parametrize(("regression", "misfit"), [(True, "yes"), (False, "perhaps"), (False, 1), (False, ["yes"])])
@pytest.mark.parametrize(
    ("value", "status", "ending", "kept"),
    [
        ("refuse_422", 422, None, False),
        ("job_error", 202, 200, False),
        ("dropped", 202, 303, False),
        ("stored", 202, 303, True),
    ],
)
def test_switch_actual_misfit(
    emulator: EmulatorDoor,
    requester: httpx.Client,
    regression: bool,
    misfit: Any,
    value: str,
    status: int,
    ending: int | None,
    kept: bool,
) -> None:
    """wire.md D: numbers for regression, labels for classification; what becomes of others is not known."""
    emulator.switches(actual_misfit=value)
    if regression:
        make_regression(emulator)
    answer = send(requester, ("a", 1.5 if regression else "yes"), ("b", misfit))
    assert answer.status_code == status
    emulator.advance(6)
    if ending is not None:
        assert requester.get(answer.headers["Location"]).status_code == ending
    assert ("b" in stored(emulator)) is kept
    assert ("a" in stored(emulator)) is (ending == 303)


@pytest.mark.parametrize(("value", "status"), [("refuse_422", 422), ("refuse_404", 404), ("job_error", 202)])
def test_switch_actuals_without_association_id(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    """wire.md D: 422 is the documented error of the operation, the text is not known."""
    emulator.switches(actuals_without_association_id=value)
    emulator.change("deployments", UNGOVERNED, settings={"associationId": {"columnNames": []}})
    answer = send(requester, ("a", "yes"))
    assert answer.status_code == status
    emulator.advance(6)
    if value == "job_error":
        assert requester.get(answer.headers["Location"]).json()["status"] == "ERROR"
    assert stored(emulator) == {}


@pytest.mark.parametrize(("value", "after"), [("at_job_end", {"a": "yes"}), ("a_minute_later", {})])
def test_switch_actuals_visible(emulator: EmulatorDoor, requester: httpx.Client, value: str, after: Any) -> None:
    """Seed 002:941: 'may take some time to propagate'."""
    emulator.switches(actuals_visible=value)
    location = send(requester, ("a", "yes")).headers["Location"]
    emulator.advance(6)
    assert requester.get(location).status_code == 303
    assert stored(emulator) == after
    emulator.advance(60)
    assert stored(emulator) == {"a": "yes"}


@pytest.mark.parametrize("ends", ["ERROR", "ABORTED", "EXPIRED"])
@pytest.mark.parametrize(("value", "kept"), [("nothing_stored", {}), ("half_stored", {"a": "yes"})])
def test_switch_failed_actuals(
    emulator: EmulatorDoor, requester: httpx.Client, ends: str, value: str, kept: dict[str, str]
) -> None:
    """wire.md A.1: the three ways to fail; the batch stays charged."""
    emulator.switches(failed_actuals=value)
    emulator.jobs("actualsSubmission", seconds=5, ends=ends)
    location = send(requester, ("a", "yes"), ("b", "no")).headers["Location"]
    emulator.advance(6)
    assert requester.get(location).json()["status"] == ends
    assert stored(emulator) == kept
    account = emulator.actuals(UNGOVERNED)
    assert account["batches"] == {"failed": {"batches": 1, "rows": 2}}
    assert account["charged"] == 2


def test_switch_sink_counts_and_stores_nothing(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.switches(sink="on")
    location = send(requester, ("a", "yes"), ("b", "no")).headers["Location"]
    emulator.advance(6)
    assert requester.get(location).status_code == 303
    account = emulator.actuals(UNGOVERNED, ids=True)
    assert (account["accepted"], account["stored"], account["acceptedPerId"]) == (2, 0, {})
    emulator.switches(sink="off")
    send(requester, ("a", "yes"))
    emulator.advance(6)
    assert stored(emulator) == {"a": "yes"}


def test_a_lost_answer_is_a_submission_all_the_same(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """A second equal post is a second submission: nothing is recognised (wire.md D names no such thing)."""
    emulator.fault("lost_answer", answer=504, operationId="submitDeploymentActualsFromJson")
    assert send(requester, ("a", "yes")).status_code == 504
    assert send(requester, ("a", "yes")).status_code == 202
    assert emulator.actuals(UNGOVERNED, ids=True)["acceptedPerId"] == {"a": 2}


def test_a_late_commit_is_accepted_later(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("late_commit", seconds=30, operationId="submitDeploymentActualsFromJson")
    assert send(requester, ("a", "yes")).status_code == 504
    assert emulator.actuals(UNGOVERNED)["accepted"] == 0
    emulator.advance(36)
    assert stored(emulator) == {"a": "yes"}


def test_only_an_owner_submits(reviewer: httpx.Client, outsider: httpx.Client) -> None:
    assert send(reviewer, ("a", "yes")).status_code == 403
    assert send(outsider, ("a", "yes")).status_code == 404


def test_the_log_keeps_the_ends_of_a_post_only(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    post(requester, [ROW | {"associationId": f"row-{n}"} for n in range(5_000)])
    (entry,) = emulator.log(operationId="submitDeploymentActualsFromJson")
    assert entry["body"]["data"] == {
        "rows": 5_000,
        "first": {"associationId": "row-0", "actualValue": "yes"},
        "last": {"associationId": "row-4999", "actualValue": "yes"},
    }


def test_actuals_of_a_deployment_that_is_deleted_meanwhile(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    location = send(requester, ("a", "yes")).headers["Location"]
    requester.delete(f"deployments/{UNGOVERNED}/")
    emulator.advance(6)
    assert requester.get(location).status_code == 303
    assert emulator.count("actualsApplied") == 0
