"""Replacement: what is sent, how a validation is read, and which champion counts as the wanted one."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.api.errors import BadRequest, Conflict, InvalidCall, NotUnderstood, Unprocessable
from airflow_provider.mlops.replacement import (
    REASONS,
    REQUEST_REASONS,
    ReplacementRefused,
    Target,
    champion_of,
    change,
    is_being_replaced,
    refuse_unfit,
    submission,
    unfit_checks,
    validate,
    validation_in,
)
from tests.api.tools import says
from tests.mlops.conftest import Told

PACKAGE, MODEL, DEPLOYMENT = "5e1b6d1c2f8a4b0012345678", "5e1b6d1c2f8a4b0087654321", "5e1b6d1c2f8a4b00deadbeef"
# wire.md E: the texts of a recorded validation.
PASSING = {
    "status": "passing",
    "message": "Model can be used to replace the current model of the deployment.",
    "checks": {"targetName": {"status": "passing", "message": "Target name matches."}},
}
# seed 002:3840-3910: the names; wire.md E: 409 carries the same object.
FAILING = {
    "status": "failing",
    "message": "Model cannot be used to replace the current model of the deployment.",
    "checks": {
        "target": {"status": "failing", "message": "Target name does not match."},
        "features": {"status": "warning", "message": ""},
        "permission": {"status": "passing", "message": "ok"},
        "seriesType": None,
    },
}
CHAMPION = {
    "id": DEPLOYMENT,
    "status": "active",
    "model": {"id": MODEL, "type": "Random Forest", "deployedAt": "2026-03-01T10:00:00Z"},
    "modelPackage": {"id": PACKAGE, "name": "Churn v3", "registeredModelId": "5e1b6d1c2f8a4b00aaaaaaaa"},
}


@pytest.mark.parametrize(
    ("given", "ids", "action", "text"),
    [
        ({"model_package_id": PACKAGE}, {"modelPackageId": PACKAGE}, "replaceModelPackage", f"model package {PACKAGE}"),
        ({"model_id": MODEL}, {"modelId": MODEL}, "replaceModel", f"model {MODEL}"),
    ],
)
def test_a_target_is_a_package_or_a_model(given: dict[str, str], ids: dict[str, str], action: str, text: str) -> None:
    target = Target(**given)
    assert target.ids == ids
    assert target.change_action == action
    assert str(target) == text


@pytest.mark.parametrize(
    ("given", "word"), [({"model_package_id": PACKAGE, "model_id": MODEL}, "both"), ({}, "neither")]
)
def test_both_or_neither_is_refused(given: dict[str, str], word: str) -> None:
    with pytest.raises(InvalidCall, match=f"exactly one of model_package_id and model_id, not {word}"):
        Target(**given)


def test_the_champion_is_read_from_the_deployment() -> None:
    champion = champion_of(CHAMPION)
    assert champion == {
        "model_package_id": PACKAGE,
        "model_id": MODEL,
        "name": "Churn v3",
        "deployed_at": "2026-03-01T10:00:00Z",
    }
    assert Target(model_package_id=PACKAGE).serves(champion)
    assert Target(model_id=MODEL).serves(champion)
    assert not Target(model_package_id=MODEL).serves(champion)
    assert not Target(model_id=PACKAGE).serves(champion)
    assert not Target(model_id=PACKAGE).serves(None)


@pytest.mark.parametrize("entity", [{}, {"model": None, "modelPackage": None}, {"model": {}, "modelPackage": {}}])
def test_a_champion_that_is_not_shown_is_nobody(entity: dict[str, Any]) -> None:
    """wire.md K: ``modelPackage.id`` may lag behind ``status: active``."""
    champion = champion_of(entity)
    assert set(champion.values()) == {None}
    assert not Target(model_package_id=PACKAGE).serves(champion)


@pytest.mark.parametrize(("status", "is_it"), [("replacingModel", True), ("active", False), (None, False)])
def test_a_replacement_under_way_is_a_status(status: str | None, is_it: bool) -> None:
    assert is_being_replaced({"status": status}) is is_it


def test_what_is_sent() -> None:
    target = Target(model_package_id=PACKAGE)
    assert submission(target, "ACCURACY") == {"modelPackageId": PACKAGE, "reason": "ACCURACY"}
    # wire.md E: a string that holds a JSON array.
    parameters = ({"fieldName": "threshold", "type": "numeric", "value": 0.5},)
    assert submission(target, "OTHER", parameters) == {
        "modelPackageId": PACKAGE,
        "reason": "OTHER",
        "runtimeParameterValues": '[{"fieldName": "threshold", "type": "numeric", "value": 0.5}]',
    }


def test_a_change_request_has_the_reason_in_lower_case() -> None:
    """seed 000:1564; there alone is ``deprecation``."""
    assert change(Target(model_id=MODEL), "DATA_DRIFT") == {"modelId": MODEL, "replacementReason": "data_drift"}
    assert set(REQUEST_REASONS) - set(REASONS) == {"DEPRECATION"}


def test_a_validation_is_asked_for(told: Told) -> None:
    client, script = told([says(200, PASSING | {"more": 1})])
    assert validate(client, DEPLOYMENT, Target(model_package_id=PACKAGE)) == PASSING
    assert script.lines == [f"POST /api/v2/deployments/{DEPLOYMENT}/model/validation/"]
    assert script.requests[0].content == b'{"modelPackageId":"5e1b6d1c2f8a4b0012345678"}'


def test_a_validation_that_says_nothing_is_not_understood(told: Told) -> None:
    client, _ = told([says(200)] * 5)
    with pytest.raises(NotUnderstood, match="a JSON object was expected, not nothing"):
        validate(client, DEPLOYMENT, Target(model_package_id=PACKAGE))


@pytest.mark.parametrize(
    ("status", "on_warning"), [("passing", "fail"), ("PASSING", "fail"), ("passing", "allow"), ("warning", "allow")]
)
def test_what_fits(status: str, on_warning: str) -> None:
    refuse_unfit({**FAILING, "status": status}, Target(model_id=MODEL), on_warning)


@pytest.mark.parametrize(
    ("status", "on_warning"), [("failing", "fail"), ("failing", "allow"), ("warning", "fail"), (None, "allow")]
)
def test_what_does_not_fit_names_its_checks(status: str | None, on_warning: str) -> None:
    with pytest.raises(ReplacementRefused) as caught:
        refuse_unfit({**FAILING, "status": status}, Target(model_id=MODEL), on_warning)
    hint = "; on_warning='allow' would accept it" if status == "warning" else ""
    assert caught.value.message == (
        f"model {MODEL} does not fit, validation is {str(status).lower()}: Model cannot be used to replace the current "
        f"model of the deployment. (target: Target name does not match.; features: warning){hint}"
    )
    assert set(caught.value.checks) == {"target", "features"}


def test_a_refusal_without_checks_is_told_as_it_is() -> None:
    with pytest.raises(ReplacementRefused) as caught:
        refuse_unfit({"status": "failing", "message": "No."}, Target(model_id=MODEL), "fail")
    assert caught.value.message == f"model {MODEL} does not fit, validation is failing: No."
    assert unfit_checks({"checks": None}) == {}


def test_a_409_may_carry_the_validation() -> None:
    assert validation_in(Conflict("no", status=409, body=FAILING)) == FAILING
    assert validation_in(Conflict("busy", status=409, body={"message": "The model is being replaced already."})) is None
    assert validation_in(Conflict("busy", status=409, body=None)) is None
    assert validation_in(Unprocessable("no", status=422, body=FAILING)) is None
    assert validation_in(BadRequest("no", status=400)) is None
