"""Checks values against the contract, as far as the contract is known, and answers in ``text @ $.path`` lines.

Schemas that were typed from a table are enforced in full. Schemas that were guessed from one sample
(``x-inferred``) are enforced only so far: the value is an object where the sample was one, and whatever a numbered
correction states under ``x-known`` holds. Unknown keys always pass: the service decides about them. An enum
that is marked incomplete is no enum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider.contract.model import Contract, Operation, Schema

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list, tuple),
    "null": (type(None),),
}
SHOWN = 60  # characters of a refused value that an error shows


def check_arguments(operation: Operation, arguments: Mapping[str, Any], contract: Contract) -> list[str]:
    """Faults of path, query and header arguments: unknown names, missing ones, values out of the documented set."""
    faults = [
        f"{operation.id} has no argument {name!r}; it has {', '.join(p.name for p in operation.parameters) or 'none'}"
        f" @ $.{name}"
        for name in arguments
        if operation.parameter(name) is None
    ]
    for parameter in operation.parameters:
        value = arguments.get(parameter.name)
        if value is None:
            if parameter.where == "path" or (parameter.required and "default" not in parameter.schema):
                faults.append(f"required @ $.{parameter.name}")
            continue
        if parameter.where == "path" and not _is_id(value):
            faults.append(f"must be an id without blanks and '/', not {_show(value)} @ $.{parameter.name}")
        elif parameter.where != "path":
            faults += check_value(parameter.schema, _as_documented(parameter.schema, value), contract, parameter.name)
    return faults


def _is_id(value: Any) -> bool:
    """Whether a value can stand in a path as one segment that names something."""
    return isinstance(value, str) and value not in ("", ".", "..") and not re.search(r"[\s/]", value)


def check_body(operation: Operation, body: Any, contract: Contract) -> list[str]:
    """Faults of a request body; a body where the operation takes none is a fault too."""
    if operation.body is None:
        return [] if body is None else [f"{operation.id} takes no body @ $"]
    if body is None:
        return [f"{operation.id} needs a body @ $"] if operation.body_required else []
    return check_value(operation.body, body, contract)


def check_value(schema: Schema, value: Any, contract: Contract, path: str = "") -> list[str]:
    """Faults of a value against a schema; an empty list where it fits."""
    return list(_faults(schema, value, contract, f"$.{path}" if path else "$"))


def _as_documented(schema: Schema, value: Any) -> Any:
    """A query value in the form that the page documents: one item for a list, a word for a boolean."""
    if schema.get("type") == "array" and not isinstance(value, (list, tuple)):
        return [value]
    if schema.get("type") == "string" and isinstance(value, bool):
        return "true" if value else "false"
    return value


def _faults(schema: Schema, value: Any, contract: Contract, path: str) -> Iterator[str]:
    schema = contract.resolve(schema)
    if schema.get("x-inferred"):
        if schema.get("type") == "object" and not isinstance(value, dict):
            yield f"must be an object, not {_show(value)} @ {path}"
        elif "x-known" in schema:
            yield from _faults(schema["x-known"], value, contract, path)
        return
    if "oneOf" in schema or "anyOf" in schema:
        yield from _branches(schema, value, contract, path)
    for part in schema.get("allOf", ()):
        yield from _faults(part, value, contract, path)
    wrong = _wrong_type(schema, value)
    if wrong:
        yield f"{wrong} @ {path}"
        return
    yield from (f"{fault} @ {path}" for fault in _bounds(schema, value))
    if isinstance(value, dict):
        yield from _object(schema, value, contract, path)
    elif isinstance(value, (list, tuple)) and "items" in schema:
        for number, item in enumerate(value):
            yield from _faults(schema["items"], item, contract, f"{path}[{number}]")


def _object(schema: Schema, value: dict[str, Any], contract: Contract, path: str) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"required @ {path}.{name}"
    for name, child in schema.get("properties", {}).items():
        if name in value:
            yield from _faults(child, value[name], contract, f"{path}.{name}")


def _branches(schema: Schema, value: Any, contract: Contract, path: str) -> Iterator[str]:
    discriminator = schema.get("discriminator")
    if discriminator and isinstance(value, dict):
        word = value.get(discriminator["propertyName"])
        mapping = discriminator["mapping"]
        if isinstance(word, str) and word in mapping:
            yield from _faults({"$ref": mapping[word]}, value, contract, path)
        else:
            yield f"must be one of {', '.join(mapping)}, not {_show(word)} @ {path}.{discriminator['propertyName']}"
        return
    exactly_one = "oneOf" in schema and not schema.get("x-combiner-assumed")
    found = [list(_faults(branch, value, contract, path)) for branch in schema.get("oneOf") or schema["anyOf"]]
    fitting = sum(not faults for faults in found)
    if exactly_one and fitting != 1 and all("required" in branch for branch in schema["oneOf"]):
        names = [name for branch in schema["oneOf"] for name in branch["required"]]
        yield f"exactly one of {', '.join(names)} must be given @ {path}"
    elif not fitting:
        yield from min(found, key=len)
    elif exactly_one and fitting > 1:
        yield f"fits {fitting} alternatives that exclude each other @ {path}"


def _wrong_type(schema: Schema, value: Any) -> str | None:
    wanted = schema.get("type")
    if wanted is None:
        return None
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    if any(_is(value, name) for name in names):
        return None
    return f"must be {' or '.join(names)}, not {_show(value)}"


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[name])


def _bounds(schema: Schema, value: Any) -> Iterator[str]:
    if "enum" in schema and not schema.get("x-enum-incomplete") and value not in schema["enum"]:
        allowed = schema.get("x-canonical") or schema["enum"]
        yield f"must be one of {', '.join(map(str, allowed))}, not {_show(value)}"
    if isinstance(value, str):
        yield from _length("characters", len(value), schema.get("minLength"), schema.get("maxLength"))
    elif isinstance(value, (list, tuple)):
        yield from _length("items", len(value), schema.get("minItems"), schema.get("maxItems"))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            yield f"must be at least {schema['minimum']}, not {value}"
        if value > schema.get("maximum", value):
            yield f"must be at most {schema['maximum']}, not {value}"
        if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
            yield f"must be more than {schema['exclusiveMinimum']}, not {value}"


def _length(unit: str, size: int, least: int | None, most: int | None) -> Iterator[str]:
    if least is not None and size < least:
        yield f"must have at least {least} {unit}, not {size}"
    if most is not None and size > most:
        yield f"must have at most {most} {unit}, not {size}"


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({type(value).__name__})"
