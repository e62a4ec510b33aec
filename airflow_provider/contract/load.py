"""Reads the contract: the vendored document, the additions of the same form, and the numbered corrections.

The vendored file is never edited. Routes that its pages leave out stand in ``additions/``, one file an area.
Where evidence shows a page to be wrong or silent, ``corrections/`` says so: each entry has a number, a title,
its evidence, a JSON pointer (or ``*`` for every operation) and a JSON merge patch. The reader refuses schema
keywords that it does not know: a rule that nobody checks would be worse than none.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from airflow_provider.contract.model import API_ROOT, Contract, Operation, Parameter

HERE = Path(__file__).parent
KNOWN_KEYWORDS = frozenset(
    {
        "$ref", "additionalProperties", "allOf", "anyOf", "default", "deprecated", "description", "discriminator",
        "enum", "examples", "exclusiveMinimum", "format", "items", "maxItems", "maxLength", "maximum", "minItems",
        "minLength", "minimum", "oneOf", "pattern", "properties", "required", "type",
    }
)  # fmt: skip
VERBS = ("get", "put", "post", "patch", "delete")


class ContractError(Exception):
    """The contract's own files are wrong."""


@functools.cache
def contract() -> Contract:
    """The whole contract, read once, on first use."""
    whole, corrections = document()
    schemas = whole["components"]["schemas"]
    for name, schema in schemas.items():
        _refuse_unknown(schema, f"#/components/schemas/{name}")
    operations = {operation.id: operation for operation in _operations(whole)}
    return Contract(operations=operations, schemas=schemas, corrections=tuple(corrections))


def document() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The OpenAPI document with additions and corrections, and the corrections in the order of their numbers."""
    whole: dict[str, Any] = _read(HERE / "datarobot-api.openapi.json")
    for file in _files("additions"):
        _merge_addition(whole, _read(file), file.name)
    corrections = sorted((one for file in _files("corrections") for one in _read(file)), key=lambda c: c["number"])
    for correction in corrections:
        _correct(whole, correction)
    return whole, corrections


def _files(folder: str) -> list[Path]:
    return sorted((HERE / folder).glob("*.json"))


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _merge_addition(document: dict[str, Any], addition: Mapping[str, Any], name: str) -> None:
    for path, item in addition.get("paths", {}).items():
        known = document["paths"].setdefault(path, {})
        for verb, operation in item.items():
            if verb in known:
                raise ContractError(f"{name}: {verb.upper()} {path} is already in the contract")
            known[verb] = operation
    for key, schema in addition.get("components", {}).get("schemas", {}).items():
        if key in document["components"]["schemas"]:
            raise ContractError(f"{name}: schema {key} is already in the contract")
        document["components"]["schemas"][key] = schema


def _correct(document: dict[str, Any], correction: Mapping[str, Any]) -> None:
    for pointer in correction["at"]:
        if pointer == "*":
            for item in document["paths"].values():
                for operation in item.values():
                    _merge_below(operation, correction["merge"])
        else:
            *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
            place = document
            for part in parents:
                try:
                    place = place[part]
                except KeyError:
                    raise ContractError(f"correction {correction['number']}: nothing at {pointer}") from None
            place[last] = _merge_patch(place.get(last), correction["merge"])


def _merge_below(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Like a merge patch, but what the pages already say stays."""
    for key, value in patch.items():
        if isinstance(value, dict):
            _merge_below(target.setdefault(key, {}), value)
        else:
            target.setdefault(key, value)


def _merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge_patch(merged.get(key), value)
    return merged


def _refuse_unknown(schema: Any, where: str) -> None:
    if not isinstance(schema, Mapping):
        raise ContractError(f"{where}: a schema must be an object")
    unknown = [key for key in schema if key not in KNOWN_KEYWORDS and not key.startswith("x-")]
    if unknown:
        raise ContractError(f"{where}: unknown schema keyword {', '.join(sorted(unknown))}")
    for key, child in _children(schema):
        _refuse_unknown(child, f"{where}/{key}")


def _children(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, child in schema.get("properties", {}).items():
        yield f"properties/{name}", child
    for keyword in ("oneOf", "anyOf", "allOf"):
        for number, child in enumerate(schema.get(keyword, [])):
            yield f"{keyword}/{number}", child
    for keyword in ("items", "additionalProperties", "x-known"):
        if isinstance(schema.get(keyword), Mapping):
            yield keyword, schema[keyword]


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for verb in VERBS:
            if verb in item:
                yield _operation(path.removeprefix(API_ROOT), verb.upper(), item[verb])


def _operation(path: str, method: str, raw: Mapping[str, Any]) -> Operation:
    for parameter in raw.get("parameters", ()):
        _refuse_unknown(parameter["schema"], f"{raw['operationId']}/{parameter['name']}")
    body = raw.get("requestBody")
    media_type, content = next(iter(body["content"].items())) if body else (None, {})
    return Operation(
        id=raw["operationId"],
        method=method,
        path=path,
        parameters=tuple(
            Parameter(name=one["name"], where=one["in"], required=one["required"], schema=one["schema"])
            for one in raw.get("parameters", ())
        ),
        body=content.get("schema"),
        body_media_type=media_type,
        body_required=bool(body and (body.get("x-effective-required") or body["required"])),
        responses=raw["responses"],
        tags=tuple(raw.get("tags", ())),
        deprecated=bool(raw.get("deprecated")),
        preview=bool(raw.get("x-public-preview")),
        notes=tuple(raw.get("x-notes", ())),
    )
