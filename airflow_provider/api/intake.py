"""The body of an answer, taken in within bounds, so that no server can fill a worker's memory or keep it for ever.

An answer of the API may have ``ANSWER_BYTES`` once it is unpacked; more is an error. Of an answer that is an error
itself only the first ``ERROR_BYTES`` are read: its status is what counts. Files are no answers:
their size has no bound here, but one that trickles is given up.
"""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import Any

from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import AnswerLost, AnswerTooLarge, NotUnderstood
from airflow_provider.api.messages import Call
from airflow_provider.api.transport import Response

ANSWER_BYTES = 64 << 20
ERROR_BYTES = 1 << 20
BODY_SECONDS = 300.0  # from the headers to the last byte; a body that trickles keeps every read timeout
FILE_BYTES = 64 << 10  # of a file, in each BODY_SECONDS: the slowest of lines is faster
# A block of 64 KiB unpacks to 64 MiB at most. Others (br, zstd), and one coding over another, know no such bound.
CODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})


class Pace:
    """How fast a file comes: it may take its time, but not so much that it takes for ever."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._begin()

    def came(self, block: bytes) -> None:
        """Another block; raises :class:`AnswerLost` where too little has come for too long."""
        self._bytes += len(block)
        if time.monotonic() > self._end:
            if self._bytes < FILE_BYTES:
                text = f"the file trickles: less than {FILE_BYTES >> 10} KiB in {BODY_SECONDS:.0f} s"
                raise AnswerLost(text, **self._answer.about())
            self._begin()

    def _begin(self) -> None:
        self._bytes, self._end = 0, time.monotonic() + BODY_SECONDS


def check_coding(call: Call, response: Response) -> None:
    """Raises NotUnderstood for a body that is packed in a way that was not asked for; before it is unpacked."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in CODINGS:
        raise NotUnderstood(
            f"the answer is packed as {coding[:60]!r}, which was not asked for",
            operation=call.operation.id,
            status=response.status_code,
        )


def receive(call: Call, response: Response) -> bytes:
    """The body; raises :class:`AnswerTooLarge`, :class:`AnswerLost` or :class:`NotUnderstood` where it has none."""
    intake = _Intake(call, response)
    for block in response.iter_bytes():
        if not intake.wants_more(block):
            break
    return b"".join(intake.blocks)


async def areceive(call: Call, response: Response) -> bytes:
    """As :func:`receive`, in an event loop."""
    intake = _Intake(call, response)
    async with aclosing(response.aiter_bytes()) as blocks:  # type: ignore[type-var]  # httpx declares an iterator
        async for block in blocks:
            if not intake.wants_more(block):
                break
    return b"".join(intake.blocks)


class _Intake:
    """What has come of a body."""

    def __init__(self, call: Call, response: Response) -> None:
        check_coding(call, response)
        self.blocks: list[bytes] = []
        self._known: dict[str, Any] = {"operation": call.operation.id, "status": response.status_code}
        self._good = 200 <= response.status_code < 300
        self._left = ANSWER_BYTES if self._good else ERROR_BYTES
        self._end = time.monotonic() + BODY_SECONDS

    def wants_more(self, block: bytes) -> bool:
        """Takes a block; False where the rest does not matter."""
        self.blocks.append(block[: self._left])
        self._left -= len(block)
        if self._left < 0 and self._good:
            raise AnswerTooLarge(
                f"the answer is larger than {ANSWER_BYTES >> 20} MiB, and was not read to its end", **self._known
            )
        if time.monotonic() > self._end:
            raise AnswerLost(f"the answer was not complete after {BODY_SECONDS:.0f} s", **self._known)
        return self._left >= 0
