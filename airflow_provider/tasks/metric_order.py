"""What a submission of custom metric values is asked to do: the arguments of its operator, checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.moments import utc
from airflow_provider.mlops import custom_metrics
from airflow_provider.mlops.metric_values import (
    BucketCheck,
    BucketColumns,
    ChangedValues,
    Chunk,
    Mark,
    Survey,
    chunks,
    survey_of,
)
from airflow_provider.tasks import arguments, files
from airflow_provider.tasks.actuals_order import source_of
from airflow_provider.tasks.metric_arguments import LENGTH
from airflow_provider.tasks.progress import FileStore

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client
    from airflow_provider.tasks.sources import Source

MOST_CALLS = 500  # what is remembered of them must fit Airflow's task state


@dataclass(frozen=True, slots=True)
class MetricOrder:
    """What is asked for."""

    deployment_id: str
    named_id: str | None
    name: str | None
    source: Source | None
    dataset_id: str | None
    columns: BucketColumns
    timestamp: str | None
    timestamp_format: str | None
    batch_id: str | None
    model: dict[str, str]
    most_rejected: int
    validate_only: bool
    resend: bool

    @property
    def identity(self) -> dict[str, Any]:
        """Equal identities are the same work."""
        columns = {name: getattr(self.columns, name) for name in ("value", "timestamp", "sample_size", "batch")}
        return {
            "deployment_id": self.deployment_id,
            "metric": self.named_id or self.name,
            "source": self.dataset_id if self.source is None else self.source.name,
            "columns": columns,
            "all": [self.timestamp, self.batch_id],
            "model": self.model,
        }

    def metric_id(self, client: Client) -> str:
        """The id of the metric."""
        return custom_metrics.identify(client, self.deployment_id, self.named_id, self.name)

    def survey(self, sent: int) -> Survey:
        """Reads and checks the whole source."""
        assert self.source is not None, "rows have a source"
        found = survey_of(self.source.rows(self.columns), self._check(), sent)
        if len(found.marks) > MOST_CALLS:
            raise InvalidCall(f"{found.good:,} values are too many for calls of 10,000: make a dataset of them")
        return found

    def chunks(self, sent: int) -> Iterator[Chunk]:
        """The chunks behind the first ``sent`` values."""
        assert self.source is not None, "rows have a source"
        return chunks(self.source.rows(self.columns), self._check(), sent)

    def chunk(self, sent: int, mark: Mark) -> Chunk:
        """The chunk behind the first ``sent`` values; raises :class:`ChangedValues` when it is not what was checked."""
        found = next(self.chunks(sent), None)
        if found is None or found.mark != mark:
            name = self.source.name if self.source else None
            raise ChangedValues(f"{name} was changed while it was sent: {sent} of its values were, and no more")
        return found

    def dataset_body(self) -> dict[str, Any]:
        """The body of a submission from a dataset."""
        columns = {
            "value": self.columns.value,
            "timestamp": self.columns.timestamp,
            "sampleCount": self.columns.sample_size,
            "batch": self.columns.batch,
            "associationId": self.columns.association_id,
        }
        body: dict[str, Any] = {name: {"columnName": one} for name, one in columns.items() if one}
        if self.timestamp_format:
            body["timestamp"]["timeFormat"] = self.timestamp_format
        if self.columns.segments:
            body["segments"] = [{"name": name, "column": one} for name, one in self.columns.segments.items()]
        return {"datasetId": self.dataset_id, **body, **self.model}

    def _check(self) -> BucketCheck:
        return BucketCheck(self.timestamp, self.batch_id)


def order_of(given: Mapping[str, Any]) -> MetricOrder:
    """The order that rendered arguments make; raises :class:`InvalidCall` for the first that is wrong."""
    named_id, name = arguments.id_or_name("custom_metric_id", given["custom_metric_id"], given["name"], LENGTH)
    dataset_id = arguments.optional_identifier("dataset_id", given["dataset_id"])
    if sum(one is not None for one in (dataset_id, given["source"], given["sql"])) != 1:
        raise InvalidCall("give exactly one of source, sql and dataset_id")
    order = MetricOrder(
        deployment_id=arguments.identifier("deployment_id", given["deployment_id"]),
        named_id=named_id,
        name=name,
        source=None if dataset_id else source_of({**given, "source": _parsed(given["source"])}),
        dataset_id=dataset_id,
        columns=_columns(given),
        timestamp=_moment(given["timestamp"]),
        timestamp_format=_text(given, "timestamp_format"),
        batch_id=arguments.optional_identifier("batch_id", given["batch_id"]),
        model=_model(given),
        most_rejected=arguments.whole("max_rejected", given["max_rejected"], 0),
        validate_only=arguments.flag("validate_only", given["validate_only"]),
        resend=arguments.flag("resend", given["resend"]),
    )
    _refuse_contradictions(order)
    return order


def memory_of(state_path: Any, context: Context) -> Context:
    """The context, with the file as its task state store where one is given."""
    if arguments.absent(state_path):
        return context
    store = FileStore(files.path_of("state_path", state_path))
    return cast("Context", {**context, "task_state_store": store})


def _refuse_contradictions(order: MetricOrder) -> None:
    columns = order.columns
    if order.timestamp and columns.timestamp:
        raise InvalidCall("give timestamp or timestamp_column, not both")
    if order.batch_id and columns.batch:
        raise InvalidCall("give batch_id or batch_column, not both")
    if order.dataset_id is not None:
        if order.timestamp or order.batch_id or order.validate_only:
            raise InvalidCall("timestamp, batch_id and validate_only are for rows, not for a dataset")
        if order.timestamp_format and not columns.timestamp:
            raise InvalidCall("timestamp_format needs timestamp_column")
    elif order.timestamp_format:
        raise InvalidCall("timestamp_format is for a dataset: in rows, times are in ISO 8601")
    elif not (order.timestamp or columns.timestamp or order.batch_id or columns.batch):
        raise InvalidCall("values need a time or a monitoring batch: give timestamp_column, timestamp, batch_column "
                          "or batch_id")  # fmt: skip


def _parsed(source: Any) -> Any:
    """A JSON list that a template wrote, as a list."""
    if not isinstance(source, str) or not source.lstrip().startswith("["):
        return source
    try:
        return json.loads(source)
    except ValueError as error:
        raise InvalidCall(f"source begins like a JSON list, and is none: {error}") from None


def _columns(given: Mapping[str, Any]) -> BucketColumns:
    segments = arguments.mapping("segment_columns", given["segment_columns"]) or {}
    if not all(isinstance(one, str) and one for one in segments.values()):
        raise InvalidCall(f"segment_columns must map names of segments to columns, not {segments!r}")
    return BucketColumns(
        value=arguments.named("value_column", given["value_column"], LENGTH),
        timestamp=_text(given, "timestamp_column"),
        sample_size=_text(given, "sample_size_column"),
        batch=_text(given, "batch_column"),
        association_id=_text(given, "association_id_column"),
        segments=segments,
    )


def _text(given: Mapping[str, Any], name: str) -> str | None:
    return None if arguments.absent(given[name]) else arguments.named(name, given[name], LENGTH)


def _moment(given: Any) -> str | None:
    return None if arguments.absent(given) else utc(arguments.moment("timestamp", given))


def _model(given: Mapping[str, Any]) -> dict[str, str]:
    model = {
        "modelId": arguments.optional_identifier("model_id", given["model_id"]),
        "modelPackageId": arguments.optional_identifier("model_package_id", given["model_package_id"]),
    }
    if all(model.values()):
        raise InvalidCall("give model_id or model_package_id, not both")
    return {name: one for name, one in model.items() if one}
