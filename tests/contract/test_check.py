"""The checker: as strict as the contract is known, and no stricter."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider.contract import check_arguments, check_body, check_value, contract

ID = "5e1b6d1c2f8a4b0012345678"
NONSENSE: list[Any] = [{}, [], ["x"], "x", 0, None, {"a": {"b": [None]}}, True]


def body_faults(operation_id: str, body: Any) -> list[str]:
    return check_body(contract().operation(operation_id), body, contract())


def argument_faults(operation_id: str, **arguments: Any) -> list[str]:
    return check_arguments(contract().operation(operation_id), arguments, contract())


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        # Inferred from one sample whose value was a number: a classification label must pass (wire.md D).
        ("submitDeploymentActualsFromJson", {"data": [{"associationId": "1", "actualValue": "yes"}]}),
        ("submitDeploymentActualsFromJson", {"data": [{"associationId": "1", "actualValue": 1.5}]}),
        ("submitDeploymentActualsFromJson", {"data": [{"associationId": "1", "actualValue": ["a", "b"]}]}),
        # Keys that the sample lacks (wire.md I).
        (
            "submitDeploymentCustomMetricValuesFromJson",
            {"buckets": [{"value": 1, "batch": "b", "segments": [{"name": "a", "value": "b"}]}]},
        ),
        ("replaceDeploymentModel", {"modelPackageId": ID, "reason": "OTHER", "brandNew": {"deep": [1]}}),
        ("updateDeploymentHealthSettings", {"service": 7, "anything": None}),
        ("updateDeploymentSettings", {"targetDrift": {"enabled": "a word the sample does not have"}}),
        # A page's own example.
        (
            "createChangeRequest",
            {
                "action": "replaceModelPackage",
                "autoApply": False,
                "entityType": "deployment",
                "entityId": ID,
                "change": {"modelPackageId": ID, "replacementReason": "accuracy"},
            },
        ),
        ("createChangeRequest", {"action": "delete", "entityType": "deployment", "entityId": ID, "autoApply": False}),
    ],
)
def test_what_the_service_may_take_passes(operation: str, body: Any) -> None:
    assert body_faults(operation, body) == []


@pytest.mark.parametrize(
    ("operation", "body", "fault"),
    [
        ("submitDeploymentActualsFromJson", [1], "must be an object, not [1] @ $"),
        ("createDeploymentChallenger", "text", "must be an object, not 'text' @ $"),
        ("replaceDeploymentModel", None, "replaceDeploymentModel needs a body @ $"),
        ("getDeployment", {}, "getDeployment takes no body @ $"),
        ("replaceDeploymentModel", {"modelPackageId": ID}, "required @ $.reason"),
        (
            "replaceDeploymentModel",
            {"modelPackageId": ID, "modelId": ID, "reason": "OTHER"},
            "exactly one of modelPackageId, modelId must be given @ $",
        ),
        (
            "replaceDeploymentModel",
            {"modelId": ID, "reason": "other"},
            "DATA_DRIFT, ERRORS, SCHEDULED_REFRESH, SCORING_SPEED, OTHER, not 'other' @ $.reason",
        ),
        (
            "createChangeRequest",
            {"action": "explode", "entityType": "deployment", "entityId": ID},
            "not 'explode' @ $.action",
        ),
        ("createChangeRequestReview", {"changeVersionId": ID}, "required @ $.status"),
        ("updateChangeRequest", {"comment": "x" * 10_001}, "must have at most 10000 characters, not 10001 @ $.comment"),
        ("createApprovalPolicy", {"name": 7}, "must be string, not 7 @ $.name"),
    ],
)
def test_what_is_known_to_be_wrong_is_named_with_its_place(operation: str, body: Any, fault: str) -> None:
    faults = body_faults(operation, body)
    assert any(one.endswith(fault) for one in faults), faults


def test_neither_model_nor_package_is_refused() -> None:
    wanted = ["exactly one of modelPackageId, modelId must be given @ $"]
    assert body_faults("replaceDeploymentModel", {"reason": "OTHER"}) == wanted
    assert body_faults("validateDeploymentModelReplacement", {}) == wanted


def test_all_faults_are_told_at_once() -> None:
    faults = body_faults("createApprovalPolicy", {"name": 7, "active": "yes", "trigger": []})
    assert len(faults) >= 3


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("getDeployment", {"deploymentId": ID}),
        ("listDeployments", {"serviceHealth": ["failing", "passing"], "limit": 10}),
        ("listDeployments", {"serviceHealth": "failing"}),
        ("listDeployments", {"tagKeys": ["a", "b"]}),
        ("listDeployments", {"tagKeys": "a"}),
        ("listChangeRequests", {"entityType": "deployment", "myRequests": True}),
        ("listChangeRequests", {"entityType": "DEPLOYMENT", "status": ["pending", "approved"]}),
        ("listModelPackages", {"forChallenger": False}),
        ("listDeployments", {"limit": None}),
    ],
)
def test_arguments_that_pass(operation: str, arguments: dict[str, Any]) -> None:
    assert argument_faults(operation, **arguments) == []


@pytest.mark.parametrize(
    ("operation", "arguments", "fault"),
    [
        ("getDeployment", {}, "required @ $.deploymentId"),
        ("getDeployment", {"deploymentId": None}, "required @ $.deploymentId"),
        ("getDeployment", {"deploymentId": ""}, "must be an id without blanks and '/', not '' @ $.deploymentId"),
        ("getDeployment", {"deploymentId": " x"}, "not ' x' @ $.deploymentId"),
        ("getDeployment", {"deploymentId": "a/b"}, "not 'a/b' @ $.deploymentId"),
        ("getDeployment", {"deploymentId": ".."}, "not '..' @ $.deploymentId"),
        ("getDeployment", {"deploymentId": 7}, "not 7 @ $.deploymentId"),
        (
            "getDeployment",
            {"deploymentId": ID, "deployment": ID},
            "getDeployment has no argument 'deployment'; it has deploymentId @ $.deployment",
        ),
        ("listDeployments", {"status": ["active", "asleep"]}, "not 'asleep' @ $.status[1]"),
        ("listDeployments", {"limit": "ten"}, "must be integer, not 'ten' @ $.limit"),
        ("listDeployments", {"limit": True}, "must be integer, not True @ $.limit"),
    ],
)
def test_arguments_that_do_not(operation: str, arguments: dict[str, Any], fault: str) -> None:
    faults = argument_faults(operation, **arguments)
    assert any(one.endswith(fault) for one in faults), faults


def test_an_incomplete_enum_is_no_enum() -> None:
    assert check_value({"type": "string", "enum": ["a"], "x-enum-incomplete": True}, "b", contract()) == []
    assert check_value({"type": "string", "enum": ["a"]}, "b", contract()) == ["must be one of a, not 'b' @ $"]


def test_a_spelling_of_a_word_passes_and_the_canonical_one_is_named() -> None:
    schema = {"enum": ["ok", "Ok", "OK"], "x-canonical": ["ok"]}
    assert check_value(schema, "OK", contract()) == []
    assert check_value(schema, "oK", contract()) == ["must be one of ok, not 'oK' @ $"]


def test_alternatives_that_exclude_each_other() -> None:
    schema = {"oneOf": [{"type": "string"}, {"enum": ["a"]}]}
    assert check_value(schema, "b", contract()) == []
    assert check_value(schema, "a", contract()) == ["fits 2 alternatives that exclude each other @ $"]
    assert check_value(schema, 7, contract()) == ["must be string, not 7 @ $"]


def test_all_parts_of_a_whole_are_checked() -> None:
    schema = {"allOf": [{"required": ["a"]}, {"properties": {"b": {"type": "string"}}}]}
    assert check_value(schema, {"b": 1}, contract()) == ["required @ $.a", "must be string, not 1 @ $.b"]


def test_a_long_value_is_shown_in_part() -> None:
    (fault,) = check_value({"type": "integer"}, "x" * 500, contract())
    assert len(fault) < 120


def test_every_operation_can_be_checked_against_nonsense() -> None:
    """No schema of the contract makes the checker itself fail."""
    for operation in contract().operations.values():
        for nonsense in NONSENSE:
            assert isinstance(check_body(operation, nonsense, contract()), list)
        for parameter in operation.parameters:
            for value in NONSENSE:
                assert isinstance(check_arguments(operation, {parameter.name: value}, contract()), list)


@pytest.mark.parametrize("action", [[], {}, None, 5])
def test_a_discriminator_of_any_type_is_a_fault_and_no_crash(action: object) -> None:
    operation = contract().operation("createChangeRequest")
    [fault] = check_body(operation, {"action": action}, contract())
    assert fault.endswith("@ $.action")
