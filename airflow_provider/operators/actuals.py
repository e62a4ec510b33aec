"""Uploading actuals: delayed ground truth from any source, checked, within the quota, resumable, accounted for."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.waits import EveryWait, JobWait, UntilWait
from airflow_provider.mlops import association
from airflow_provider.mlops.actuals import RowCheck, Tally, chunks
from airflow_provider.mlops.budget import ROWS_AN_HOUR, Budget, weight_of
from airflow_provider.mlops.ledger import Ledger, Outcome
from airflow_provider.mlops.rows import FORMATS, Columns
from airflow_provider.mlops.seen import SeenOnDisk
from airflow_provider.mlops.upload import Jobs, Later, Progress, Upload, account
from airflow_provider.tasks import arguments
from airflow_provider.tasks.actuals_report import Report, TooManyRejected
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run
from airflow_provider.tasks.sources import FolderStore, GivenSource, PathSource, RejectsFile, Source, SqlSource, opened

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

JOBS, QUOTA = "jobs", "quota"
LOST = ("EXPIRED", "not found")  # what the end of a job says whose record is lost


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
    :param format: ``csv``, ``jsonl`` or ``parquet`` when the name does not tell; ``encoding``, ``delimiter`` for text.
    :param duplicates: of rows with the same id the ``last`` or the ``first`` counts; ``error`` refuses them; ``ignore``
        sends them as they come.
    :param max_rejected: how many rows may be refused: a count, or a share below 1 (``0.01``). More fail the task, and
        nothing more is sent.
    :param rejects_path: where the refused rows go (JSON lines: line, reason, row); default ``<source>.rejects.jsonl``.
    :param state_path: the folder of the ledger; default ``<source>.ledger/``. Needed for sql, lists and callables, and
        where the source cannot be written beside.
    :param on_changed_input: ``fail`` or ``resend`` when the source gives other rows than when its upload began.
    :param keep_actuals_without_predictions: keep actuals whose prediction is not there yet (None: the service decides).
    :param hourly_budget: weighted rows an hour; tasks on the same deployment share it by an Airflow pool of one slot.
    :param weight: how often a row counts; read from the champion (classes, forecast distances) when None.
    :param in_flight: requests at a time.

    Returns ``read``, ``sent``, ``rejected``, ``skipped`` (duplicates, and rows that another run had sent), ``pending``,
    ``repeated`` (sent again after a kill or a lost answer), ``reasons`` (of rejects), ``rejects`` (their file or None),
    ``state`` (the ledger), ``share_rejected``. read = sent + rejected + skipped + pending, always.

    Fails with UnreadableSource, ChangedInput, DuplicateId, TooManyRejected, ChunkRefused, AssociationIdMissing and the
    errors of the service. Operations: getDeploymentSettings, getDeploymentChampionModelPackage,
    submitDeploymentActualsFromJson. Memory on every Airflow: the ledger.
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
        "duplicates",
        "max_rejected",
        "rejects_path",
        "state_path",
        "on_changed_input",
        "keep_actuals_without_predictions",
        "hourly_budget",
        "weight",
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
        duplicates: str = "last",
        max_rejected: float | str = 0,
        rejects_path: str | None = None,
        state_path: str | None = None,
        on_changed_input: str = "fail",
        keep_actuals_without_predictions: bool | str | None = None,
        hourly_budget: int | str = ROWS_AN_HOUR,
        weight: int | str | None = None,
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
        self.duplicates = duplicates
        self.max_rejected = max_rejected
        self.rejects_path = rejects_path
        self.state_path = state_path
        self.on_changed_input = on_changed_input
        self.keep_actuals_without_predictions = keep_actuals_without_predictions
        self.hourly_budget = hourly_budget
        self.weight = weight
        self.in_flight = in_flight
        self._by = ""

    def execute(self, context: Context) -> Any:
        """Notes which run and attempt sends, then runs the life cycle."""
        self._sender(context)
        return super().execute(context)

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Notes which run and attempt sends, then goes on."""
        self._sender(context)
        return super().resume(context, event)

    def prepare(self) -> None:
        """Checks every argument before anything is read or sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.duplicates = arguments.one_of("duplicates", self.duplicates, ("last", "first", "error", "ignore"))
        self.on_changed_input = arguments.one_of("on_changed_input", self.on_changed_input, ("fail", "resend"))
        self.format = arguments.one_of("format", self.format, FORMATS) if self.format else None
        self._most_rejected = float(arguments.seconds("max_rejected", self.max_rejected) or 0)
        keep = self.keep_actuals_without_predictions
        self._keep = None if keep is None else arguments.flag("keep_actuals_without_predictions", keep)
        self._rows_an_hour = _count("hourly_budget", self.hourly_budget)
        self._in_flight = _count("in_flight", self.in_flight)
        self._weight = None if self.weight is None else _count("weight", self.weight)
        self._columns = Columns(
            association_id=self.association_id_column,
            actual_value=self.actual_value_column,
            timestamp=self.timestamp_column or None,
            was_acted_on=self.was_acted_on_column or None,
            separator=self.id_separator,
        )
        self._opened_source = self._source()
        self._state, self._rejects = self._places()

    def identity(self) -> dict[str, Any]:
        """The deployment and the ledger: what they hold is the work."""
        return {"deployment_id": self.deployment_id, "state": str(self._state)}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """One pass over the source: sends what the ledger does not know, up to something that takes long."""
        association.required(run.client, self.deployment_id)
        answer = run.client.call("getDeploymentChampionModelPackage", deploymentId=self.deployment_id)
        package = answer.json()
        budget = Budget(self._rows_an_hour, self._weight or weight_of(package))
        now = answer.date or datetime.now(UTC)
        ahead = now.timestamp() - run.clock()
        tally = Tally()
        with ExitStack() as stack:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="actuals-")))
            rejects_file = RejectsFile(self._rejects, work)
            on_reject = stack.enter_context(rejects_file)
            seen = None if self.duplicates == "ignore" else stack.enter_context(SeenOnDisk(work))
            rows = stack.enter_context(opened(self._opened_source, self._columns))
            target = package.get("target") or {}
            packed = chunks(
                rows,
                RowCheck(str(target.get("type")), target.get("classNames"), now, tally),
                tally,
                duplicates=self.duplicates,
                seen=seen,
                keep_without_predictions=self._keep,
                on_reject=on_reject,
            )
            report = Report(self.log, self._opened_source.name, tally, self._most_rejected, run.clock)
            if run.plan_only:
                return report.plan(packed)
            upload = Upload(
                run.client,
                self.deployment_id,
                Ledger.read(FolderStore(self._state), self._by),
                budget,
                lambda: run.clock() + ahead,
                resend_changed=self.on_changed_input == "resend",
                in_flight=self._in_flight,
                on_batch=report.batch,
            )
            pause = upload.run(report.watched(packed))
            if pause is not None:
                return self._pause(run, pause, upload.progress, tally)
            report.refuse_too_many(whole=True)
            place = rejects_file.put() if tally.rejected else None
        return self._result(tally, upload.progress, place)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """Notes how the jobs ended, then passes over the source again."""
        assert run.handle is not None, "a wait that ended has a handle"
        if run.handle.stage == JOBS:
            numbers = [int(number) for number in run.handle.before["chunks"]]
            ends = dict(zip(numbers, (_outcome(one) for one in result["outcomes"]), strict=True))
            ledger = Ledger.read(FolderStore(self._state), self._by)
            still = {number for number in numbers if ledger.entries[number].outcome is None}
            if still:
                ledger.over({number: end for number, end in ends.items() if number in still})
        return self.start(run)

    def _pause(self, run: Run, pause: Later | Jobs, progress: Progress, tally: Tally) -> Await:
        if isinstance(pause, Later):
            run.adopt(QUOTA)
            self.log.info("The hourly budget is spent; going on in %.0f s.", pause.seconds)
            return Await(UntilWait(run.clock() + pause.seconds), f"{tally.read} rows read, the quota is spent")
        numbers = sorted(pause.paths)
        run.adopt(JOBS, before={"chunks": numbers})
        return Await(EveryWait([JobWait(pause.paths[number]) for number in numbers]), f"{len(numbers)} jobs run")

    def _result(self, tally: Tally, progress: Progress, rejects: str | None) -> dict[str, Any]:
        counts = account(tally, progress)
        if progress.failed:
            number, reason = next(iter(progress.failed.items()))
            raise TooManyRejected.of_jobs(len(progress.failed), number, reason, counts)
        if (
            counts["read"] != sum(counts[name] for name in ("sent", "rejected", "skipped", "pending"))
            or counts["pending"]
        ):
            raise AssertionError(f"the account does not add up: {counts}")
        told = self.log.warning if tally.rejected else self.log.info
        told("Account of %s: %s%s", self._opened_source.name, counts, f"; rejects in {rejects}" if rejects else "")
        if tally.naive:
            self.log.warning("%s timestamps had no zone and were taken as UTC.", tally.naive)
        return {
            **counts,
            "share_rejected": tally.rejected / tally.read if tally.read else 0.0,
            "reasons": tally.reasons,
            "rejects": rejects,
            "state": str(self._state),
        }

    def _source(self) -> Source:
        if (self.source is None) == (self.sql is None):
            raise InvalidCall("give exactly one of source and sql")
        if self.sql is not None:
            return SqlSource(arguments.identifier("sql_conn_id", self.sql_conn_id), self.sql, self.sql_parameters)
        if isinstance(self.source, (str, Path, ObjectStoragePath)):
            return PathSource(ObjectStoragePath(str(self.source)), self.format, self.encoding, self.delimiter)
        return GivenSource(self.source)  # type: ignore[arg-type]

    def _places(self) -> tuple[ObjectStoragePath, ObjectStoragePath]:
        """Where ledger and rejects go; only a path has a place of its own."""
        base = self._opened_source.name if isinstance(self._opened_source, PathSource) else None
        state = self.state_path or (f"{base}.ledger" if base else None)
        if state is None:
            raise InvalidCall("state_path is needed for sql, a list or a callable: the folder where its ledger lies")
        rejects = self.rejects_path or (f"{base}.rejects.jsonl" if base else f"{state.rstrip('/')}.rejects.jsonl")
        return ObjectStoragePath(state), ObjectStoragePath(rejects)

    def _sender(self, context: Context) -> None:
        instance = context["ti"]
        self._by = f"{instance.run_id}/{instance.task_id}/{instance.map_index}#{instance.try_number}"


def _outcome(end: Mapping[str, Any]) -> tuple[Outcome, str | None]:
    if end["outcome"] == "done":
        return "done", None
    reason = str(end.get("reason"))
    return ("lost" if reason.startswith(LOST) else "failed"), reason


def _count(name: str, value: Any) -> int:
    number = arguments.seconds(name, value)
    if not number or number != int(number):
        raise InvalidCall(f"{name} must be a whole number above 0, not {value!r}")
    return int(number)
