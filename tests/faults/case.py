"""What a case is: an operator that writes, a good task of it, and what that task may do at the service."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.tasks import send

if TYPE_CHECKING:
    from tests.harness import Stage
    from tests.receiver import Receiver

Given = Mapping[str, Any]
CONNECTIONS = {"requester": "datarobot_default", "reviewer": "as_reviewer", "admin": "as_admin"}


@dataclass(frozen=True, slots=True)
class World:
    """Where a case prepares what its task needs.

    :param folder: empty, for files of this story.
    :param receiver: of webhooks.
    """

    stage: Stage
    folder: Path
    receiver: Receiver

    def send(self, method: str, path: str, body: Any = None, user: str = "requester") -> Any:
        """One request by raw HTTP, that must go well; its JSON."""
        return send(self.stage.service, user, method, path, body)

    def made(self, operator: str, user: str = "requester", **arguments: Any) -> Any:
        """What a task of another operator gives; it must go well."""
        from tests.stages import task

        given = {"datarobot_conn_id": CONNECTIONS[user], **arguments}
        ending = task(self.stage, kind_of(operator), **given).run()
        assert ending.state == "success", f"{operator}: {ending}"
        return ending.result

    def file(self, name: str, content: str) -> str:
        """A file of this story; its path."""
        path = self.folder / name
        path.write_text(content)
        return str(path)


def _nothing(world: World) -> Given:
    return {}


@dataclass(frozen=True)
class Case:
    """An operator with good arguments.

    :param operator: ``module.Name`` for ``airflow_provider.operators.module.DataRobotNameOperator``.
    :param effects: what the task does at the service when all goes well: how many commits of which effect.
    :param given: arguments.
    :param ready: prepares the world, and gives arguments that are known only then.
    :param user: who the task is.
    :param people: switches on who else is there.
    :param anew: a second run of the same arguments is new work (an export, an event), not the same work.
    :param undone: the effect that takes one of the others back; what was taken back may be there once more.
    :param way: tells cases of one operator apart.
    """

    operator: str
    effects: Mapping[str, int]
    given: Given = field(default_factory=dict)
    ready: Callable[[World], Given] = _nothing
    user: str = "requester"
    people: Callable[[Stage], object] | None = None
    anew: bool = False
    undone: str = ""
    way: str = ""

    @property
    def name(self) -> str:
        """What the case is called in reports."""
        return self.operator.partition(".")[2] + (f" ({self.way})" if self.way else "")

    @property
    def settable(self) -> bool:
        """Whether the write sets a state, so that the same again changes nothing."""
        from airflow_provider.api.writes import WRITES

        operation = self.given.get("operation_id") or kind_of(self.operator).operation
        return WRITES[operation].kind == "settable"

    @property
    def username(self) -> str:
        """The user as the emulator's log names it."""
        return f"{self.user}@example.com"


def kind_of(operator: str) -> Any:
    """The class of ``module.Name``."""
    module, _, name = operator.partition(".")
    return getattr(importlib.import_module(f"airflow_provider.operators.{module}"), f"DataRobot{name}Operator")
