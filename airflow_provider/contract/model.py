"""What the contract knows, as small frozen classes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Schema = Mapping[str, Any]
Where = Literal["path", "query", "header"]

API_ROOT = "/api/v2/"


class UnknownOperation(LookupError):
    """No operation of this id stands in the contract."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an operation that travels in the path, the query or a header."""

    name: str
    where: Where
    required: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class Operation:
    """One documented route with one verb.

    ``path`` is relative to the API root (``deployments/{deploymentId}/model/``), so that an endpoint
    on any host and below any prefix can serve it.
    """

    id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Schema | None
    body_media_type: str | None
    body_required: bool
    responses: Mapping[str, Any]
    tags: tuple[str, ...]
    deprecated: bool
    preview: bool
    notes: tuple[str, ...]

    @property
    def writes(self) -> bool:
        """Whether the call may change something: every verb but GET."""
        return self.method != "GET"

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name, or None."""
        return next((one for one in self.parameters if one.name == name), None)

    def response_schema(self, status: int) -> Schema | None:
        """The schema of a JSON answer with this status, or None where the pages show none."""
        content = self.responses.get(str(status), {}).get("content", {})
        schema: Schema | None = content.get("application/json", {}).get("schema")
        return schema


@dataclass(frozen=True, slots=True)
class Contract:
    """All operations by id, and the schemas that they name."""

    operations: Mapping[str, Operation]
    schemas: Mapping[str, Schema]
    corrections: tuple[Mapping[str, Any], ...]

    def operation(self, operation_id: str) -> Operation:
        """The operation of this id; raises :class:`UnknownOperation` with the nearest names."""
        try:
            return self.operations[operation_id]
        except KeyError:
            near = difflib.get_close_matches(operation_id, self.operations, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise UnknownOperation(f"the contract has no operation {operation_id!r}{hint}") from None

    def resolve(self, schema: Schema) -> Schema:
        """Follow ``$ref`` until a schema with content is reached."""
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[-1]]
        return schema
