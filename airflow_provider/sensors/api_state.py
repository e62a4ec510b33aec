"""Waiting for any object of the service that tells its own state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import prepare
from airflow_provider.api.waits import WordWait
from airflow_provider.contract.secrets import mask
from airflow_provider.tasks import arguments
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client


class DataRobotApiStateSensor(DataRobotBaseSensor):
    """Calls one reading operation of the contract until a field of its answer says one of some words.

    :param operation_id: as in the contract, ``getDeploymentRetrainingPolicyRun`` for example.
    :param arguments: path and query arguments under their documented names.
    :param done: the word, or words, that are waited for (``true`` for a boolean).
    :param failed: words at which the sensor fails.
    :param field: where the word stands in the answer; dots lead into objects (``latestRun.status``).
    :param message: where the answer tells why it failed.

    Returns the answer; fields that hold secrets are masked. Fails with InvalidCall, with the service's words at one of
    ``failed``, when there is no such object, and after ``timeout``.
    """

    template_fields = (
        *DataRobotBaseSensor.template_fields,
        "operation_id",
        "arguments",
        "done",
        "failed",
        "field",
        "message",
    )

    def __init__(
        self,
        *,
        operation_id: str,
        arguments: Mapping[str, Any] | str | None = None,
        done: str | Sequence[str],
        failed: str | Sequence[str] = (),
        field: str = "status",
        message: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.operation_id = operation_id
        self.arguments = arguments
        self.done = done
        self.failed = failed
        self.field = field
        self.message = message

    def prepare(self) -> None:
        """Checks operation and arguments against the contract before anything is sent."""
        self._given = arguments.mapping("arguments", self.arguments) or {}
        self._call = prepare(self.operation_id, self._given)
        if self._call.operation.writes:
            raise InvalidCall(f"a sensor reads, and {self.operation_id} writes")
        self.done, self.failed = (arguments.several(name, getattr(self, name)) for name in ("done", "failed"))
        if not self.done:
            raise InvalidCall("done must name the word that is waited for")
        if arguments.absent(self.field):
            raise InvalidCall(f"field must be where the word stands in the answer, not {self.field!r}")

    def identity(self) -> dict[str, Any]:
        """What is asked for, and the words."""
        return {"operation_id": self.operation_id, "arguments": self._given, "field": self.field, "done": self.done}

    def wait(self, client: Client) -> WordWait:
        """The object until it says one of the words."""
        told = None if arguments.absent(self.message) else self.message
        return WordWait(self._call.target, self.field, list(self.done), list(self.failed), told)

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> Any:
        """The object, asked for once more: what the trigger told is the word alone."""
        return mask(client.send(self._call).object())
