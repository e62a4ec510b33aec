"""Uploading actuals: delayed ground truth from any source, checked, within the quota, resumable, accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.api.waits import EntityWait, EveryWait, JobWait, UntilWait
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.tasks.actuals_order import Order
    from airflow_provider.tasks.actuals_pass import Read

JOBS, QUOTA, DATASET = "jobs", "quota", "dataset"
# What reads and sends is imported where it is used: a DAG file needs nothing of it.


class DataRobotUploadActualsOperator(DataRobotBaseOperator):
    """Uploads actuals, sends only what is missing, and accounts for every row.

    Exactly one of ``source`` and ``sql`` is given.

    :param deployment_id: the deployment; its association id must be configured.
    :param source: a path or URL that Airflow's object storage knows (CSV, JSON lines, Parquet; gzip is noticed), a list
        of mappings, or a callable that gives an iterable of mappings each time it is called.
    :param sql: a query whose rows are the actuals, in a stable order (``ORDER BY``), with
    :param sql_conn_id: its Airflow connection, and
    :param sql_parameters: its parameters.
    :param association_id_column: a column, or a list of columns whose values are joined by ``id_separator``.
    :param actual_value_column: a number for regression, a label for classification.
    :param timestamp_column: when the outcome became known; a time without a zone is UTC, and the log says so.
    :param was_acted_on_column: whether the prediction was acted on.
    :param format: ``csv``, ``jsonl`` or ``parquet`` when the name does not tell; ``encoding``, ``delimiter`` and
        ``quotechar`` for text.
    :param duplicates: of rows with the same id the ``last`` or the ``first`` counts; ``error`` refuses them; ``ignore``
        sends them as they come.
    :param max_rejected: how many rows may be refused: a count, or a share below 1 (``0.01``). More fail the task: no
        further row is sent, and the rest is read for its rejects only.
    :param rejects_path: where the refused rows go (JSON lines: line, reason, row); default ``<source>.rejects.jsonl``.
    :param state_path: the folder of the ledger; default ``<source>.ledger/``. Needed for sql, lists and callables, and
        where the source cannot be written beside.
    :param on_changed_input: ``fail`` or ``resend`` when the source gives other rows than when its upload began.
    :param keep_actuals_without_predictions: keep actuals whose prediction is not there yet (None: the service decides).
    :param hourly_budget: weighted rows an hour; tasks on the same deployment share it by an Airflow pool of one slot.
    :param weight: how often a row counts; read from the champion (classes, forecast distances) when None.
    :param route: ``json``: requests of at most 10,000 rows. ``dataset``: the good rows as datasets of the catalog, at
        most 5,000,000 each; the service may read ids such as 007 as numbers there. ``auto``: a dataset for a file of
        100 MB and more.
    :param delete_datasets: delete those datasets when their rows are taken over.
    :param in_flight: requests at a time, at most 32; after a kill so many may have to be sent again.

    Returns ``read``, ``sent``, ``rejected``, ``skipped`` (duplicates, and rows that another run had sent), ``pending``,
    ``repeated`` (sent again after a kill or a lost answer), ``reasons`` (of rejects), ``rejects`` (their file or None),
    ``state`` (the ledger), ``share_rejected``. read = sent + rejected + skipped + pending, always.

    Fails with SourceAbsent, UnreadableSource, ChangedInput, DuplicateId, TooManyRejected, ChunkFailed,
    AssociationIdMissing and the errors of the service. Operations: getDeploymentSettings,
    getDeploymentChampionModelPackage, submitDeploymentActualsFromJson, getStatus; as a dataset also listDatasets,
    createDatasetFromFile, getDatasetVersion, submitDeploymentActualsFromDataset, deleteDataset. Memory on every
    Airflow: the ledger.
    """

    operation = "submitDeploymentActualsFromJson"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "source",
        "sql",
        "sql_conn_id",
        "sql_parameters",
        "association_id_column",
        "actual_value_column",
        "timestamp_column",
        "was_acted_on_column",
        "id_separator",
        "format",
        "encoding",
        "delimiter",
        "quotechar",
        "duplicates",
        "max_rejected",
        "rejects_path",
        "state_path",
        "on_changed_input",
        "keep_actuals_without_predictions",
        "hourly_budget",
        "weight",
        "route",
        "delete_datasets",
        "in_flight",
    )
    template_ext = (".sql",)

    def __init__(
        self,
        *,
        deployment_id: str,
        source: str | Sequence[Mapping[str, Any]] | Callable[[], Iterable[Mapping[str, Any]]] | None = None,
        sql: str | None = None,
        sql_conn_id: str | None = None,
        sql_parameters: Any = None,
        association_id_column: str | Sequence[str] = "association_id",
        actual_value_column: str = "actual_value",
        timestamp_column: str | None = None,
        was_acted_on_column: str | None = None,
        id_separator: str = "_",
        format: str | None = None,
        encoding: str = "utf-8-sig",
        delimiter: str = ",",
        quotechar: str = '"',
        duplicates: str = "last",
        max_rejected: float | str = 0,
        rejects_path: str | None = None,
        state_path: str | None = None,
        on_changed_input: str = "fail",
        keep_actuals_without_predictions: bool | str | None = None,
        hourly_budget: int | str = 10_000_000,
        weight: int | str | None = None,
        route: str = "json",
        delete_datasets: bool | str = True,
        in_flight: int | str = 8,
        timeout: float | timedelta | str | None = timedelta(days=7),
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.deployment_id = deployment_id
        self.source = source
        self.sql = sql
        self.sql_conn_id = sql_conn_id
        self.sql_parameters = sql_parameters
        self.association_id_column = association_id_column
        self.actual_value_column = actual_value_column
        self.timestamp_column = timestamp_column
        self.was_acted_on_column = was_acted_on_column
        self.id_separator = id_separator
        self.format = format
        self.encoding = encoding
        self.delimiter = delimiter
        self.quotechar = quotechar
        self.duplicates = duplicates
        self.max_rejected = max_rejected
        self.rejects_path = rejects_path
        self.state_path = state_path
        self.on_changed_input = on_changed_input
        self.keep_actuals_without_predictions = keep_actuals_without_predictions
        self.hourly_budget = hourly_budget
        self.weight = weight
        self.route = route
        self.delete_datasets = delete_datasets
        self.in_flight = in_flight

    def introduce(self, context: Context) -> None:
        """Notes which run and attempt sends."""
        super().introduce(context)
        self._by = _sender(context)

    def prepare(self) -> None:
        """Checks every argument before anything is read or sent."""
        from airflow_provider.tasks.actuals_order import order_of

        super().prepare()
        self._order: Order = order_of({name: getattr(self, name) for name in self.template_fields})

    def identity(self) -> dict[str, Any]:
        """The deployment and the ledger: what they hold is the work."""
        return {"deployment_id": self._order.deployment_id, "state": str(self._order.state)}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self._order.deployment_id)

    def start(self, run: Run) -> Step:
        """One pass over the source: sends what the ledger does not know, up to something that takes long."""
        from airflow_provider.mlops.upload import Jobs, Later
        from airflow_provider.tasks.actuals_pass import Pass

        a_pass = Pass(self._order, run.client, self._by, self.log)  # type: ignore[arg-type]  # Airflow's logger
        if run.plan_only:
            return a_pass.plan()
        pause = a_pass.run()
        if isinstance(pause, Later):
            # The next pass reads what this one has read before it can send: it may begin so much earlier.
            seconds = max(pause.seconds - a_pass.reading, 0.0)
            run.adopt(QUOTA)
            return Await(UntilWait(run.clock() + seconds), f"the service takes more in {pause.seconds:.0f} s")
        if isinstance(pause, Jobs):
            run.adopt(JOBS, before={"read": a_pass.read.to_json() if a_pass.read else None})
            return Await(EveryWait([JobWait(path) for path in pause.paths]), f"{len(pause.paths)} jobs run")
        if pause is not None:
            run.adopt(DATASET)
            return Await(EntityWait(pause.path, "dataset"), "a dataset is being processed")
        assert a_pass.read is not None, "nothing is to be waited for only when all was read"
        account = self._account(a_pass.read)
        assert account is not None, "nothing is to be waited for only when all is over"
        return account

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Notes how the jobs ended; then finishes, or passes over the source again for what is missing."""
        from airflow_provider.mlops.staging import clean
        from airflow_provider.mlops.upload import ended
        from airflow_provider.tasks.actuals_pass import Read

        assert run.handle is not None, "a wait that ended has a handle"
        run.memory.settle()  # an attempt that dies while it sends leaves nothing to wait for, only its ledger
        if run.handle.stage != JOBS:
            return self.start(run)
        ledger = self._order.ledger(self._by)
        paths = [one["path"] for one in (run.handle.wait or {})["waits"]]
        told = zip(paths, result["outcomes"], strict=True)
        ends = {path: ended(one["outcome"], one["reason"]) for path, one in told}
        ledger.settle(ends)
        if self._order.delete_datasets:
            clean(run.client, ledger, (path for path, end in ends.items() if end[0] == "done"))
        read = run.handle.before.get("read")
        return (self._account(Read.from_json(read)) if read else None) or self.start(run)

    def _account(self, read: Read) -> dict[str, Any] | None:
        from airflow_provider.tasks.actuals_pass import result

        return result(self._order, self._order.ledger(self._by), read, self.log)  # type: ignore[arg-type]


def _sender(context: Context) -> str:
    """Run and attempt, as the ledger tells them apart."""
    instance = context["ti"]
    return f"{instance.dag_id}/{instance.run_id}/{instance.task_id}/{instance.map_index}#{instance.try_number}"
