"""A file as the answer to a call, written while it is received: memory stays the same for any size.

A download may be redirected to a storage service. That is followed, a few times, and without the token wherever it
leaves the configured endpoint; from an encrypted endpoint it must lead to an encrypted one.

A plain file is written anew at each try. A :class:`Growing` one is gone on with (RFC 9110, 14 and 13.1.5):

    held ──► Range, If-Range ──► 206 that fits ─► appended      200 ─► anew      416 at its end ─► it is whole
                                     └─ 206 or 416 that does not fit ─► forgotten, and anew at the next try
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol, runtime_checkable
from urllib.parse import urljoin, urlsplit

from airflow_provider.api import transport as wires
from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import AnswerLost, DataRobotError, ForeignLocation
from airflow_provider.api.exchange import Exchange, Wire, check_kind
from airflow_provider.api.intake import Pace, areceive, check_coding, receive
from airflow_provider.api.messages import Call
from airflow_provider.api.settings import origin_of

HOPS = 4  # redirects that are followed
MOVED = (301, 302, 303, 307, 308)
OWN = ("authorization", "cookie")  # what no other origin gets; extra headers may carry secrets too
PARTIAL, BEYOND = 206, 416
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Held:
    """What is there of a file: its first ``size`` bytes.

    :param validator: the ETag that they came with; None where the file cannot change.
    """

    size: int
    validator: str | None = None


@runtime_checkable
class Growing(Protocol):
    """A file that a download may go on with, also in another process."""

    def held(self) -> Held | None:
        """What is there and can be gone on with; None: nothing."""
        ...

    def begin(self, offset: int, answer: Answer) -> None:
        """What follows is the file from this byte on; ``answer`` has the headers."""
        ...

    def write(self, block: bytes, /) -> object:
        """Takes the next bytes."""
        ...

    def forget(self) -> None:
        """What is held is of no use."""
        ...


class _Anew:
    """A plain file, emptied at each try."""

    def __init__(self, into: BinaryIO) -> None:
        into.seek(0)
        into.truncate()
        self.write = into.write

    def held(self) -> None:
        return None

    def begin(self, offset: int, answer: Answer) -> None:
        pass

    def forget(self) -> None:
        pass


def fetch(exchange: Exchange, http: wires.Http, call: Call, into: BinaryIO | Growing, number: int) -> Answer:
    """One attempt: the body of a 2xx answer goes into ``into``, the rest is given with no content.

    Raises the errors of ``errors.py``: what is no file of a documented kind (a login page) is never written.
    """
    file, wire = _ready(exchange, call, into)
    for _ in range(HOPS):
        answer = _hop(exchange, http, call, wire, file, number)
        if answer.status not in MOVED or answer.location is None:
            return answer
        wire = _elsewhere(exchange, wire, answer.location)
    raise _too_far(answer)


async def afetch(
    exchange: Exchange, http: wires.AsyncHttp, call: Call, into: BinaryIO | Growing, number: int
) -> Answer:
    """As :func:`fetch`, in an event loop; blocks are written in it, so ``into`` shall be a file of this machine."""
    file, wire = _ready(exchange, call, into)
    for _ in range(HOPS):
        answer = await _ahop(exchange, http, call, wire, file, number)
        if answer.status not in MOVED or answer.location is None:
            return answer
        wire = _elsewhere(exchange, wire, answer.location)
    raise _too_far(answer)


def _ready(exchange: Exchange, call: Call, into: BinaryIO | Growing) -> tuple[Growing, Wire]:
    file = into if isinstance(into, Growing) else _Anew(into)
    wire = exchange.wire(call)
    wire["headers"] |= {"accept": "*/*", "accept-encoding": "identity"}  # a Range counts the bytes that are sent
    held = file.held()
    if held is not None and held.size:
        wire["headers"]["range"] = f"bytes={held.size}-"
        if held.validator is not None:
            wire["headers"]["if-range"] = held.validator
    return file, wire


def _hop(exchange: Exchange, http: wires.Http, call: Call, wire: Wire, file: Growing, number: int) -> Answer:
    started, status, found = exchange.clock(), None, None
    try:
        with http.stream(wire["method"], wire["url"], headers=wire["headers"]) as response:
            status, found = response.status_code, _found(exchange, call, response)
            match _use(found, wire, file):
                case "read":
                    return exchange.read(call, status, found.headers.items(), receive(call, response))
                case "write":
                    check_coding(call, response)
                    _begin(call, found, file)
                    pace = Pace(found)
                    for block in response.iter_bytes():  # as they come: what is written survives the process
                        file.write(block)
                        pace.came(block)
            return found
    except DataRobotError as error:  # head or body went beyond its bounds
        exchange.named(call, error, found.headers.items() if found else ())
        raise
    except wires.TRANSPORT_ERRORS as error:
        headers = found.headers.items() if found else ()
        raise exchange.named(call, wires.lost(error, call, exchange.settings), headers) from error
    finally:
        exchange.tell(call, status, started, number)


async def _ahop(
    exchange: Exchange, http: wires.AsyncHttp, call: Call, wire: Wire, file: Growing, number: int
) -> Answer:
    started, status, found = exchange.clock(), None, None
    try:
        async with http.stream(wire["method"], wire["url"], headers=wire["headers"]) as response:
            status, found = response.status_code, _found(exchange, call, response)
            match _use(found, wire, file):
                case "read":
                    return exchange.read(call, status, found.headers.items(), await areceive(call, response))
                case "write":
                    check_coding(call, response)
                    _begin(call, found, file)
                    pace = Pace(found)
                    async for block in response.aiter_bytes():
                        file.write(block)
                        pace.came(block)
            return found
    except DataRobotError as error:
        exchange.named(call, error, found.headers.items() if found else ())
        raise
    except wires.TRANSPORT_ERRORS as error:
        headers = found.headers.items() if found else ()
        raise exchange.named(call, wires.lost(error, call, exchange.settings), headers) from error
    finally:
        exchange.tell(call, status, started, number)


def _found(exchange: Exchange, call: Call, response: wires.Response) -> Answer:
    headers = exchange.known(response.headers.multi_items())
    return Answer(response.status_code, headers, b"", urlsplit(call.target).path, call.operation.id)


def _use(found: Answer, wire: Wire, file: Growing) -> Literal["nothing", "read", "write"]:
    """What becomes of the body: nothing, it is read for the error that it tells, or it is (more of) the file."""
    if found.status in MOVED and found.location:
        return "nothing"
    if "range" in wire["headers"] and found.status in (PARTIAL, BEYOND):
        return "nothing" if _is_over(found, file) else "write"
    return "write" if 200 <= found.status < 300 and found.status != PARTIAL else "read"


def _begin(call: Call, found: Answer, file: Growing) -> None:
    check_kind(call, found)
    file.begin(_offset(found), found)


def _too_far(answer: Answer) -> ForeignLocation:
    text = f"the download was redirected more than {HOPS} times"
    return ForeignLocation(text, operation=answer.operation, request_id=answer.request_id)


def _is_over(answer: Answer, file: Growing) -> bool:
    """Whether all is there already; raises :class:`AnswerLost` where the answer is no part that can be appended."""
    match, held = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip()), file.held()
    size = str(held.size if held else 0)
    if match and answer.status == PARTIAL and match[1] == size:
        return False
    if match and answer.status == BEYOND and match[2] == size:
        return True
    file.forget()
    raise AnswerLost(
        f"the answer is not the rest of the file that was asked for (from byte {size} on)",
        operation=answer.operation,
        status=answer.status,
        request_id=answer.request_id,
    )


def _offset(answer: Answer) -> int:
    match = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    return int(match[1]) if answer.status == PARTIAL and match and match[1] else 0


def total_of(answer: Answer) -> int | None:
    """How many bytes the whole file has, as far as the answer tells."""
    if answer.status in (PARTIAL, BEYOND):
        match = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
        return int(match[2]) if match and match[2] != "*" else None
    length = answer.headers.get("content-length", "")
    return int(length) if length.isdigit() and not answer.headers.get("content-encoding") else None


def _elsewhere(exchange: Exchange, wire: Wire, location: str) -> Wire:
    """The same request at the place that a redirect names, without what is only for our own endpoint."""
    url = urljoin(wire["url"], location)
    own, target = urlsplit(exchange.settings.endpoint), urlsplit(url)
    if "@" in target.netloc:  # the transport would sign in with it
        raise ForeignLocation(f"the download was redirected to {target.hostname} with a user or password in the URL")
    if target.scheme != "https" and target.scheme != own.scheme:
        raise ForeignLocation(f"the download was redirected to {target.scheme}://{target.hostname}, not encrypted")
    headers = dict(wire["headers"])
    if origin_of(target) != origin_of(own):
        private = {*OWN, *(name.lower() for name, _ in exchange.settings.extra_headers)}
        headers = {name: value for name, value in headers.items() if name not in private}
    return {**wire, "url": url, "headers": headers}
