"""What is sent, without sending it: a call is made of the contract and checked before it exists (:func:`prepare`).

Nothing here has a clock, dice or a transport. Answers are in ``answers.py``, what servers point to in
``locations.py``; both are names of this module too.
"""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.locations import local_path
from airflow_provider.api.moments import aware
from airflow_provider.api.uploads import Stream, Upload
from airflow_provider.contract import (
    Operation,
    Parameter,
    UnknownOperation,
    check_arguments,
    check_body,
    check_value,
    contract,
)

__all__ = ["Answer", "Call", "local_path", "prepare", "reading"]

log = logging.getLogger(__name__)
_told: set[str] = set()

MULTIPART = "multipart/form-data"
JSON = "application/json"
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``path`` is filled and relative to the API root.

    ``body`` is plain JSON, None for no body, bytes (JSON that was made and checked row by row elsewhere), or a file.
    """

    operation: Operation
    path: str
    query: Pairs = ()
    body: Any = field(default=None, repr=False)  # it may hold secrets
    headers: Pairs = field(default=(), repr=False)

    @property
    def target(self) -> str:
        """Path and query, relative to the API root."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def media_type(self) -> str | None:
        """What the body is; None without a body."""
        return None if self.body is None else (self.operation.body_media_type or JSON)

    @property
    def shown(self) -> Any:
        """The body as plain JSON, for plans and logs: bytes by their length, a file by its name."""
        if isinstance(self.body, (Upload, Stream)):
            return self.body.plain()
        return f"{len(self.body)} bytes" if isinstance(self.body, bytes) else self.body

    def content(self) -> bytes | None:
        """The body as bytes, None where it is none or a file; raises :class:`InvalidCall` where JSON has no form."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, (Upload, Stream)):
            return None
        try:
            return json.dumps(self.body, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError) as error:
            raise InvalidCall(f"the body cannot be written as JSON: {error}", operation=self.operation.id) from None


def prepare(
    operation_id: str,
    arguments: Mapping[str, Any] | None = None,
    body: Any = None,
    extra_body: Mapping[str, Any] | None = None,
) -> Call:
    """A call of one operation, checked against the contract as far as that is known.

    :param arguments: path, query and header arguments by their documented names; None counts as absent. Lists of
        documented lists are sent joined by commas, others as repeated keys (wire.md C). Datetimes are written in
        ISO form, here and in the body; a naive one is taken as UTC.
    :param extra_body: keys that the contract does not know, laid over the body unchecked (objects are merged, all
        else is replaced). A documented key may stand here too: what it supplies is not missed in the body.
    :raises InvalidCall: with every fault as ``text @ $.path``.
    """
    try:
        operation = contract().operation(operation_id)
    except UnknownOperation as error:
        raise InvalidCall(str(error)) from None
    given = {name: _dated(value) for name, value in (arguments or {}).items() if value is not None}
    faults = check_arguments(operation, given, contract())
    body, more = _body(operation, _dated(body), _dated(dict(extra_body or {})))
    if faults or more:
        raise InvalidCall("; ".join([*faults, *more]), operation=operation.id)
    _tell(operation)
    return Call(
        operation=operation,
        path=_filled(operation, given),
        query=tuple(_in("query", operation, given)),
        headers=tuple(_in("header", operation, given)),
        body=body,
    )


def reading(target: str) -> Call:
    """A GET of a path and query relative to the API root, as waits ask for; named after its operation, if any."""
    path = target.partition("?")[0]
    found = next((one for pattern, one in _getters() if pattern.fullmatch(path)), None)
    return Call(operation=found or replace(contract().operation("getStatus"), id=f"GET {path}", path=path), path=target)


def _body(operation: Operation, body: Any, extra: Any) -> tuple[Any, list[str]]:
    """The body to send and what is wrong with it."""
    kind = {MULTIPART: Upload, None: None, JSON: None}.get(operation.body_media_type, Stream)
    given = type(body) if isinstance(body, (Upload, Stream)) else None
    if body is not None and given is not kind:
        what = "no file" if kind is None else f"a file (airflow_provider.api.uploads.{kind.__name__})"
        return body, [f"{operation.id} takes {what} @ $"]
    if isinstance(body, Stream):
        return body, ["extra_body has no place in a body that is a file and nothing else @ $"] if extra else []
    if isinstance(body, Upload):
        body = replace(body, fields=(*body.fields, *((name, str(value)) for name, value in extra.items())))
        return body, check_body(operation, body.plain(), contract())
    faults = check_body(operation, body, contract())
    if extra:
        if body is not None and not isinstance(body, dict):
            return body, [f"extra_body needs a body that is an object, not {type(body).__name__} @ $"]
        merged = _merged(body or {}, extra)
        remain = set(check_body(operation, merged, contract())) if operation.body is not None else set()
        body, faults = merged, [fault for fault in faults if fault in remain]
    elif body is not None and not faults and log.isEnabledFor(logging.DEBUG):
        _tell_guesses(operation, body)
    return body, faults


def _merged(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(body)
    for key, value in extra.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result


def _dated(value: Any) -> Any:
    """The same value with each datetime written out."""
    if isinstance(value, datetime):
        return aware(value).isoformat()
    if isinstance(value, Mapping):
        return {key: _dated(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_dated(item) for item in value]
    return value


def _filled(operation: Operation, given: Mapping[str, Any]) -> str:
    path = operation.path
    for parameter in operation.parameters:
        if parameter.where == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(given[parameter.name], safe=""))
    return path


def _in(where: str, operation: Operation, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for parameter in operation.parameters:
        if parameter.where == where and parameter.name in given:
            yield from ((parameter.name, text) for text in _texts(parameter, given[parameter.name]))


def _texts(parameter: Parameter, value: Any) -> list[str]:
    items = [_text(item) for item in value] if isinstance(value, list) else [_text(value)]
    return [",".join(items)] if parameter.schema.get("type") == "array" else items


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@functools.cache
def _getters() -> list[tuple[re.Pattern[str], Operation]]:
    """What each GET path looks like, the most literal first."""
    getters = [one for one in contract().operations.values() if one.method == "GET"]
    getters.sort(key=lambda one: one.path.count("{"))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(one.path).rstrip("/")) + "/?"), one) for one in getters]


def _once(key: str) -> bool:
    first = key not in _told
    _told.add(key)
    return first


def _tell(operation: Operation) -> None:
    if operation.deprecated and _once(f"deprecated {operation.id}"):
        log.warning("%s is deprecated by the service", operation.id)
    if operation.preview and _once(f"preview {operation.id}"):
        log.info("%s is a public preview: the service may change it without notice", operation.id)


def _tell_guesses(operation: Operation, body: Any) -> None:
    """Says once what a guessed schema does not know; the service decides about it."""
    schema = contract().resolve(operation.body or {})
    if not schema.get("x-inferred") or not isinstance(body, dict):
        return
    known = {**schema.get("properties", {}), **schema.get("x-known", {}).get("properties", {})}
    guessed = {"type": "object", "properties": schema.get("properties", {})}
    notes = [f"unknown key {key!r}" for key in body if key not in known]
    # Which field, not which value: a value may be a secret.
    others = check_value(guessed, body, contract())
    notes += [f"not as in the page's sample: {fault.rpartition(' @ ')[2]}" for fault in others]
    for note in notes:
        if _once(f"{operation.id} {note}"):
            log.debug("%s: %s; sent as it is, the service decides", operation.id, note)
