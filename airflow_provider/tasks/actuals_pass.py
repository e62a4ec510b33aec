"""One pass over a source of actuals: read, check, send what is missing, and account for every row."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError
from airflow_provider.hooks.stats import QUOTA_LEFT, ROWS
from airflow_provider.mlops import association
from airflow_provider.mlops.actuals import Chunk, chunks
from airflow_provider.mlops.budget import HOUR, Budget, weight_of
from airflow_provider.mlops.datasets import MOST_ACTUALS
from airflow_provider.mlops.ledger import Ledger, account
from airflow_provider.mlops.row_check import RowCheck, Tally
from airflow_provider.mlops.seen import SeenOnDisk
from airflow_provider.mlops.sending import ChunkFailed, JsonSending, Sending, ServiceClock
from airflow_provider.mlops.staging import FIELDS, DatasetSending
from airflow_provider.mlops.upload import Pause, Upload
from airflow_provider.tasks.actuals_order import Order
from airflow_provider.tasks.actuals_report import Report
from airflow_provider.tasks.sources import RejectsFile

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


@dataclass(frozen=True, slots=True)
class Read:
    """What a whole pass has read: its ``tally``, the number of ``chunks``, and where the ``rejects`` are."""

    tally: Tally
    chunks: int
    rejects: str | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, to be remembered while jobs run."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Read:
        """What :meth:`to_json` wrote."""
        return cls(Tally(**data["tally"]), data["chunks"], data["rejects"])


class Pass:
    """One pass. ``read`` is set when all was read; ``reading`` are the seconds that took.

    Asks the service for the association id and the champion (operations getDeploymentSettings,
    getDeploymentChampionModelPackage).

    :param by: run and attempt, ``run#attempt``.
    """

    def __init__(self, order: Order, client: Client, by: str, log: logging.Logger) -> None:
        association.required(client, order.deployment_id)
        answer = client.call("getDeploymentChampionModelPackage", deploymentId=order.deployment_id)
        package = answer.json()
        clock = ServiceClock(client.clock)
        clock.saw(answer)
        self._order = order
        self._client = client
        self._clock = clock
        self._log = log
        self._target = package.get("target") or {}
        self._tally = Tally()
        self._budget = Budget(order.rows_an_hour, order.weight or weight_of(package))
        self._ledger = order.ledger(by)
        if self._ledger.began is None:
            self._ledger.began = clock.now()
        # What the first pass refused as from the future stays refused: chunks are the same in each pass.
        self._now = datetime.fromtimestamp(self._ledger.began, UTC)
        self._report = Report(
            log,
            order.source.name,
            self._tally,
            order.most_rejected,
            client.clock,
            order.source.share,
            self._quota_left,
        )
        self._upload: Upload
        self.read: Read | None = None

    @property
    def reading(self) -> float:
        """Seconds that reading and checking took."""
        return self._report.reading

    def run(self) -> Pause | None:
        """Sends what is missing; what has to be waited for, or None when all is over.

        :raises DataRobotError: after rejects and account were told.
        """
        with self._opened() as (packed, rejects):
            try:
                pause = self._upload.run(self._report.watched(packed))
            except DataRobotError:
                place = rejects.put() if self._tally.rejected else None
                self._log.error("Account so far: %s; rejects: %s", self._account(), place)
                raise
            finally:
                ROWS.tell(self._upload.sending.rows, operation=self._upload.sending.operation)
                self._quota_left()
            if self._report.whole:
                place = rejects.put() if self._tally.rejected else None
                self.read = Read(self._tally, self._upload.chunks, place)
        if pause is None and self._upload.failed:
            raise self._failure(self._upload.failed)
        return pause

    def plan(self) -> dict[str, Any]:
        """What would be sent; nothing is written."""
        with self._opened() as (packed, _):
            missing = self._upload.missing(packed)
        rows = sum(map(sum, missing))
        hours = -(-rows * self._budget.weight // self._budget.rows) - 1
        plan = {
            **self._account(),
            "requests": len(missing) if self._order.as_dataset else sum(map(len, missing)),
            "seconds_of_quota": max(hours, 0) * HOUR,
            "reasons": self._tally.reasons,
        }
        self._log.info("plan_only: %s", plan)
        return {"plan": plan}

    @contextmanager
    def _opened(self) -> Iterator[tuple[Iterator[Chunk], RejectsFile]]:
        order = self._order
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="actuals-")))
            self._upload = self._new_upload(folder)
            rejects = stack.enter_context(RejectsFile(order.rejects, folder))
            seen = None if order.duplicates == "ignore" else stack.enter_context(SeenOnDisk(folder))
            rows = order.source.rows(order.columns)
            stack.callback(rows.close)  # type: ignore[attr-defined]  # a generator: its file or connection is closed
            packed = chunks(
                rows,
                self._check(),
                self._tally,
                duplicates=order.duplicates,
                seen=seen,
                keep_without_predictions=order.keep,
                size=self._budget.chunk_rows,
                on_reject=rejects.add,
            )
            yield packed, rejects

    def _new_upload(self, folder: Path) -> Upload:
        order = self._order
        return Upload(
            self._client,
            self._ledger,
            self._budget,
            self._clock,
            self._sending(folder),
            settle=order.settle,
            resend_changed=order.resend_changed,
        )

    def _sending(self, folder: Path) -> Sending:
        order = self._order
        way = (self._client, order.deployment_id, self._ledger, self._budget.weight, self._clock)
        if not order.as_dataset:
            return JsonSending(*way, order.in_flight)
        optional = (order.columns.timestamp, order.columns.was_acted_on)
        fields = [*FIELDS[:2], *(name for name, column in zip(FIELDS[2:], optional, strict=True) if column)]
        most = MOST_ACTUALS // self._budget.chunk_rows
        return DatasetSending(*way, most, fields=fields, folder=folder, keep=order.keep, delete=order.delete_datasets)

    def _check(self) -> RowCheck:
        """Labels are compared with the classes where the package names them all; it shows at most 100."""
        names, count = self._target.get("classNames"), self._target.get("classCount")
        known = names if names and count in (None, len(names)) else None
        return RowCheck(str(self._target.get("type")), known, self._now, self._tally)

    def _quota_left(self) -> int:
        rows = self._budget.left(self._ledger.spent(), self._clock.now())
        QUOTA_LEFT.tell(rows, deployment=self._order.deployment_id)
        return rows

    def _account(self) -> dict[str, int]:
        return account(self._tally, self._ledger, self._upload.chunks)

    def _failure(self, failed: Mapping[int, str]) -> ChunkFailed:
        number = min(failed)
        return ChunkFailed(
            f"{len(failed)} chunks failed, the first is number {number}: {failed[number]}; account: {self._account()}"
        )


def result(order: Order, ledger: Ledger, read: Read, log: logging.Logger) -> dict[str, Any] | None:
    """The account of a source whose rows are all read and over; None while rows are pending."""
    tally, counts = read.tally, account(read.tally, ledger, read.chunks)
    if counts["pending"]:
        return None
    if tally.read != tally.rejected + tally.duplicate + tally.packed:
        raise AssertionError(f"rows got lost on their way into chunks: {tally}")
    told = log.warning if tally.rejected else log.info
    told("Account of %s: %s; rejects: %s %s", order.source.name, counts, read.rejects, tally.reasons or "")
    if not tally.read:
        log.warning("%s has no rows.", order.source.name)
    if tally.naive:
        log.warning("%s timestamps had no zone and were taken as UTC.", tally.naive)
    return {
        **counts,
        "share_rejected": tally.rejected / tally.read if tally.read else 0.0,
        "reasons": tally.reasons,
        "rejects": read.rejects,
        "state": str(order.state),
    }
