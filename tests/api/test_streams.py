"""A file as the whole body of a call: announced, sent from its start, never more and never less than announced."""

from __future__ import annotations

import io
from typing import Any

import pytest

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import prepare
from airflow_provider.api.uploads import Stream, Upload

ID = "64a100000000000000000002"
UPLOAD = "uploadBatchPredictionCsv"


def test_it_is_sent_from_its_start_each_time() -> None:
    stream = Stream(io.BytesIO(b"a,b\n1,2\n"), "rows.csv")
    for _ in range(2):
        assert (stream.size(), b"".join(stream.from_start(8))) == (8, b"a,b\n1,2\n")


def test_a_file_that_grows_is_sent_as_it_was() -> None:
    file = io.BytesIO(b"a\n1\n")
    stream = Stream(file, "rows.csv")
    blocks = stream.from_start(stream.size())
    file.seek(0, io.SEEK_END)
    file.write(b"2\n")
    assert b"".join(blocks) == b"a\n1\n"


def test_a_file_that_shrinks_is_told() -> None:
    with pytest.raises(InvalidCall, match=r"rows.csv became shorter while it was sent"):
        list(Stream(io.BytesIO(b"a"), "rows.csv").from_start(2))


def test_what_can_be_read_only_once_is_refused() -> None:
    class Once(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(InvalidCall, match="can be read only once"):
        Stream(Once(), "rows.csv")


@pytest.mark.parametrize("body", [{}, Upload(io.BytesIO(b"a"), "rows.csv")], ids=["JSON", "multipart"])
def test_another_body_is_told(body: Any) -> None:
    with pytest.raises(InvalidCall, match=r"takes a file \(airflow_provider.api.uploads.Stream\)"):
        prepare(UPLOAD, {"batchPredictionId": ID}, body)


def test_no_body_is_told() -> None:
    with pytest.raises(InvalidCall, match="needs a body"):
        prepare(UPLOAD, {"batchPredictionId": ID})


def test_a_file_where_none_is_taken_is_told() -> None:
    with pytest.raises(InvalidCall, match="takes no file"):
        prepare("createBatchPrediction", {}, Stream(io.BytesIO(b"a"), "rows.csv"))


def test_it_is_shown_by_its_name() -> None:
    call = prepare(UPLOAD, {"batchPredictionId": ID}, Stream(io.BytesIO(b"a"), "rows.csv"))
    assert (call.shown, call.content(), call.media_type) == ({"file": "rows.csv"}, None, "text/csv")
