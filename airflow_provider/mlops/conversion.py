"""CSV to Parquet and back, in bounded memory; needs pyarrow, which is loaded only here.

No value changes its meaning: a column becomes a number, a boolean or a time only if every text in it is the usual way
to write one. An id like 00123 stays a text, and so does one of twenty digits. For that, the file is read twice.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.mlops.manifest import TYPES, Column

BLOCK = 2 << 20  # bytes of CSV that are converted at a time


class NotConverted(DataRobotError):
    """A file is not what its name says, and cannot be converted."""


def needed() -> Any:
    """pyarrow; raises :class:`InvalidCall` that tells how to get it."""
    try:
        import pyarrow
    except ImportError:
        raise InvalidCall(
            "Parquet needs pyarrow: pip install 'airflow-provider-datarobot-mlops[parquet]', or take format='csv'"
        ) from None
    return pyarrow


def to_parquet(source: Path, target: Path) -> tuple[int, list[Column]]:
    """Writes a CSV file as Parquet; gives rows and columns."""
    arrow = needed()
    from pyarrow import parquet

    names, types = _types(source)
    made = {
        "integer": arrow.int64(),
        "number": arrow.float64(),
        "boolean": arrow.bool_(),
        "timestamp": arrow.timestamp("us", "UTC"),
        "text": arrow.string(),
    }
    schema = arrow.schema([(name, made[types[name]]) for name in names])
    rows = 0
    with _told(source), parquet.ParquetWriter(target, schema) as writer:
        for batch in _batches(source, names):
            # A group of rows for each block: write_batch gathers a million rows in memory.
            writer.write_table(arrow.Table.from_batches([batch.cast(schema)]))
            rows += batch.num_rows
    return rows, [{"name": name, "type": types[name]} for name in names]


def to_csv(source: Path, target: Path) -> tuple[int, list[Column]]:
    """Writes a Parquet file as CSV; gives rows and columns."""
    needed()
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    rows = 0
    with _told(source), parquet.ParquetFile(source) as file:
        with arrow_csv.CSVWriter(target, file.schema_arrow) as writer:
            for batch in file.iter_batches(batch_size=10_000):
                writer.write_batch(batch)
                rows += batch.num_rows
        return rows, columns_of(file.schema_arrow)


def read_parquet(source: Path) -> tuple[int, list[Column]]:
    """Rows and columns of a Parquet file, from its end."""
    needed()
    from pyarrow import parquet

    with _told(source), parquet.ParquetFile(source) as file:
        return file.metadata.num_rows, columns_of(file.schema_arrow)


def columns_of(schema: Any) -> list[Column]:
    """The columns of a Parquet file, in our words."""
    from pyarrow import types

    tests = (
        ("integer", types.is_integer),
        ("number", types.is_floating),
        ("boolean", types.is_boolean),
        ("timestamp", types.is_timestamp),
    )
    return [
        {"name": field.name, "type": next((word for word, fits in tests if fits(field.type)), "text")}
        for field in schema
    ]


def _types(source: Path) -> tuple[list[str], dict[str, str]]:
    """Names of the columns, and the narrowest type of each that all its values have."""
    from pyarrow import compute

    names = _header(source)
    left = {name: [word for word, _ in TYPES] for name in names}
    forms = {word: f"^(?:{form.pattern})$" for word, form in TYPES}
    seen = dict.fromkeys(names, False)
    for batch in _batches(source, names):
        for name in names:
            values = batch.column(name).drop_null()
            seen[name] = seen[name] or len(values) > 0
            for word in list(left[name]):
                fits = compute.match_substring_regex(values, forms[word], ignore_case=word == "boolean")
                if not compute.all(fits, min_count=0).as_py():
                    left[name].remove(word)
    return names, {name: left[name][0] if left[name] and seen[name] else "text" for name in names}


def _header(source: Path) -> list[str]:
    try:
        with source.open(encoding="utf-8-sig", newline="") as text:
            names = next(csv.reader(text), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise NotConverted(f"{source.name} is no CSV in UTF-8: {error}") from error
    if not names or len(set(names)) != len(names):
        raise NotConverted(f"{source.name} has no columns, or two of one name: {names!r}")
    return names


def _batches(source: Path, names: list[str]) -> Iterator[Any]:
    """The rows as texts; blanks are nulls."""
    import pyarrow
    from pyarrow import csv as arrow_csv

    with _told(source):
        found = arrow_csv.open_csv(
            source,
            read_options=arrow_csv.ReadOptions(block_size=BLOCK, use_threads=False),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.string()),
                strings_can_be_null=True,
                null_values=[""],
                check_utf8=True,
            ),
        )
        with found:
            yield from found


@contextmanager
def _told(source: Path) -> Iterator[None]:
    """What pyarrow finds wrong, as an error of ours."""
    try:
        yield
    except needed().ArrowInvalid as error:
        raise NotConverted(f"{source.name} cannot be converted: {error}") from error
