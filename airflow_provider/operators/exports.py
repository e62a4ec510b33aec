"""Exports of a deployment's predictions, actuals and training data to files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.export_windows import (
    NoRows,
    Piece,
    count_rows,
    plan,
    refuse_changed_champion,
    whole_hours,
)
from airflow_provider.mlops.exports import ACTUALS, PREDICTIONS, TRAINING
from airflow_provider.mlops.windows import Window, service_time, stamp
from airflow_provider.tasks import arguments
from airflow_provider.tasks.exporting import DataRobotBaseExportOperator
from airflow_provider.tasks.run import Run

INTERVAL_START, INTERVAL_END = "{{ data_interval_start }}", "{{ data_interval_end }}"


class _WindowExport(DataRobotBaseExportOperator):
    """An export of a window of time, model by model."""

    template_fields = (*DataRobotBaseExportOperator.template_fields, "window_start", "window_end", "model_ids")

    def __init__(
        self,
        *,
        window_start: datetime | str | None = INTERVAL_START,
        window_end: datetime | str | None = INTERVAL_END,
        model_ids: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.window_start = window_start
        self.window_end = window_end
        self.model_ids = model_ids
        self._window: Window | None = None

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._models = [
            arguments.identifier("model_ids", one) for one in arguments.several("model_ids", self.model_ids)
        ]
        self._window = self.window()

    def window(self) -> Window | None:
        """The window that is asked for."""
        return whole_hours(self.window_start, self.window_end)

    def about(self) -> dict[str, Any]:
        """The window and the models."""
        times = self._window.arguments() if self._window else {"start": None, "end": None}
        return {**times, "model_ids": self._models or None}

    def pieces(self, run: Run) -> list[Piece]:
        """Windows of whole hours, each with fewer rows than one export can have."""
        window = self._window
        assert window is not None, "planned by time"
        now = service_time(run.client)
        if window.end > now:
            raise InvalidCall(f"the window ends at {stamp(window.end)}, which is not over yet: rows would be missing")
        models = self._models
        if not models:
            deployment = run.read("getDeployment", deploymentId=self.deployment_id)
            models = [refuse_changed_champion(deployment, window)]
        hours = count_rows(run.client, self.deployment_id, models, window, actuals=self.kind is ACTUALS)
        assert self._limit is not None, "exports of a time have a limit"
        found = plan(hours, window, self._limit)
        if not found:
            raise NoRows(
                f"deployment {self.deployment_id} has no {self.kind.name} of model {', '.join(models)} from "
                f"{stamp(window.start)} to {stamp(window.end)}: nothing to export"
            )
        return found


class DataRobotExportPredictionDataOperator(_WindowExport):
    """Exports the stored predictions of a deployment to files, with a manifest.

    The window is cut by row counts, so that each export has fewer rows than the service puts into one; an export that
    may have been cut is asked for again as two, and an hour that may be cut fails: no row is lost silently.

    :param deployment_id: the deployment.
    :param path: the folder for the files, a path or URL that Airflow's object storage knows. Each file comes to its
        name whole, ``manifest.json`` last.
    :param window_start: from then on, on the hour of UTC (default: the start of the run's data interval).
    :param window_end: before then (default: its end).
    :param model_ids: whose rows; default: the champion's, which must have been champion for the whole window.
    :param batch_ids: monitoring batches in place of a window.
    :param augmentation_type: what the service adds to the rows (``NO_AUGMENTATION`` and others).
    :param reuse: take an equal export that is there, where it was made ``settle`` seconds and more after the window.
    :param format: ``csv`` or ``parquet`` (needs pyarrow).
    :param if_exists: where the folder has a manifest: ``overwrite``, ``error``, or ``skip`` (nothing is exported).
    :param if_empty: where there is no row: ``fail`` or ``skip``.
    :param created_by: the id of the user behind the connection: only then can an equal export that is under way be
        told from somebody else's, and be taken.
    :param row_limit: how many rows one export can have, where that is not what the pages say (200,000).
    :param delete_datasets: delete the dataset of each export of this task when its file is at its place.
    :param staging: a folder on the worker where files grow (default: one in its temporary folder).

    Returns ``deployment_id``, ``path``, ``manifest``, ``format``, ``rows``, ``planned_rows`` (counted before),
    ``bytes``, ``files`` (how many) and ``skipped``. Fails with ChampionChanged, NoRows, PossiblyCut, TargetExists,
    NoRoom, ContentDiffers, DatasetGone, JobFailed (also where the export FAILED after its job ended well),
    OutcomeUnknown, WaitTimedOut and the errors of the service. Operations: getVersion, getDeployment,
    getDeploymentPredictionsVsActualsOverTime, listDeploymentPredictionDataExports,
    createDeploymentPredictionDataExport, getStatus, getDeploymentPredictionDataExport, getDataset,
    downloadDatasetVersionFile; to stop, updateDeploymentPredictionDataExport. Memory before Airflow 3.3: the folder
    tells which files are done; an export that an earlier attempt asked for is taken up by ``created_by``, else another
    is asked for.
    """

    kind = PREDICTIONS
    operation = PREDICTIONS.create
    template_fields = (*_WindowExport.template_fields, "batch_ids", "augmentation_type", "reuse")

    def __init__(
        self,
        *,
        batch_ids: str | Sequence[str] | None = None,
        augmentation_type: str | None = None,
        reuse: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.batch_ids = batch_ids
        self.augmentation_type = augmentation_type
        self.reuse = reuse

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        named = arguments.several("batch_ids", self.batch_ids)
        self._batches = [arguments.identifier("batch_ids", one) for one in named]
        self.augmentation_type = None if arguments.absent(self.augmentation_type) else self.augmentation_type
        self.reuse = arguments.flag("reuse", self.reuse)
        super().prepare()

    def window(self) -> Window | None:
        """The window; None for batches."""
        return None if self._batches else super().window()

    def options(self) -> dict[str, Any]:
        """Batches and augmentation."""
        given = {"batchIds": self._batches or None, "augmentationType": self.augmentation_type}
        return {name: value for name, value in given.items() if value is not None}

    def may_reuse(self) -> bool:
        """By ``reuse``; batches may still grow."""
        return bool(self.reuse) and not self._batches

    def pieces(self, run: Run) -> list[Piece]:
        """One export for each model of the batches, else windows of time."""
        if not self._batches:
            return super().pieces(run)
        champion = [] if self._models else [run.read("getDeployment", deploymentId=self.deployment_id)["model"]["id"]]
        return [Piece(model) for model in self._models or champion]


class DataRobotExportActualsDataOperator(_WindowExport):
    """Exports the actuals of a deployment to files, with a manifest; by the time of their predictions.

    :param only_matched_predictions: only actuals whose prediction is there.
    :param reuse_actuals: take an equal export that is there. Labels come late, so an older export may lack some.
    :param row_limit: how many rows one export can have, where that is not what the pages say (1,000,000).

    All other arguments, the result and the errors are those of :class:`DataRobotExportPredictionDataOperator`.
    Operations: those of it, with listDeploymentActualsDataExports, createDeploymentActualsDataExport,
    getDeploymentActualsDataExport; to stop, updateDeploymentActualsDataExport. Memory before Airflow 3.3: as there.
    """

    kind = ACTUALS
    operation = ACTUALS.create
    template_fields = (*_WindowExport.template_fields, "only_matched_predictions", "reuse_actuals")

    def __init__(
        self,
        *,
        only_matched_predictions: bool | str = True,
        reuse_actuals: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.only_matched_predictions = only_matched_predictions
        self.reuse_actuals = reuse_actuals

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.only_matched_predictions = arguments.flag("only_matched_predictions", self.only_matched_predictions)
        self.reuse_actuals = arguments.flag("reuse_actuals", self.reuse_actuals)
        super().prepare()

    def options(self) -> dict[str, Any]:
        """Whether only matched ones are wanted."""
        return {"onlyMatchedPredictions": bool(self.only_matched_predictions)}

    def may_reuse(self) -> bool:
        """By ``reuse_actuals``."""
        return bool(self.reuse_actuals)


class DataRobotExportTrainingDataOperator(DataRobotBaseExportOperator):
    """Exports the training data of a model of a deployment to a file, with a manifest.

    :param model_id: the model; default: the champion.
    :param reuse: take an export of the same model that is there: training data do not change.

    All other arguments, the result and the errors are those of :class:`DataRobotExportPredictionDataOperator`.
    The service has no call that stops such an export. Operations: getDeployment, listDeploymentTrainingDataExports,
    createDeploymentTrainingDataExport, getStatus, getDataset, downloadDatasetVersionFile. Memory before Airflow 3.3: an
    export that is made is taken by ``reuse``.
    """

    kind = TRAINING
    operation = TRAINING.create
    template_fields = (*DataRobotBaseExportOperator.template_fields, "model_id", "reuse")

    def __init__(self, *, model_id: str | None = None, reuse: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model_id = model_id
        self.reuse = reuse

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.model_id = arguments.optional_identifier("model_id", self.model_id)
        self.reuse = arguments.flag("reuse", self.reuse)
        super().prepare()

    def about(self) -> dict[str, Any]:
        """The model."""
        return {"model_ids": [self.model_id] if self.model_id else None}

    def may_reuse(self) -> bool:
        """By ``reuse``."""
        return bool(self.reuse)

    def pieces(self, run: Run) -> list[Piece]:
        """One: the model, or who is champion now."""
        if self.model_id is not None:
            return [Piece(self.model_id)]
        return [Piece(str(run.read("getDeployment", deploymentId=self.deployment_id)["model"]["id"]))]
