"""What a task remembers of its remote work, so that another attempt can take it up.

    intended ──► submitted ──► settled
    (noted before the write)   (noted after it)   (the outcome was handed over, or was a final failure)

Only an unsettled handle is taken up; a settled one means new work for whoever cleared the task, even when the arguments
are equal. An attempt that nobody asked for, after one that ended well without Airflow's knowledge, gives that one's
result again. The handle lives in the task state store (Airflow 3.3) and travels with the trigger. Before 3.3 there is
no store that survives an attempt: XCom is emptied before each one. There, each operator looks at the service instead.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Protocol, get_args

from airflow_provider.api.errors import InvalidCall
from airflow_provider.contract.secrets import mask

State = Literal["intended", "submitted", "settled"]
Owner = Literal["ours", "adopted"]
KEY = "datarobot_handle"
VERSION = 1
KEPT = 32_000  # letters of a result; Airflow's store takes 64 kB


@dataclass(frozen=True, slots=True)
class Handle:
    """What is known of the work under way.

    ``stage``: how far the operator is; ``at``: when the write was noted; ``before``: what was there; ``wait``,
    ``cancel``: what is waited for and the one write that stops it; ``tries``: how many tries Airflow granted the task
    then (clearing it by hand grants more); ``request_id``: of the exchange that began the work; ``sent_twice``:
    operations that were sent again after a lost answer or by an attempt that died, of which a late commit may have made
    two; ``done``, ``result``: whether it was settled because all went well, and what the task then gave, None where
    that is too large to be kept. Times are seconds since 1970: ``deadline`` of the task, which holds over attempts,
    ``attempt_end`` of this attempt, ``since`` and ``until`` of this wait.
    """

    operation: str
    fingerprint: str
    stage: str
    state: State
    at: float
    owner: Owner = "ours"
    id: str | None = None
    before: dict[str, Any] = field(default_factory=dict)
    wait: dict[str, Any] | None = None
    cancel: dict[str, Any] | None = None
    deadline: float | None = None
    attempt_end: float | None = None
    since: float | None = None
    until: float | None = None
    tries: int | None = None
    request_id: str | None = None
    sent_twice: list[str] = field(default_factory=list)
    done: bool = False
    result: Any = None
    v: int = VERSION

    def to_json(self) -> dict[str, Any]:
        """The handle as plain JSON."""
        return asdict(self)

    def is_of(self, fingerprint: str, tries: int | None) -> bool:
        """Whether it is of the same work, and nobody has cleared the task since: that grants it more tries."""
        return self.fingerprint == fingerprint and self.tries is not None and self.tries == tries

    @classmethod
    def from_json(cls, data: Any) -> Handle | None:
        """The handle of any release; None where it is not one that this release can act on."""
        if not isinstance(data, Mapping) or data.get("v") != VERSION or data.get("state") not in get_args(State):
            return None
        given = {one.name: data[one.name] for one in fields(cls) if data.get(one.name) is not None}
        try:
            return cls(**given)
        except TypeError:  # something is missing that this release cannot do without
            return None


class Store(Protocol):
    """The part of Airflow's task state store that is used."""

    def get(self, key: str, default: Any = None) -> Any:
        """What stands under the key."""
        ...

    def set(self, key: str, value: Any) -> None:
        """Keeps a JSON value."""
        ...


class Memory:
    """The handle of one task instance, in the store where there is one.

    :param changed: is told what is noted: the handle before, and the one from now on.
    """

    def __init__(self, store: Store | None, changed: Callable[[Handle | None, Handle], None] | None = None) -> None:
        self._store = store
        self._changed = changed
        self.handle: Handle | None = None
        self.noted = False  # whether this attempt has noted the handle as it is

    @property
    def lasts(self) -> bool:
        """Whether the handle survives this attempt."""
        return self._store is not None

    def recall(self) -> Handle | None:
        """The handle of an earlier attempt."""
        if self._store is not None:
            self.handle = Handle.from_json(self._store.get(KEY))
        return self.handle

    def forget(self) -> None:
        """The handle of an earlier attempt is of no concern to this one."""
        self.handle = None

    def note(self, handle: Handle) -> Handle:
        """Keeps the handle from now on; one that is not plain JSON is refused here, before anything is sent."""
        handle = replace(handle, before=mask(handle.before))
        plain = handle.to_json()
        check_plain("the handle", plain)
        before, self.handle, self.noted = self.handle, handle, True
        if self._store is not None:
            self._store.set(KEY, plain)
        if self._changed is not None:
            self._changed(before, handle)
        return handle

    def update(self, **changes: Any) -> Handle:
        """Keeps the handle with some changes."""
        assert self.handle is not None, "there is a handle only after a write was noted"
        return self.note(replace(self.handle, **changes))

    def put_back(self, earlier: Handle | None) -> None:
        """A write came to nothing: what was known before holds again, and without that nothing is under way."""
        if earlier is not None:
            self.note(earlier)
        else:
            self.settle()
        self.noted = False

    def settle(self) -> None:
        """The work is over: the next attempt starts anew."""
        if self.handle is not None and self.handle.state != "settled":
            self.update(state="settled")

    def finish(self, result: Any, tries: int | None) -> None:
        """The work is over and went well: an attempt after this one that nobody asked for gives the same result.

        :param tries: how many Airflow grants the task now.
        """
        if self.handle is not None and (self.noted or self.handle.state != "settled"):
            self.update(state="settled", done=True, result=result if _can_be_kept(result) else None, tries=tries)


def _can_be_kept(result: Any) -> bool:
    try:
        return len(json.dumps(result, allow_nan=False)) <= KEPT
    except ValueError:  # not a number, which JSON does not know
        return False


def check_plain(what: str, value: Any) -> None:
    """Raises :class:`InvalidCall` unless a value is the same after it was written as JSON and read again."""
    try:
        same = json.loads(json.dumps(value, allow_nan=False)) == value
    except (TypeError, ValueError) as error:
        raise InvalidCall(f"{what} must be plain JSON, to stand in a database: {error}") from None
    if not same:
        raise InvalidCall(f"{what} must be plain JSON, with texts as keys and lists for tuples: {value!r}")


def fingerprint(operation: str, identity: Mapping[str, Any]) -> str:
    """A digest of what a task is asked to do. Secrets have been masked out of ``identity`` before."""
    text = json.dumps([operation, identity], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
