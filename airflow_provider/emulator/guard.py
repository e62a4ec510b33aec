"""Who may come in, and in which form: token, media type, arguments and body as far as the contract is known."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider.contract import Operation, Parameter, check_arguments, check_body, check_value, contract
from airflow_provider.emulator.answers import JSON, Answer, invalid, refuse
from airflow_provider.emulator.bulk import bulk_of, faults_of
from airflow_provider.emulator.store import Record, Store
from airflow_provider.emulator.uploads import FILE_FIELD, Upload

MULTIPART = "multipart/form-data"
SCHEMES = ("bearer", "token")  # the server must take both: wire.md B
NEVER_SPLIT = ("tagKeys", "tagValues")  # clients repeat the key for these: wire.md C
NUMBERS = {"integer": int, "number": float}


def user_of(header: str | None, store: Store) -> Record:
    """The user whose token the ``Authorization`` header carries; 401 otherwise, without a word of the header."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() not in SCHEMES or not token.strip():
        raise refuse(401, "Invalid Authorization header: give it as 'Bearer <token>' or 'Token <token>'.")
    for user in store.rows("users"):
        if user["token"] == token.strip():
            return user
    raise refuse(401, "Invalid Authorization header: the token is not known or has expired.")


def read_query(operation: Operation, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The query as values: numbers, booleans in both renderings, lists repeated or joined by commas."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    return {name: _value(operation.parameter(name), name, values) for name, values in given.items()}


def _value(parameter: Parameter | None, name: str, values: list[str]) -> Any:
    schema: Mapping[str, Any] = parameter.schema if parameter else {}
    if schema.get("type") == "array" or "x-documented-type" in schema:
        split = [part for value in values for part in ([value] if name in NEVER_SPLIT else value.split(","))]
        return [part for part in split if part]
    value = values[-1]
    if schema.get("type") == "boolean" and value.lower() in ("true", "false"):
        return value.lower() == "true"
    number = NUMBERS.get(str(schema.get("type")))
    if number is not None:
        try:
            return number(value)
        except ValueError:
            return value
    return value


def checked_arguments(
    operation: Operation, path: Mapping[str, str], query: Mapping[str, Any], unknown: str
) -> dict[str, Any]:
    """Path and query arguments, held against the contract; 422 with a text per field.

    :param unknown: value of the switch ``unknown_query``
    """
    known = {name: value for name, value in query.items() if operation.parameter(name) is not None}
    faults = check_arguments(operation, {**path, **known}, contract())
    if unknown == "refuse_422":
        faults += [f"{name} is not a known argument @ $.{name}" for name in query if name not in known]
    if faults:
        raise invalid(faults)
    return {**path, **known}


def read_body(operation: Operation, content: bytes | Upload, content_type: str | None) -> Any:
    """The body of a write: JSON, or the fields of an upload.

    A GET's body is ignored (one public client sends filters there: wire.md C).
    """
    if not operation.writes or not content:
        return None
    if isinstance(content, Upload) or operation.body_media_type not in (None, JSON):
        return _read_upload(operation, content, content_type)
    if content_type is not None and content_type.partition(";")[0].strip().lower() != JSON:
        raise refuse(415, f"Unsupported media type {content_type!r}; send {operation.body_media_type or JSON}.")
    try:
        return json.loads(content, parse_constant=_no_json)
    except ValueError:
        raise refuse(400, "The body is not valid JSON.") from None


def _read_upload(operation: Operation, content: bytes | Upload, content_type: str | None) -> Any:
    if not isinstance(content, Upload) or operation.body_media_type != content.media_type:
        raise refuse(415, f"Unsupported media type {content_type!r}; send {operation.body_media_type or JSON}.")
    if content.fault is not None:
        raise refuse(400, content.fault)
    body = content.body()
    if content.media_type == MULTIPART and FILE_FIELD not in body:  # the text of the documented 422
        raise refuse(422, "The request cannot be processed. The request did not contain file contents.")
    return body


def _no_json(word: str) -> None:
    """NaN and Infinity, which Python writes and reads though they are no JSON."""
    raise ValueError(word)


def check_request_body(operation: Operation, body: Any) -> None:
    """422 where the contract knows that the body is wrong; a body that nobody documents is ignored."""
    if operation.body is None:
        return
    bulk = bulk_of(operation, body)
    faults = faults_of(operation, body, bulk) if bulk else check_body(operation, body, contract())
    if faults:
        raise invalid(faults)


def faults_of_answer(operation: Operation, answer: Answer) -> list[str]:
    """Where our own answer departs from the contract; empty where it fits."""
    documented = operation.responses.get(str(answer.status))
    if documented is None:
        return [f"{answer.status} is not documented for {operation.id} @ $"]
    faults = [f"header required @ $.{name}" for name in documented.get("headers", {}) if name not in answer.headers]
    if answer.raw is not None or answer.file is not None:
        kinds = documented.get("content", {})
        fits = any(fnmatch.fnmatch(answer.content_type or "", kind) for kind in kinds)
        return faults if fits else [*faults, f"{answer.content_type} is not documented @ $"]
    schema = operation.response_schema(answer.status)
    if schema is None:
        return faults + ([] if answer.body is None else ["no body is documented @ $"])
    if answer.body is None:
        allowed = documented.get("x-empty-allowed")
        return faults if allowed else [*faults, "a body is documented @ $"]
    return faults + check_value(schema, answer.body, contract())
