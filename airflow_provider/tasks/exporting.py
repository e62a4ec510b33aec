"""The life cycle of an export: plan, and then piece by piece ask, wait, judge, download, note.

    plan ──► next piece ──► equal one? take it : create ──► job ──► export ──► datasets ──► judge ──► download ──► done
                 ▲                                                    │           possibly cut │
                 └───────────────────── two halves ◄──────────────────┴────────────────────────┘
                 └─ none left ──► manifest

What is done stands in the folder (``export_target.py``), the export under way in the task's memory. A status object
that ended well says nothing yet: the export itself may have FAILED (wire.md H).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import OutcomeUnknown
from airflow_provider.api.once import Sent
from airflow_provider.api.waits import EntityWait, JobWait, Wait, to_json, wait_from_json
from airflow_provider.mlops import datasets, exports
from airflow_provider.mlops.export_windows import NoRows, Piece
from airflow_provider.mlops.exports import TRAINING, Wanted
from airflow_provider.mlops.manifest import manifest
from airflow_provider.tasks.base import Step
from airflow_provider.tasks.export_taking import TakingTask
from airflow_provider.tasks.export_target import TargetExists
from airflow_provider.tasks.outcomes import end_as
from airflow_provider.tasks.run import Await, Run

CREATE, JOB, EXPORT = "create", "job", "export"
DATASET_PATH = re.compile(r"datasets/([^/?]+)/?")


class DataRobotBaseExportOperator(TakingTask):
    """Base of the operators that export."""

    def start(self, run: Run) -> Step:
        """Makes the plan, unless an earlier attempt has, and goes on with the first piece that is not done."""
        found = self._target.manifest()
        if found is not None and found.get("key") == self._target.key and run.unsettled is not None:
            return self._result(found)
        if found is not None and self.if_exists == "skip":
            self.log.info("%s has a manifest already: nothing is exported.", self._folder)
            return self._result(found, skipped=True)
        if found is not None and self.if_exists == "error":
            raise TargetExists(f"{self._folder} holds an export already, and if_exists is 'error'")
        pieces = self._target.plan()
        if pieces is None:
            try:
                pieces = self.pieces(run)
            except NoRows as none:
                if self.if_empty == "skip":
                    end_as("skip", str(none))
                raise
            self.log.info("%d exports are planned, of %s rows.", len(pieces), _sum(pieces))
            if not run.plan_only:
                self._target.begin(pieces)
        return self._go_on(run, pieces)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over: the export tells how it went. The export, or its dataset, is over: take it."""
        assert run.handle is not None, "a wait that ended has a handle"
        pieces, stage = self._target.plan(), run.handle.stage
        if pieces is None:
            return self.start(run)
        wanted = self._wanted(Piece(**run.handle.before["piece"]))
        if wanted.piece not in self._target.left(pieces):
            return self._go_on(run, pieces)
        if stage == JOB and self.kind is not TRAINING:
            return self._await_export(run, wanted, run.handle.before["export"])
        export = (result.get("entity") if stage == EXPORT else None) or self._made(run, wanted, result)
        return self._take(run, wanted, export or {}) or self._go_on(run, pieces)

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """Where only the status object is lost, the export tells; a failed one may have had too many rows."""
        assert run.handle is not None, "a wait that ended has a handle"
        pieces = self._target.plan()
        wanted = self._wanted(Piece(**run.handle.before["piece"]))
        lost = datasets.is_lost(wait_from_json(run.handle.wait or {}), reason)
        if run.handle.stage == JOB and self.kind is not TRAINING:
            if lost or not exports.is_pending(self._read(run, run.handle.before["export"])):
                return self._await_export(run, wanted, run.handle.before["export"])
        elif run.handle.stage == JOB and lost and pieces is not None:
            made = self._made(run, wanted, {})
            if made:
                return self._take(run, wanted, made) or self._go_on(run, pieces)
        elif run.handle.stage == EXPORT and pieces is not None and self._is_over_full(run, wanted.piece):
            self._split(run, wanted.piece, f"the export of {wanted.piece.told()} failed ({reason})")
            return self._go_on(run, pieces)
        return super().failed(run, f"export {run.handle.id} of {wanted.piece.told()}: {reason}", result)

    def _go_on(self, run: Run, pieces: list[Piece]) -> Step:
        while (piece := next(self._target.left(pieces), None)) is not None:
            step = self._begin(run, self._wanted(piece))
            if step is not None:
                return step
        entries = list(self._target.entries(pieces))
        told = manifest({"key": self._target.key, **self._told()}, entries)
        place = self._target.finish(told)
        self.log.info("%d rows in %d files: %s", told["rows"], len(entries), place)
        return self._result(told)

    # --- one piece --------------------------------------------------------------------------------------------

    def _begin(self, run: Run, wanted: Wanted) -> Step | None:
        """Takes an equal export where that is safe, or creates one; None when the piece is done already."""
        found = exports.equal(run.client, wanted)
        lost = self._of_earlier_attempt(run, wanted, found)
        if lost is not None:
            run.memory.update(state="submitted")
            return self._await_export(run, wanted, lost)
        ours = exports.under_way(found, self.created_by)
        if ours is not None:
            self.log.info("Export %s of the same is under way; it is taken.", ours["id"])
            run.adopt(EXPORT, before={"piece": wanted.piece.to_json()}, id=str(ours["id"]))
            return self._await_export(run, wanted, str(ours["id"]))
        older = exports.reusable(run.client, wanted, found, run.settle) if self.may_reuse() else None
        if older is not None and not self._too_few(run, wanted.piece, older):
            self.log.info("Export %s has the same rows and is not stale; it is taken.", older["id"])
            if run.plan_only:
                return {"plan": None, "reuses": older["id"]}
            return self._take(run, wanted, older, reused=True)
        return self._create(run, wanted, [str(one.get("id")) for one in found])

    def _of_earlier_attempt(self, run: Run, wanted: Wanted, found: list[dict[str, Any]]) -> str | None:
        """The export that an attempt asked for which died before it noted that, or what it waits for."""
        earlier = run.unsettled
        if earlier is None or earlier.before.get("piece") != wanted.piece.to_json():
            return None
        if earlier.before.get("export") or "known" not in earlier.before:
            return earlier.before.get("export")
        return (exports.new(found, earlier.before["known"], self.created_by) or {}).get("id")

    def _create(self, run: Run, wanted: Wanted, known: list[str]) -> Step:
        def look() -> Mapping[str, Any] | None:
            return exports.new(exports.equal(run.client, wanted), known, self.created_by)

        sent = run.submit(
            self.kind.create,
            wanted.body(),
            stage=CREATE,
            look=look,
            extra_body=self.extra_body,
            before={"piece": wanted.piece.to_json(), "known": known},
            deploymentId=self.deployment_id,
        )
        job = run.path_of(sent.answer) if sent.answer is not None else None
        export_id = self._id_of(sent)
        if export_id is None and (job is None or self.kind is not TRAINING):
            export_id = str((look() or {}).get("id") or "") or None
            if export_id is None:
                raise OutcomeUnknown(
                    f"an export of {wanted.piece.told()} was accepted, and the answer does not tell which; check with "
                    f"{self.kind.list}",
                    operation=self.kind.create,
                )
        if job is None:
            return self._await_export(run, wanted, str(export_id))
        self.log.info("Export %s of %s was asked for.", export_id or "of training data", wanted.piece.told())
        return self._await(run, wanted, JOB, JobWait(job), export_id)

    def _id_of(self, sent: Sent) -> str | None:
        body = sent.found if sent.answer is None else (sent.answer.json() if sent.answer.content.strip() else None)
        return str(body["id"]) if isinstance(body, Mapping) and body.get("id") else None

    def _await_export(self, run: Run, wanted: Wanted, export_id: str) -> Step:
        if self.kind is TRAINING:  # it is listed only when it is made
            pieces = self._target.plan() or []
            return self._take(run, wanted, self._read(run, export_id)) or self._go_on(run, pieces)
        return self._await(run, wanted, EXPORT, EntityWait(wanted.path(export_id), "export"), export_id)

    def _await(self, run: Run, wanted: Wanted, stage: str, wait: Wait, export_id: str | None) -> Await:
        """Notes stage, export and wait together: an attempt that dies is taken up at one of them."""
        assert run.handle is not None, "an export that is waited for was noted"
        cancel = wanted.cancellation(export_id) if export_id else None
        before = {**run.handle.before, "export": export_id}
        run.memory.update(stage=stage, id=export_id, before=before, wait=to_json(wait), cancel=cancel)
        return Await(wait, f"export {export_id or ''} of {wanted.piece.told()} is being made", cancel)

    def _made(self, run: Run, wanted: Wanted, result: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The export of a wait that ended: its own record, or of training data the one with the dataset."""
        assert run.handle is not None, "a wait that ended has a handle"
        if run.handle.before.get("export"):
            return self._read(run, run.handle.before["export"])
        location = DATASET_PATH.search(str(result.get("location") or ""))
        found = exports.equal(run.client, wanted)
        if location is not None:
            named = next((one for one in found if location[1] in exports.datasets_of(one)), None)
            return named or {"data": {"id": location[1]}, "modelId": wanted.piece.model_id}
        return exports.new(found, run.handle.before.get("known", ()), self.created_by)

    def _read(self, run: Run, export_id: str) -> dict[str, Any]:
        return run.read(self.kind.get, deploymentId=self.deployment_id, exportId=export_id)


def _sum(pieces: list[Piece]) -> str:
    known = [one.planned for one in pieces]
    return "unknown" if None in known else f"{sum(one or 0 for one in known):,}"
