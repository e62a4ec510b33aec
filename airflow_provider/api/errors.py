"""Everything that can go wrong between us and the service, as one tree.

    DataRobotError
    ├── InvalidCall            ours: it broke the contract or the settings, and nothing was sent
    ├── NotReached             no connection; provably not sent
    │   └── NotTrusted         ... because the certificate was refused
    ├── AnswerLost             sent, and no usable answer came: read timeout, reset, cut body
    ├── Refused                4xx: the service said no
    │   ├── BadRequest 400     Unauthorized 401    Forbidden 403      NotFound 404     Conflict 409
    │   └── Gone 410           TooLarge 413        Unprocessable 422  TooManyRequests 429
    ├── ServiceFailed          5xx: the service failed, perhaps after it had done the work
    │   ├── GatewayFailed      408, 502, 503, 504: something in between gave up
    │   └── NotServed          501: nobody does this here
    ├── NotUnderstood          an answer, but not one of this API
    │   ├── KeyMissing         ... a documented key that is needed is absent
    │   ├── AnswerTooLarge     ... or one without a reasonable end
    │   └── Redirected         ... it points elsewhere, and API calls are not followed there
    ├── ForeignLocation        a Location on another origin, where the token must not go
    ├── WaitFailed             a wait ended badly
    │   └── JobFailed          WaitTimedOut        PollBudgetSpent
    └── OutcomeUnknown         a write may or may not have happened, and nothing tells which

``sent`` tells what may have become of a write: ``no`` (it provably did nothing), ``maybe``, ``yes`` (it arrived and
was answered). ``retryable`` tells whether the same call may go well later. No text here holds a token, a header
value or a query; what the server echoes is masked before it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Sent = Literal["no", "maybe", "yes"]
SHOWN = 8000  # characters of a text that is told: a server may say anything, and it goes to logs and databases


class DataRobotError(Exception):
    """The root. ``message`` holds the words alone, ``str()`` adds what is known about the call.

    ``errors`` are the server's texts by field, ``body`` its whole JSON answer (secret fields masked), ``location``
    its Location header, ``retry_after`` the seconds that it asked to wait, ``sends`` how often a write had been sent
    when the error came (2: the answer to the first was lost).
    """

    retryable: bool = False
    here: bool = False  # the reason lies on this machine: asking the service again at once would change nothing
    sent: Sent = "no"
    sends: int = 1

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        errors: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
        location: str | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.status = status
        self.request_id = request_id
        self.errors = dict(errors or {})
        self.retry_after = retry_after
        self.location = location
        self.body = body

    def __str__(self) -> str:
        answered = f"answered {self.status}" if self.status else ""
        head = " ".join(part for part in (self.operation, answered) if part)
        text = f"{head}: {self.message}" if head else self.message
        if self.errors:
            text += f" [{'; '.join(_told(field, fault) for field, fault in self.errors.items())}]"
        if len(text) > SHOWN:
            text = f"{text[:SHOWN]}..."
        return f"{text} (request id {self.request_id})" if self.request_id else text

    def __reduce__(self) -> tuple[Any, ...]:
        # By state and not by arguments: a subclass may have arguments of its own.
        return _revive, (type(self), self.args), self.__dict__


class InvalidCall(DataRobotError):
    """Found wrong before anything was sent: an argument, a body or a setting."""


class NotReached(DataRobotError):
    """No connection was made, so nothing was sent."""

    retryable = True


class NotTrusted(NotReached):
    """The certificate of the other side was refused; a CA bundle in the settings may be what is missing."""

    retryable = False


class AnswerLost(DataRobotError):
    """The request went out, and no whole answer came back."""

    retryable = True
    sent: Sent = "maybe"


class Refused(DataRobotError):
    """4xx: the service said no, and did nothing."""

    sent = "yes"


class BadRequest(Refused):
    """400: the service cannot read the request."""


class Unauthorized(Refused):
    """401: the token is missing, wrong or expired."""


class Forbidden(Refused):
    """403: the token is good, the permission is missing."""


class NotFound(Refused):
    """404: no such thing, or not for this user."""


class Conflict(Refused):
    """409: the state of the thing does not allow it."""


class Gone(Refused):
    """410: it was deleted."""


class TooLarge(Refused):
    """413: the body is too large."""


class Unprocessable(Refused):
    """422: the service refused the content; ``errors`` names the fields."""


class TooManyRequests(Refused):
    """429: later; with a ``location``, the same work is already running there."""

    retryable = True


class ServiceFailed(DataRobotError):
    """5xx: a write may have happened all the same."""

    retryable = True
    sent: Sent = "maybe"


class GatewayFailed(ServiceFailed):
    """408, 502, 503, 504: something between us and the service gave up waiting."""


class NotServed(ServiceFailed):
    """501: this installation (or the emulator) does not serve the operation."""

    retryable = False
    sent: Sent = "yes"


class NotUnderstood(DataRobotError):
    """Something answered that does not speak this API: a web page, a cut or foreign body."""

    retryable = True
    sent: Sent = "maybe"


class KeyMissing(NotUnderstood):
    """A documented key that is needed here is absent; the message names operation and key."""

    retryable = False


class AnswerTooLarge(NotUnderstood):
    """The answer is larger than anything that this API gives, and was not read to its end."""

    retryable = False


class Redirected(NotUnderstood):
    """A redirect where none is documented: usually a wrong scheme or path of the endpoint."""

    retryable = False
    sent: Sent = "yes"


class ForeignLocation(DataRobotError):
    """A Location points to another origin or out of the API's path, and the settings refuse to follow it."""

    sent = "yes"


class WaitFailed(DataRobotError):
    """A wait ended badly."""

    sent = "yes"


class JobFailed(WaitFailed):
    """The service says that the work failed; whether it is worth another try is for the task's ``retries`` to say."""

    retryable = True


class WaitTimedOut(WaitFailed):
    """The deadline passed; the work may still be going on."""


class PollBudgetSpent(WaitFailed):
    """The service could not be asked for too long; the work may still be going on."""

    retryable = True


class OutcomeUnknown(DataRobotError):
    """A write may or may not have happened; the message names what to check. It is not sent again.

    ``may_look_later``: it was sent once, the service could not be asked what became of it, and a look would tell.
    """

    sent = "maybe"
    may_look_later = False


BY_STATUS: Mapping[int, type[DataRobotError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: GatewayFailed,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: Unprocessable,
    429: TooManyRequests,
    501: NotServed,
    502: GatewayFailed,
    503: GatewayFailed,
    504: GatewayFailed,
}


def error_class(status: int) -> type[DataRobotError]:
    """The one class for a status: 4xx is Refused or below, 5xx ServiceFailed or below, anything else not understood."""
    if status in BY_STATUS:
        return BY_STATUS[status]
    if 300 <= status < 400:
        return Redirected
    if 400 <= status < 500:
        return Refused
    return ServiceFailed if status >= 500 else NotUnderstood


def _told(field: str, fault: Any) -> str:
    return f"{field}: {fault}"


def _revive(kind: type[DataRobotError], args: tuple[Any, ...]) -> DataRobotError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error
