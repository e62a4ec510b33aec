"""Bodies as they come in: JSON is held in memory, a multipart upload or a CSV goes to disk piece by piece."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from airflow_provider.emulator.counting import LineCounter
from airflow_provider.emulator.files import Files
from airflow_provider.emulator.store import new_id

if TYPE_CHECKING:
    from starlette.requests import Request

MULTIPART = b"multipart/form-data"
CSV = b"text/csv"
FILE_FIELD = "file"  # wire.md J
KEPT = "x-emulator-upload"  # key of a body under which its file is told: name on disk, size, rows
LONGEST_FIELD = 65_536  # bytes of a form field beside the file


class Upload:
    """One multipart body on its way to disk: at most one file, and small fields.

    :param boundary: between the parts
    :param path: where the file goes
    """

    media_type = MULTIPART.decode()

    def __init__(self, boundary: bytes, path: Path) -> None:
        self.fault: str | None = None
        self._path = path
        self._fields: dict[str, bytearray] = {}
        self._file_name: str | None = None
        self._lines = LineCounter()
        self._out: BinaryIO | None = None
        self._field = ""
        self._header = [bytearray(), bytearray()]
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._header_over,
                "on_part_data": self._data,
                "on_part_end": self._part_over,
                "on_end": self._over,
            },
        )

    def feed(self, data: bytes) -> None:
        """Take the next piece; after a fault the rest is only swallowed."""
        if self.fault is None and data:
            try:
                self._parser.write(data)
            except FormParserError:
                self.fault = "The body is not valid multipart/form-data."

    def close(self) -> None:
        """The body is over, or the client has gone."""
        if self._out is not None:
            self._out.close()
        if self.fault is None and not self._ended:
            self.fault = "The body ends before its last boundary."

    def body(self) -> dict[str, Any]:
        """The fields as text; the file under its field by its name, and where it is kept."""
        values: dict[str, Any] = {name: bytes(value).decode(errors="replace") for name, value in self._fields.items()}
        if self._file_name is not None and self._lines.size:
            kept = {"name": self._path.name, "size": self._lines.size, "lines": self._lines.lines}
            values |= {FILE_FIELD: self._file_name, KEPT: kept}
        return values

    def drop(self) -> None:
        """Delete the file, unless somebody has taken it."""
        self._path.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._field, self._header = "", [bytearray(), bytearray()]

    def _header_over(self) -> None:
        name, value = (bytes(one) for one in self._header)
        self._header = [bytearray(), bytearray()]
        if name.lower() != b"content-disposition":
            return
        options = parse_options_header(value)[1]
        self._field = options.get(b"name", b"").decode(errors="replace")
        if self._field == FILE_FIELD and b"filename" in options and self._out is None:
            self._file_name = options[b"filename"].decode(errors="replace")
            self._out = self._path.open("wb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._field == FILE_FIELD and self._out is not None:
            self._lines.feed(piece)
            self._out.write(piece)
            return
        value = self._fields.setdefault(self._field, bytearray())
        value.extend(piece)
        if len(value) > LONGEST_FIELD:
            self.fault = f"The field {self._field!r} is too long."

    def _part_over(self) -> None:
        self._field = ""

    def _over(self) -> None:
        self._ended = True


class Plain(Upload):
    """A body that is itself the file, on its way to disk."""

    media_type = CSV.decode()

    def __init__(self, path: Path) -> None:
        self.fault: str | None = None
        self._path = path
        self._lines = LineCounter()
        self._out = path.open("wb")
        self._ended = True

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        assert self._out is not None, "it is open until the body is over"
        self._lines.feed(data)
        self._out.write(data)

    def body(self) -> dict[str, Any]:
        """Where the file is kept."""
        return {KEPT: {"name": self._path.name, "size": self._lines.size, "lines": self._lines.lines}}


async def receive(request: Request, files: Files) -> bytes | Upload:
    """The whole body: its bytes, or an upload whose file is on disk."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != CSV and (kind != MULTIPART or not boundary):
        return await request.body()
    path = files.path(f"incoming-{new_id()}")
    upload = Plain(path) if kind == CSV else Upload(boundary or b"", path)
    try:
        async for piece in request.stream():
            upload.feed(piece)
    except BaseException:
        upload.close()
        upload.drop()
        raise
    upload.close()
    return upload
