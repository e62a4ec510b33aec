"""Our checker against jsonschema, an independent judge: on values near each schema both say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider.contract import check_value, contract

Strategy = st.SearchStrategy[Any]
PLAIN = ("type", "required", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum")
JUNK: Strategy = st.sampled_from([None, True, 0, -1, 1.5, "", "?", [], [None], {}, {"a": 1}])
ENFORCED = sorted(name for name, schema in contract().schemas.items() if not schema.get("x-inferred"))
CORRECTED = sorted(name for name, schema in contract().schemas.items() if "x-known" in schema)


def as_json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a contract schema that rule and corrections enforce, in the words of JSON Schema."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace("#/components/schemas/", "#/$defs/")}
    if schema.get("x-inferred"):
        kind = {"type": "object"} if schema.get("type") == "object" else {}
        return {**kind, **({"allOf": [as_json_schema(schema["x-known"])]} if "x-known" in schema else {})}
    plain = {key: schema[key] for key in PLAIN if key in schema}
    if "enum" in schema and not schema.get("x-enum-incomplete"):
        plain["enum"] = schema["enum"]
    if "properties" in schema:
        plain["properties"] = {name: as_json_schema(child) for name, child in schema["properties"].items()}
    if "items" in schema:
        plain["items"] = as_json_schema(schema["items"])
    for combiner in ("oneOf", "anyOf", "allOf"):
        if combiner in schema:
            loose = combiner == "oneOf" and schema.get("x-combiner-assumed")
            plain["anyOf" if loose else combiner] = [as_json_schema(one) for one in schema[combiner]]
    return plain


DEFS = {name: as_json_schema(schema) for name, schema in contract().schemas.items()}


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$defs": DEFS, "$ref": f"#/$defs/{name}"})


def near(schema: Mapping[str, Any], depth: int = 0) -> Strategy:
    """Values that mostly fit a schema, with something else here and there."""
    schema = contract().resolve(schema)
    schema = schema.get("x-known", schema)
    if depth > 3:
        return JUNK
    branches = schema.get("oneOf") or schema.get("anyOf")
    if branches and "properties" not in schema:
        fitting: Strategy = st.one_of([near(one, depth + 1) for one in branches])
    elif "enum" in schema:
        fitting = st.sampled_from(schema["enum"])
    else:
        kinds = schema.get("type") or ["string", "integer", "object"]
        fitting = st.one_of([of_type(kind, schema, depth) for kind in ([kinds] if isinstance(kinds, str) else kinds)])
    return st.one_of(fitting, fitting, fitting, fitting, JUNK)


def of_type(kind: str, schema: Mapping[str, Any], depth: int) -> Strategy:
    match kind:
        case "object":
            parts = {name: near(child, depth + 1) for name, child in schema.get("properties", {}).items()}
            needed = {name: parts.get(name, JUNK) for name in schema.get("required", ())}
            others = {name: part for name, part in parts.items() if name not in needed}
            whole = st.fixed_dictionaries(needed, optional=others)
            if not needed:
                return whole
            return st.one_of(whole, whole, st.fixed_dictionaries({}, optional=parts or {"x": JUNK}))
        case "array":
            return st.lists(near(schema.get("items", {}), depth + 1), max_size=schema.get("minItems", 1) + 2)
        case "string":
            edges = [schema[key] for key in ("minLength", "maxLength") if key in schema] or [0, 3]
            return st.sampled_from(sorted({max(0, edge + step) for edge in edges for step in (-1, 0, 1)})).map(
                "a".__mul__
            )
        case "integer":
            return st.integers(-2, 3) | st.integers(10**6, 10**7) | st.sampled_from([1.0, 1.5])
        case "number":
            return st.floats(-2, 3) | st.integers(-2, 3)
        case "boolean":
            return st.booleans()
        case _:
            return st.none()


@pytest.mark.parametrize("name", CORRECTED)
@given(data=st.data())
@settings(max_examples=60, database=None)
def test_corrected_schemas_are_judged_the_same(name: str, data: st.DataObject) -> None:
    value = data.draw(near(contract().schemas[name]))
    assert (check_value(contract().schemas[name], value, contract()) == []) == validator(name).is_valid(value)


@given(name=st.sampled_from(ENFORCED), data=st.data())
@settings(max_examples=500, database=None)
def test_enforced_schemas_are_judged_the_same(name: str, data: st.DataObject) -> None:
    value = data.draw(near(contract().schemas[name]))
    assert (check_value(contract().schemas[name], value, contract()) == []) == validator(name).is_valid(value)


@given(value=JUNK, name=st.sampled_from(sorted(contract().schemas)))
def test_junk_is_judged_the_same(value: Any, name: str) -> None:
    assert (check_value(contract().schemas[name], value, contract()) == []) == validator(name).is_valid(value)


def test_the_judge_accepts_what_it_is_given() -> None:
    jsonschema.Draft202012Validator.check_schema({"$defs": DEFS})
