"""Values of custom metrics: submitted from any source, checked, each at most once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.tasks.memory import Handle
    from airflow_provider.tasks.metric_order import MetricOrder
    from airflow_provider.tasks.run import Run

# What reads and sends is imported where it is used: a DAG file needs nothing of it.


class DataRobotSubmitCustomMetricValuesOperator(DataRobotBaseOperator):
    """Submits values of a custom metric, 10,000 a call, and each at most once.

    The service cannot tell a value that comes twice from two. So the rows are checked as a whole before the first is
    sent, the calls go one after another, each is noted before and after, and a retry sends only the rest. What may have
    arrived and cannot be looked up ends in OutcomeUnknown; clearing the task then sends it again, and never what is
    known to have arrived. Exactly one of ``source``, ``sql`` and ``dataset_id`` is given.

    :param deployment_id: the deployment.
    :param custom_metric_id: the metric, or
    :param name: its name.
    :param source: a path or URL that Airflow's object storage knows (CSV, JSON lines, Parquet; gzip is noticed), a list
        of mappings (or its JSON text), or a callable that gives an iterable of mappings each time it is called.
    :param sql: a query whose rows are the values, in a stable order (``ORDER BY``), with ``sql_conn_id`` and
        ``sql_parameters``.
    :param dataset_id: a dataset of the catalog (CSV with a header) whose rows are the values: one call for all of them.
    :param value_column: the number. Further columns: ``timestamp_column`` (when it was measured; a time without a zone
        is UTC; ``timestamp_format`` as in strftime, of a dataset), ``sample_size_column`` (how many samples a value
        stands for, 1 where nothing is said), ``batch_column`` (the id of its monitoring batch),
        ``association_id_column`` and ``segment_columns`` (name of a segment -> column).
    :param timestamp: of all rows, in place of a column.
    :param batch_id: the monitoring batch of all rows, in place of a column.
    :param model_id: of a metric that is specific to models; or ``model_package_id``.
    :param format: ``csv``, ``jsonl`` or ``parquet`` when the name does not tell; ``encoding``, ``delimiter`` and
        ``quotechar`` for text.
    :param max_rejected: how many rows may be no values. More fail the task before anything is sent, and the error tells
        the first twenty.
    :param validate_only: let the service check all values (its own ``dryRun``) and keep none.
    :param resend: when the task is cleared after its end, send again what it has sent before.
    :param state_path: a file for what is remembered, at any URL. Needed before Airflow 3.3 for more than one attempt.

    Returns ``custom_metric_id``, ``rows`` (read), ``sent``, ``skipped`` (sent before by this task), ``rejected`` and
    ``naive`` (times without a zone); for a dataset ``dataset_id`` and ``sent`` (None, the service counts); with
    ``validate_only`` ``validated`` in place of ``sent``. rows = sent + skipped + rejected.

    Fails with ValuesRejected, ChangedValues (the source gives other rows than those that were sent before),
    ValuesNotTaken, OutcomeUnknown, UnreadableSource, CustomMetricMissing and the errors of the service. Operations:
    listDeploymentCustomMetrics (for a name), submitDeploymentCustomMetricValuesFromJson or
    submitDeploymentCustomMetricValuesFromDataset, getStatus. Memory before Airflow 3.3: ``state_path``; without it a
    second attempt ends in OutcomeUnknown.
    """

    operation = "submitDeploymentCustomMetricValuesFromJson"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "custom_metric_id",
        "name",
        "source",
        "sql",
        "sql_conn_id",
        "sql_parameters",
        "dataset_id",
        "value_column",
        "timestamp_column",
        "timestamp_format",
        "sample_size_column",
        "batch_column",
        "association_id_column",
        "segment_columns",
        "timestamp",
        "batch_id",
        "model_id",
        "model_package_id",
        "format",
        "encoding",
        "delimiter",
        "quotechar",
        "max_rejected",
        "validate_only",
        "resend",
        "state_path",
    )
    template_ext = (".sql",)

    def __init__(
        self,
        *,
        deployment_id: str,
        custom_metric_id: str | None = None,
        name: str | None = None,
        source: str | Sequence[Mapping[str, Any]] | Callable[[], Iterable[Mapping[str, Any]]] | None = None,
        sql: str | None = None,
        sql_conn_id: str | None = None,
        sql_parameters: Any = None,
        dataset_id: str | None = None,
        value_column: str = "value",
        timestamp_column: str | None = None,
        timestamp_format: str | None = None,
        sample_size_column: str | None = None,
        batch_column: str | None = None,
        association_id_column: str | None = None,
        segment_columns: Mapping[str, str] | None = None,
        timestamp: str | None = None,
        batch_id: str | None = None,
        model_id: str | None = None,
        model_package_id: str | None = None,
        format: str | None = None,
        encoding: str = "utf-8-sig",
        delimiter: str = ",",
        quotechar: str = '"',
        max_rejected: int | str = 0,
        validate_only: bool | str = False,
        resend: bool | str = False,
        state_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.custom_metric_id = custom_metric_id
        self.name = name
        self.source = source
        self.sql = sql
        self.sql_conn_id = sql_conn_id
        self.sql_parameters = sql_parameters
        self.dataset_id = dataset_id
        self.value_column = value_column
        self.timestamp_column = timestamp_column
        self.timestamp_format = timestamp_format
        self.sample_size_column = sample_size_column
        self.batch_column = batch_column
        self.association_id_column = association_id_column
        self.segment_columns = segment_columns
        self.timestamp = timestamp
        self.batch_id = batch_id
        self.model_id = model_id
        self.model_package_id = model_package_id
        self.format = format
        self.encoding = encoding
        self.delimiter = delimiter
        self.quotechar = quotechar
        self.max_rejected = max_rejected
        self.validate_only = validate_only
        self.resend = resend
        self.state_path = state_path

    def execute(self, context: Context) -> Any:
        """Notes which attempt it is, and where its memory is, then runs the life cycle."""
        return super().execute(self._remembering(context))

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """The same after a wait."""
        return super().resume(self._remembering(context), event)

    def _remembering(self, context: Context) -> Context:
        from airflow_provider.tasks.metric_order import memory_of

        self._first_attempt = context["ti"].try_number <= 1
        return memory_of(self.state_path, context)

    def prepare(self) -> None:
        """Checks every argument before anything is read or sent."""
        from airflow_provider.tasks.metric_order import order_of
        from airflow_provider.tasks.metric_submission import Submission

        super().prepare()
        self._order: MetricOrder = order_of({name: getattr(self, name) for name in self.template_fields})
        self._steps = Submission(self._order, self._first_attempt, self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The metric, and where its values come from."""
        return self._order.identity

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self._order.deployment_id)

    def findable(self) -> bool:
        """Attempts know of each other by the account of what was sent, and refuse to send without it."""
        return True

    certain = findable

    def start(self, run: Run) -> Step:
        """Checks all rows, then sends the first chunk of those that were not sent before."""
        return self._steps.start(run)

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on behind what an earlier attempt has sent; what it may have sent is not sent again."""
        if handle.state == "submitted" and handle.wait:
            return super().take_up(run, handle)
        return self._steps.take_up(run, handle)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """What was sent last is stored: goes on behind it."""
        return self._steps.proceed(run)

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """What was sent last is not known to be stored: never sent again without somebody's wish."""
        return self._steps.failed(run, reason)
