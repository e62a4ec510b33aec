"""An export that is made: judged, downloaded, put to its place; or asked for again as two, where it may be cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import DataRobotError
from airflow_provider.mlops import datasets, exports
from airflow_provider.mlops.export_windows import Hours, NoRows, Piece, PossiblyCut, count_rows, doubt, halves
from airflow_provider.mlops.exports import ACTUALS, Wanted
from airflow_provider.tasks.base import Step
from airflow_provider.tasks.export_files import Here, bring, put
from airflow_provider.tasks.export_options import ExportingTask
from airflow_provider.tasks.run import Await, Run

DATASET = "dataset"


class TakingTask(ExportingTask):
    """Takes what an export has made."""

    def _take(self, run: Run, wanted: Wanted, export: Mapping[str, Any], *, reused: bool = False) -> Step | None:
        """Judges and downloads what an export has made; None when the piece is done, or was split."""
        export_id = str(export.get("id") or "") or None
        if not reused:
            run.memory.update(cancel=None)
        try:
            told = [exports.dataset(run.client, export_id, one) for one in exports.datasets_of(export)]
            for one in told:
                if one.get("processingState") == "RUNNING":
                    run.memory.update(stage=DATASET)
                    [processing] = datasets.Created(str(one["datasetId"]), None).waits
                    return Await(processing, f"dataset {one['datasetId']} of export {export_id} is being processed")
                datasets.refuse_in_error(one)
            counts = [one["rowCount"] for one in told if isinstance(one.get("rowCount"), int)]
            if self._is_cut(run, wanted.piece, max(counts, default=None if told else 0)):
                return None
            here = [bring(run.client, one, export_id, self._staging, self._target.key) for one in told]
            if not self._is_cut(run, wanted.piece, max((one.rows or 0 for one in here), default=0)):
                self._put(wanted.piece, export_id, here, reused=reused)
                self._clean(run, here, reused=reused)
            for part in here:
                part.remove()
        except (exports.DatasetGone, datasets.DatasetNotUsable):
            if run.handle is not None:
                run.memory.settle()
            raise
        return None

    def _put(self, piece: Piece, export_id: str | None, here: list[Here], *, reused: bool) -> None:
        entries = []
        for number, one in enumerate(here):
            stem = f"{self.kind.name}_{piece.name}" + (f"_{number + 1}" if len(here) > 1 else "")
            about = {"model_id": piece.model_id, "start": piece.start, "end": piece.end, "export_id": export_id}
            file = put(one, self._target, stem, self.format)
            entries.append({**about, "reused": reused, "planned_rows": piece.planned, **file})
            self.log.info("%s: %s rows, %d bytes.", file["name"], file["rows"], file["bytes"])
        self._target.done(piece, entries)

    def _clean(self, run: Run, here: list[Here], *, reused: bool) -> None:
        """Deletes the datasets of an export that this task asked for, if that is wanted."""
        if not self.delete_datasets or reused or run.handle is None or run.handle.owner != "ours":
            return
        for one in here:
            try:
                datasets.delete(run.client, str(one.dataset["datasetId"]))
            except DataRobotError as error:
                self.log.warning("Dataset %s is left in the catalog: %s", one.dataset["datasetId"], error)

    def _is_cut(self, run: Run, piece: Piece, rows: int | None) -> bool:
        """Whether an export may lack rows; then it is asked for as two."""
        why = None if rows is None else doubt(piece, rows, self._limit)
        if why is None and rows == 0 and piece.planned is None:
            run.memory.settle()
            raise NoRows(f"the export of {piece.told()} has no rows")
        if why is None:
            return False
        self._split(run, piece, why)
        return True

    def _split(self, run: Run, piece: Piece, why: str) -> None:
        window = piece.window
        if window is None or window.hours == 1:
            if run.handle is not None:
                run.memory.settle()
            raise PossiblyCut(f"{why}; it may be cut, and less than an hour cannot be asked for")
        self.log.warning("%s; it may be cut, and is asked for as two.", why)
        counts = self._count(run, piece)
        self._target.split(piece, halves(piece, counts))

    def _too_few(self, run: Run, piece: Piece, export: Mapping[str, Any]) -> bool:
        rows = [exports.dataset(run.client, None, one).get("rowCount") for one in exports.datasets_of(export)]
        known = [one for one in rows if isinstance(one, int)]
        return bool(known) and doubt(piece, max(known), self._limit) is not None

    def _is_over_full(self, run: Run, piece: Piece) -> bool:
        """Whether an export failed that has more rows by now than one can have."""
        if piece.window is None or piece.window.hours == 1 or self._limit is None:
            return False
        return sum(self._count(run, piece).get(str(piece.model_id), {}).values()) >= self._limit

    def _count(self, run: Run, piece: Piece) -> Hours:
        window = piece.window
        assert window is not None, "only windows are counted"
        models = [str(piece.model_id)]
        return count_rows(run.client, self.deployment_id, models, window, actuals=self.kind is ACTUALS)
