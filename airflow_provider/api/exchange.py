"""What both clients share: what goes on the wire for a call, and what comes back as an answer or an error.

API calls are never redirected: a 303 is an answer, every other redirect an error unless the contract documents it.
Requests are made of the endpoint and a relative path, so the token cannot reach another origin.
"""

from __future__ import annotations

import fnmatch
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, BinaryIO, NotRequired, Protocol, TypedDict
from urllib.parse import urlsplit

from airflow_provider import __version__
from airflow_provider.api.answers import REQUEST_ID, SHOWN, Answer, error_from, request_id_in
from airflow_provider.api.errors import DataRobotError, InvalidCall, NotUnderstood
from airflow_provider.api.locations import climbs
from airflow_provider.api.messages import Call
from airflow_provider.api.retry import Retries, Rng
from airflow_provider.api.settings import Settings
from airflow_provider.api.transport import POOL_TIMEOUT
from airflow_provider.api.uploads import ANSWER_SECONDS, Stream, Upload
from airflow_provider.api.waiting import Waiting
from airflow_provider.api.writes import WRITES
from airflow_provider.contract.secrets import MASK, scrub, secrets_in

USER_AGENT = f"airflow-provider-datarobot-mlops/{__version__}"

UNLIKELY = 12  # letters of a credential that is in an answer by no chance


class Observer(Protocol):
    """Is told about every attempt; never sees headers, queries or bodies."""

    def request(
        self, operation_id: str, method: str, path: str, status: int | None, seconds: float, attempt: int
    ) -> None:
        """One attempt ended; ``status`` is None where no answer came, ``attempt`` is 0 for a look of a wait."""
        ...


