"""Callbacks that a task calls itself, on the worker, as something happens: functions or notifiers of Airflow.

They are called with the context of the task and more. One that fails is logged; the task goes on.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.tasks.links import entity_url
from airflow_provider.tasks.run import Run

Callback = Callable[[Any], Any]
Callbacks = Callback | Sequence[Callback] | None


def listed(name: str, given: Callbacks) -> list[Callback]:
    """One callback, several or none, as a list."""
    found = [] if given is None else list(given) if isinstance(given, Iterable) else [given]
    if not all(callable(one) for one in found):
        raise InvalidCall(f"{name} must be a callback or a list of callbacks, not {given!r}")
    return found


def tell(callbacks: Iterable[Callback], context: Mapping[str, Any], log: logging.Logger, **more: Any) -> None:
    """Calls each of them once. A notifier renders its templates into itself, so a copy of it is called."""
    for callback in callbacks:
        try:
            copy.copy(callback)({**context, **more})
        except Exception:
            log.exception("The callback %r failed; the task goes on.", callback)


@dataclass(frozen=True)
class RequestOpened:
    """Tells ``on_request_opened`` of a change request; ``context`` is the task's."""

    callbacks: Sequence[Callback]
    context: Mapping[str, Any]

    def __call__(self, run: Run, entity: Mapping[str, Any]) -> None:
        """Calls the callbacks with ``change_request`` in their context."""
        about = request_for_people(entity, run.client.settings.web_url)
        tell(self.callbacks, self.context, run.log, change_request=about)


def request_for_people(entity: Mapping[str, Any], web_url: str) -> dict[str, Any]:
    """What people need to know of a change request."""
    return {
        "id": entity.get("id"),
        "action": entity.get("action"),
        "change": entity.get("change"),
        "comment": entity.get("comment") or "",
        "deployment_id": entity.get("entityId"),
        "link": entity_url(web_url, entity),
        "approvals_required": entity.get("numApprovalsRequired"),
        "requested_by": entity.get("userName") or entity.get("userId"),
        "created_at": entity.get("createdAt"),
    }
