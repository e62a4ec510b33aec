"""Parts of files (RFC 9110, 13.1.5 and 14): every file that is given whole can be asked for from a byte on.

No page tells whether the service does so; the switches ``file_ranges`` and ``file_etag`` say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import Answer, refuse

if TYPE_CHECKING:
    from airflow_provider.emulator.switches import Switches

WANTED = re.compile(r"bytes=(\d*)-(\d*)")


def ranged(answer: Answer, headers: Mapping[str, str], switches: Switches) -> Answer:
    """The answer, or the part of its file that a request asks for; anything but a whole file stays as it is."""
    if answer.file is None or answer.status != 200:
        return answer
    tag = f'"{answer.file.name}"'
    shown = {"strong": tag, "weak": f"W/{tag}", "none": None}[switches["file_etag"]]
    whole = answer.with_headers(ETag=shown)
    if switches["file_ranges"] == "ignored":
        return whole
    whole = whole.with_headers(Accept_Ranges="bytes")
    match = WANTED.fullmatch(headers.get("range", "").strip())
    condition = headers.get("if-range")
    if match is None or not any(match.groups()) or (condition is not None and condition != shown):
        return whole
    if condition is not None and condition.startswith("W/"):
        return whole  # a weak validator never fits: RFC 9110, 13.1.5
    return _part(whole, answer.file.stat().st_size, match[1], match[2])


def _part(whole: Answer, size: int, first: str, last: str) -> Answer:
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= size or start >= end:
        refusal = refuse(416, "The range cannot be satisfied.")
        return refusal.answer.with_headers(Content_Range=f"bytes */{size}")
    part = whole.with_headers(Content_Range=f"bytes {start}-{end - 1}/{size}")
    return replace(part, status=206, span=(start, end))
