"""Values of custom metrics: submitted from any source, checked, each at most once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, OutcomeUnknown
from airflow_provider.api.waits import JobWait
from airflow_provider.hooks.stats import ROWS
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.metric_state import account, advanced, begun, planned, told, validated
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.answers import Answer
    from airflow_provider.tasks.memory import Handle
    from airflow_provider.tasks.metric_order import MetricOrder

VALUES, DATASET = "values", "dataset"
# What reads and sends is imported where it is used: a DAG file needs nothing of it.


class ValuesNotTaken(DataRobotError):
    """The service accepted values, and the job that was to store them failed: whether a part is stored is not known."""


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

        super().prepare()
        self._order: MetricOrder = order_of({name: getattr(self, name) for name in self.template_fields})

    def identity(self) -> dict[str, Any]:
        """The metric, and where its values come from."""
        return self._order.identity

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self._order.deployment_id)

    # --- from rows --------------------------------------------------------------------------------------------

    def findable(self) -> bool:
        """Attempts know of each other by the account of what was sent, and refuse to send without it."""
        return True

    certain = findable

    def start(self, run: Run) -> Step:
        """Checks all rows, then sends the first chunk of those that were not sent before."""
        from airflow_provider.mlops.metric_values import ChangedValues

        order = self._order
        metric_id = order.metric_id(run.client)
        before = self._sent_before(run)
        if order.source is None:
            return self._start_dataset(run, metric_id, before)
        sent = before.get("sent", 0)
        survey = order.survey(sent)
        survey.refuse(order.most_rejected)
        if sent and (survey.good < sent or survey.before != before["digest"]):
            raise ChangedValues(
                f"{order.source.name} gives other rows than the {sent} of it that this task has sent; resend=True "
                "sends all of it anew"
            )
        self.log.info("%d rows, %d of them sent before, %d rejected.", survey.rows, sent, survey.rejected)
        for line in survey.told:
            self.log.warning("Rejected: %s.", line)
        if run.plan_only:
            plan = planned(order, metric_id, survey, sent)
            self.log.info("plan_only: the task would send %d values: %s", plan["values"], plan["plan"])
            return plan
        if order.validate_only:
            return validated(order, run.client, metric_id, survey, sent, self.extra_body)
        return self._next(run, metric_id, begun(survey, sent, before.get("digest", "")))

    def _next(self, run: Run, metric_id: str, state: dict[str, Any]) -> Step:
        """Sends the next chunk, or gives the account."""
        from airflow_provider.mlops.metric_values import call_of

        if not state["marks"]:
            return account(metric_id, state)
        order = self._order
        chunk = order.chunk(state["sent"], tuple(state["marks"][0]))
        call = call_of(order.deployment_id, metric_id, chunk, order.model, self.extra_body)
        sent = run.submit_call(call, stage=VALUES, look=None, before={**state, "under_way": True}, id=metric_id)
        ROWS.tell(len(chunk.buckets), operation=call.operation.id)
        self.log.info("%d values were accepted.", len(chunk.buckets))
        return self._awaited(run, sent.answer) or self._next(run, metric_id, self._stored(run))

    def _awaited(self, run: Run, answer: Answer | None) -> Await | None:
        path = run.path_of(answer) if answer is not None else None
        if path is None:
            self.log.warning("The service named no job for the values that it accepted.")
            return None
        return Await(JobWait(path), f"values of custom metric {run.handle.id if run.handle else ''} are being stored")

    # --- from a dataset ---------------------------------------------------------------------------------------

    def _start_dataset(self, run: Run, metric_id: str, before: dict[str, Any]) -> Step:
        if before.get("dataset"):
            self.log.info("This task has submitted dataset %s before; resend=True does it anew.", before["dataset"])
            return {"custom_metric_id": metric_id, "dataset_id": before["dataset"], "sent": None, "skipped": True}
        sent = run.submit(
            "submitDeploymentCustomMetricValuesFromDataset",
            self._order.dataset_body(),
            stage=DATASET,
            look=None,
            extra_body=self.extra_body,
            before={},
            id=metric_id,
            deploymentId=self._order.deployment_id,
            customMetricId=metric_id,
        )
        return self._awaited(run, sent.answer) or self._finish_dataset(run)

    def _finish_dataset(self, run: Run) -> dict[str, Any]:
        assert run.handle is not None, "what was submitted has a handle"
        run.memory.update(before={"dataset": self._order.dataset_id}, wait=None)
        found = {"custom_metric_id": run.handle.id, "dataset_id": self._order.dataset_id}
        return {**found, "sent": None, "skipped": False}

    # --- afterwards -------------------------------------------------------------------------------------------

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """What was sent last is stored: goes on behind it."""
        assert run.handle is not None, "a wait that ended has a handle"
        if run.handle.stage == DATASET:
            return self._finish_dataset(run)
        return self._next(run, str(run.handle.id), self._stored(run))

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """What was sent last is not known to be stored: never sent again without somebody's wish."""
        run.memory.settle()
        raise ValuesNotTaken(
            f"{told(run.handle)} were accepted, and their job ended: {reason}. Whether a part of them is stored is not "
            "known; look at getDeploymentCustomMetricValuesOverTime, then clear the task to send them again, or do not",
            operation=self.operation,
        )

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on behind what an earlier attempt has sent; what it may have sent is not sent again."""
        if handle.state == "submitted" and handle.wait:
            return super().take_up(run, handle)
        if handle.state == "submitted" and handle.stage == VALUES and not handle.before.get("under_way"):
            return self._next(run, str(handle.id), handle.before)
        if handle.state == "submitted":
            self.log.warning("An earlier attempt ended after %s were accepted.", told(run.handle))
            return self.proceed(run, {})
        run.memory.settle()
        raise OutcomeUnknown(
            f"an earlier attempt ended while it sent {told(run.handle)}, and whether they arrived is not known; look "
            "at getDeploymentCustomMetricValuesOverTime, then clear the task to send them again, or do not",
            operation=self.operation,
        )

    def _stored(self, run: Run) -> dict[str, Any]:
        """The state behind the chunk that was sent last; noted, so that no other attempt sends it."""
        state = advanced(run.handle)
        run.memory.update(before=state, wait=None)
        return state

    def _sent_before(self, run: Run) -> dict[str, Any]:
        """What this task instance is known to have sent."""
        known = run.handle if run.handle is not None and run.handle.fingerprint == run.fingerprint else None
        if known is None and not (run.memory.lasts or self._first_attempt or self._order.resend or run.plan_only):
            raise OutcomeUnknown(
                "an earlier attempt may have sent values, and nothing remembers which; give state_path, or resend=True "
                "to send all of them",
                operation=self.operation,
            )
        return {} if known is None or (self._order.resend and known.state == "settled") else known.before