class Wire(TypedDict):
    """A request as the transport takes it; ``timeout`` is for connecting, reading, writing, and a free connection."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | Iterator[bytes] | AsyncIterator[bytes] | None
    files: NotRequired[dict[str, tuple[str, BinaryIO, str]]]
    data: NotRequired[dict[str, str]]
    timeout: NotRequired[tuple[float, float, float, float]]


class Exchange:
    """Settings, observer, clock and dice of a client, and the two halves of an exchange."""

    def __init__(
        self, settings: Settings, observer: Observer | None, clock: Callable[[], float], rng: Rng, tries: int
    ) -> None:
        self.settings = settings
        self.observer = observer
        self.clock = clock
        self.rng = rng
        self.tries = tries

    def retries(self, call: Call, tries: int | None = None) -> Retries:
        """The sendings of this call; a POST that changes nothing is repeated like a read."""
        row = WRITES.get(call.operation.id)
        return Retries(call.operation.writes and not (row and row.harmless), self.rng, tries or self.tries)

    def wire(self, call: Call) -> Wire:
        """The request: only this endpoint, and only here the token. Raises InvalidCall for a path that climbs."""
        if climbs(call.path.partition("?")[0]):  # an id may come of an answer, too
            raise InvalidCall(f"the path {call.path!r} leads out of the API", operation=call.operation.id)
        headers = {"accept": "application/json", "accept-encoding": "gzip, deflate", "user-agent": USER_AGENT}
        headers |= {name.lower(): value for name, value in (*self.settings.extra_headers, *call.headers)}
        headers["authorization"] = f"{self.settings.scheme} {self.settings.token}"
        url = f"{self.settings.endpoint}/{call.target}"
        wire: Wire = {"method": call.operation.method, "url": url, "headers": headers, "content": call.content()}
        if isinstance(call.body, Upload):  # its media type names a boundary, which the transport makes
            wire["files"], wire["data"] = call.body.parts(), dict(call.body.fields)
        elif call.media_type:
            headers["content-type"] = call.media_type
        if isinstance(call.body, Stream):
            size = call.body.size()
            headers["content-length"] = str(size)
            wire["content"] = call.body.from_start(size)
        if isinstance(call.body, (Upload, Stream)):
            patience = max(self.settings.read_timeout, ANSWER_SECONDS)
            wire["timeout"] = (self.settings.connect_timeout, patience, self.settings.read_timeout, POOL_TIMEOUT)
        return wire

    def read(self, call: Call, status: int, headers: Iterable[tuple[str, str]], content: bytes) -> Answer:
        """The answer where it is one; raises the error that it stands for otherwise."""
        answer = Answer(
            status=status,
            headers=self.known(headers),
            content=self._without_credentials(content),
            url_path=urlsplit(call.target).path,
            operation=call.operation.id,
        )
        if 200 <= status < 300:
            _check_readable(call, answer)
        elif status != 303 and not (300 <= status < 400 and str(status) in call.operation.responses):
            raise error_from(answer, call.operation.id, (*self.settings.secrets, *secrets_in(call.body)))
        return answer

    def named(self, call: Call, error: DataRobotError, headers: Iterable[tuple[str, str]]) -> DataRobotError:
        """The error of an exchange that broke off, with the service's request id where the headers had come."""
        error.operation = error.operation or call.operation.id
        error.request_id = error.request_id or request_id_in(self.known(headers))
        return error

    def known(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """The headers of an answer, names in lower case; a server that repeats a credential does not spread it.

        What it calls the exchange is for people only, and goes far: into errors, lines and handles.
        """
        known = {name.lower(): scrub(value, self.settings.credentials) for name, value in headers}
        ids = {name: scrub(known[name], self.settings.secrets)[:SHOWN] for name in REQUEST_ID if name in known}
        return {**known, **ids}

    def _without_credentials(self, content: bytes) -> bytes:
        for one in self.settings.credentials:
            if len(one) >= UNLIKELY:
                content = content.replace(one.encode(), MASK.encode())
        return content

    def tell(self, call: Call, status: int | None, started: float, attempt: int) -> None:
        """Tells the observer about one attempt."""
        if self.observer is not None:
            path, seconds = urlsplit(call.target).path, self.clock() - started
            self.observer.request(call.operation.id, call.operation.method, path, status, seconds, attempt)


def looked(answer: Answer) -> Answer:
    """The answer to a wait's look: a 303 or a JSON object, and nothing that could be taken for an end by mistake."""
    if answer.status != 303:
        answer.object()
    return answer


def tell_note(before: str, waiting: Waiting, on_pending: Callable[[str], None] | None) -> str:
    """Tells what is known of a wait where that has changed; gives the note."""
    if on_pending is not None and waiting.end is None and waiting.note != before:
        on_pending(waiting.note)
    return waiting.note


def check_kind(call: Call, answer: Answer) -> None:
    """Raises NotUnderstood for a file of another kind than the contract shows: a login page says 200 too."""
    if not _is_file(call, answer):
        kind = answer.content_type or "no media type"
        raise NotUnderstood(
            f"a file was expected, not {kind}",
            operation=call.operation.id,
            status=answer.status,
            request_id=answer.request_id,
        )


def _check_readable(call: Call, answer: Answer) -> None:
    """Raises NotUnderstood for a body of another kind than the contract shows: a login page says 200 too.

    A read that answers nothing where JSON is documented is not understood either; writes often do so (wire.md A.4).
    """
    if _is_file(call, answer):
        return
    documented = call.operation.responses.get(str(answer.status), {})
    needed = "application/json" in documented.get("content", {}) and not documented.get("x-empty-allowed")
    if answer.json() is None and needed and call.operation.method == "GET":
        answer.object()


def _is_file(call: Call, answer: Answer) -> bool:
    responses = call.operation.responses
    whole = {"206": "200"}.get(str(answer.status), str(answer.status))  # a part is of the kind of the whole
    documented: dict[str, Any] = responses.get(str(answer.status), responses.get(whole, {})).get("content", {})
    return any(fnmatch.fnmatch(answer.content_type, kind) for kind in documented if kind != "application/json")
