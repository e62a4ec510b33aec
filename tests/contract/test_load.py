"""The loader: what it knows, what it refuses, what the additions and corrections do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider.contract import ContractError, UnknownOperation, contract, load
from airflow_provider.contract.model import API_ROOT

FOLDER = Path(load.__file__).parent
DOCUMENT: dict[str, Any] = json.loads((FOLDER / "datarobot-api.openapi.json").read_text())


def test_every_documented_operation_is_known() -> None:
    documented = {one["operationId"] for item in DOCUMENT["paths"].values() for one in item.values()}
    assert len(documented) == 183
    assert documented <= set(contract().operations)


def test_the_routes_that_the_pages_leave_out_are_added() -> None:
    operations = contract().operations
    added = {one for one in operations if not any(one in str(item) for item in DOCUMENT["paths"].values())}
    assert {"getVersion", "getStatus", "deleteStatus", "listStatuses", "createDeploymentFromModelPackage"} <= added


def test_paths_are_relative_and_end_with_a_slash() -> None:
    for operation in contract().operations.values():
        assert operation.path.endswith("/")
        assert not operation.path.startswith("/")
        named = {one.name for one in operation.parameters if one.where == "path"}
        assert all(f"{{{name}}}" in operation.path for name in named)
        assert operation.path.count("{") == len(named)


def test_a_get_never_writes_and_everything_else_does() -> None:
    assert not contract().operation("getDeployment").writes
    assert {one.method for one in contract().operations.values() if one.writes} == {"POST", "PUT", "PATCH", "DELETE"}


def test_an_unknown_operation_names_the_nearest_ones() -> None:
    with pytest.raises(UnknownOperation, match=r"no operation 'getDeploymnt'; did you mean getDeployment"):
        contract().operation("getDeploymnt")
    with pytest.raises(UnknownOperation, match=r"^the contract has no operation 'xyzzy'$"):
        contract().operation("xyzzy")


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"type": "object", "minProperties": 1}, "minProperties"),
        ({"type": "object", "properties": {"a": {"not": {}}}}, "x/properties/a: unknown schema keyword not"),
        ({"items": {"oneOf": [{"contains": {}}]}}, "x/items/oneOf/0: unknown schema keyword contains"),
        ({"x-known": {"type": "object", "if": {}}}, "x/x-known: unknown schema keyword if"),
        ({"additionalProperties": {"multipleOf": 2}}, "x/additionalProperties: unknown schema keyword multipleOf"),
        ([], "must be an object"),
    ],
)
def test_an_unknown_schema_keyword_is_refused_wherever_it_stands(schema: Any, named: str) -> None:
    with pytest.raises(ContractError, match=named):
        load._refuse_unknown(schema, "x")


def test_an_addition_must_not_replace_what_a_page_says() -> None:
    document: dict[str, Any] = {"paths": {"/api/v2/a/": {"get": {}}}, "components": {"schemas": {"S": {}}}}
    with pytest.raises(ContractError, match=r"new.json: GET /api/v2/a/ is already in the contract"):
        load._merge_addition(document, {"paths": {"/api/v2/a/": {"get": {}}}}, "new.json")
    with pytest.raises(ContractError, match=r"new.json: schema S is already in the contract"):
        load._merge_addition(document, {"components": {"schemas": {"S": {}}}}, "new.json")


def test_a_correction_of_something_absent_is_refused() -> None:
    with pytest.raises(ContractError, match=r"correction 7: nothing at #/components/schemas/Nope/x"):
        load._correct(
            {"components": {"schemas": {}}}, {"number": 7, "at": ["#/components/schemas/Nope/x"], "merge": {}}
        )


def test_corrections_are_numbered_once_and_each_tells_its_evidence() -> None:
    corrections = contract().corrections
    numbers = [one["number"] for one in corrections]
    assert numbers == sorted(set(numbers))
    for one in corrections:
        assert set(one) == {"number", "title", "evidence", "at", "merge"}
        assert one["title"].strip()
        assert any(word in one["evidence"] for word in ("wire.md", "seed", "rule", "assumed"))
        assert one["at"]
        assert one["merge"]


def test_a_correction_is_seen_in_the_loaded_contract() -> None:
    assert contract().operation("listChangeRequests").response_schema(200) is not None
    answer = contract().operation("replaceDeploymentModel").response_schema(409)
    assert answer == {"$ref": "#/components/schemas/ModelReplacementValidationResponse"}
    assert "Location" in contract().operation("createDeploymentPredictionDataExport").responses["202"]["headers"]


def test_what_a_page_says_about_an_error_is_kept() -> None:
    assert contract().operation("createDeploymentChallengerPredictions").responses["429"]["description"] == (
        "Too Many Requests"
    )


def test_the_vendored_file_is_not_edited() -> None:
    assert "/api/v2/version/" not in DOCUMENT["paths"]
    assert DOCUMENT["info"]["version"] == "2.0"
    assert API_ROOT == "/api/v2/"


@pytest.mark.parametrize(
    ("target", "patch", "merged"),  # from RFC 7396, appendix A
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(target: Any, patch: Any, merged: Any) -> None:
    assert load._merge_patch(target, patch) == merged
