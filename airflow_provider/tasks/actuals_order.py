"""What an upload of actuals is asked to do: the arguments of ``DataRobotUploadActualsOperator``, checked."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.actuals import DUPLICATES
from airflow_provider.mlops.columns import Columns
from airflow_provider.mlops.ledger import Ledger
from airflow_provider.mlops.rows import FORMATS
from airflow_provider.tasks import arguments
from airflow_provider.tasks.sources import FolderStore, GivenSource, PathSource, Source, SqlSource

MOST_IN_FLIGHT = 32  # of the 40 requests that the service takes in a second
LARGE = 100_000_000  # bytes of a file from which on route="auto" makes a dataset of it: some millions of rows


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    deployment_id: str
    source: Source
    columns: Columns
    duplicates: str
    most_rejected: float
    keep: bool | None
    state: ObjectStoragePath
    rejects: ObjectStoragePath
    resend_changed: bool
    rows_an_hour: int
    weight: int | None
    in_flight: int
    settle: float
    as_dataset: bool = False
    delete_datasets: bool = True

    def ledger(self, by: str) -> Ledger:
        """The ledger as it stands now, for this run and attempt to go on with."""
        return Ledger.read(FolderStore(self.state), by)


def order_of(given: Mapping[str, Any]) -> Order:
    """The order that rendered arguments make; raises :class:`InvalidCall` for the first that is wrong."""
    source = source_of(given)
    state, rejects = _places(given, source)
    keep, weight = given["keep_actuals_without_predictions"], given["weight"]
    changed = arguments.one_of("on_changed_input", given["on_changed_input"], ("fail", "resend"))
    return Order(
        deployment_id=arguments.identifier("deployment_id", given["deployment_id"]),
        source=source,
        columns=_columns(given),
        duplicates=arguments.one_of("duplicates", given["duplicates"], DUPLICATES),
        most_rejected=_limit("max_rejected", given["max_rejected"]),
        keep=None if arguments.unset(keep) else arguments.flag("keep_actuals_without_predictions", keep),
        state=state,
        rejects=rejects,
        resend_changed=changed == "resend",
        rows_an_hour=arguments.whole("hourly_budget", given["hourly_budget"], 1),
        weight=None if arguments.absent(weight) else arguments.whole("weight", weight, 1),
        in_flight=min(arguments.whole("in_flight", given["in_flight"], 1), MOST_IN_FLIGHT),
        settle=float(given["settle"]),
        as_dataset=_as_dataset(given["route"], source),
        delete_datasets=arguments.flag("delete_datasets", given["delete_datasets"]),
    )


def _columns(given: Mapping[str, Any]) -> Columns:
    ids = arguments.several("association_id_column", given["association_id_column"])
    if not ids:
        raise InvalidCall("association_id_column must name at least one column")
    timestamp, acted = given["timestamp_column"], given["was_acted_on_column"]
    return Columns(
        association_id=ids,
        actual_value=arguments.named("actual_value_column", given["actual_value_column"], 1000),
        timestamp=None if arguments.absent(timestamp) else timestamp,
        was_acted_on=None if arguments.absent(acted) else acted,
        separator=given["id_separator"],
    )


def source_of(given: Mapping[str, Any]) -> Source:
    """Where rows come from: the arguments source, sql and how they are read."""
    source, sql = given["source"], given["sql"]
    if (source is None) == (sql is None):
        raise InvalidCall("give exactly one of source and sql")
    if sql is not None:
        return SqlSource(arguments.identifier("sql_conn_id", given["sql_conn_id"]), sql, given["sql_parameters"])
    if isinstance(source, (str, Path, ObjectStoragePath)):
        return _path_source(source, given)
    if callable(source) or isinstance(source, Sequence):
        return GivenSource(source)
    raise InvalidCall(f"source must be a path, a list or a callable, not {type(source).__name__}")


def _path_source(path: str | Path | ObjectStoragePath, given: Mapping[str, Any]) -> PathSource:
    encoding, kind = given["encoding"], given["format"]
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise InvalidCall(f"encoding is {encoding!r}, which Python does not know") from None
    for name in ("delimiter", "quotechar"):
        if len(str(given[name])) != 1:
            raise InvalidCall(f"{name} must be one character, not {given[name]!r}")
    kind = None if arguments.absent(kind) else arguments.one_of("format", kind, FORMATS)
    where = path if isinstance(path, ObjectStoragePath) else ObjectStoragePath(str(path))
    return PathSource(where, kind, encoding, given["delimiter"], given["quotechar"])


def _places(given: Mapping[str, Any], source: Source) -> tuple[ObjectStoragePath, ObjectStoragePath]:
    """Where ledger and rejects go; only a path has a place of its own."""
    state, rejects = (None if arguments.absent(given[name]) else given[name] for name in ("state_path", "rejects_path"))
    base = source.name if isinstance(source, PathSource) else None
    state = state or (f"{base}.ledger" if base else None)
    if state is None:
        raise InvalidCall("state_path is needed for sql, a list or a callable: the folder where its ledger lies")
    return ObjectStoragePath(state), ObjectStoragePath(rejects or f"{base or state.rstrip('/')}.rejects.jsonl")


def _as_dataset(given: Any, source: Source) -> bool:
    route = arguments.one_of("route", given, ("json", "dataset", "auto"))
    return route == "dataset" or (route == "auto" and isinstance(source, PathSource) and source.size() >= LARGE)


def _limit(name: str, value: Any) -> float:
    """A count, or a share below 1."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if number < 0 or (number >= 1 and number != int(number)) or number == float("inf"):
        raise InvalidCall(f"{name} must be a whole number, or a share below 1, not {value!r}")
    return number
