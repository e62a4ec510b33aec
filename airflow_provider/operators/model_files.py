"""Files of a model: scoring code, the model package file, logs of a custom model, the Portable Prediction Server image.

What comes is put to its place whole and as it is: no archive is ever unpacked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import NotFound, Unprocessable
from airflow_provider.api.waits import JobWait, UntilWait
from airflow_provider.mlops import model_files
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.downloading import FIELDS, Place
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow_provider.tasks.memory import Handle

JOB, PAUSE = "job", "pause"
PATIENCE = 3600.0  # seconds for a build of which the service tells nothing
LOST = ("EXPIRED", "not found")  # what the end of a job says whose record is gone


class _BuiltFile(DataRobotBaseOperator):
    """A file that a job of the service makes first; what is made is the same however often it is asked for.

    ``_needs_build``, ``_build`` and ``_source`` are what an operator gives.
    """

    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", *FIELDS)

    def __init__(
        self,
        *,
        deployment_id: str,
        path: str,
        if_exists: str = "overwrite",
        staging: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.path = path
        self.if_exists = if_exists
        self.staging = staging

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._place = Place.of(self.path, self.if_exists, self.staging, self._instance, self.deployment_id)

    def identity(self) -> dict[str, Any]:
        """The deployment, and where its file goes."""
        return {"deployment_id": self.deployment_id, "path": str(self._place.path)}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Has the file made where that is needed, else downloads it."""
        there = self._place.skipped()
        if there is not None:
            run.log.info("%s is there already and stays.", self._place.path)
            return {"deployment_id": self.deployment_id, **there}
        if not self._needs_build():
            return self._bring(run, None)
        operation, body = self._build()
        sent = run.submit(
            operation, body, stage=JOB, look=None, extra_body=self.extra_body, deploymentId=self.deployment_id
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        if path is None:
            run.memory.update(stage=PAUSE)
            return self._pause(run)
        return Await(JobWait(path), f"the file of deployment {self.deployment_id} is made")

    def take_up(self, run: Run, handle: Handle) -> Step:
        """A build is waited for; one that may not have been asked for is asked for again."""
        if handle.state == "submitted" and handle.stage == PAUSE:
            return self.proceed(run, {})
        return super().take_up(run, handle)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over, or it is time to try: downloads."""
        handle = run.handle
        assert handle is not None, "something was waited for"
        try:
            return self._bring(run, result.get("location"))
        except (NotFound, Unprocessable):
            if handle.stage != PAUSE or run.clock() > handle.at + PATIENCE:
                raise
            return self._pause(run)

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """Where only the record of the job is gone, the file itself tells; else the task fails."""
        if reason.startswith(LOST):
            return self._bring(run, None)
        return super().failed(run, reason, result)

    def _pause(self, run: Run) -> Await:
        return Await(UntilWait(run.clock() + float(self.poll_interval)), "the service does not tell when it is built")

    def _bring(self, run: Run, location: str | None) -> dict[str, Any]:
        source = self._source(location)
        if run.plan_only:
            return {"plan": None, "would_download": {"operation": source.operation, "path": str(self._place.path)}}
        done = self._place.bring(run.client, source)
        run.log.info("%d bytes of deployment %s to %s.", done["bytes"], self.deployment_id, done["path"])
        return {"deployment_id": self.deployment_id, **done}

    def _needs_build(self) -> bool:
        return True

    def _build(self) -> tuple[str, dict[str, Any] | None]:
        """The operation that makes the file, and its body."""
        raise NotImplementedError(f"{type(self).__name__} must say how its file is made")

    def _source(self, location: str | None) -> model_files.Source:
        """The file; ``location`` is where the job pointed."""
        raise NotImplementedError(f"{type(self).__name__} must say where its file is")


class DataRobotDownloadScoringCodeOperator(_BuiltFile):
    """Downloads the scoring code (a JAR) of the model that serves a deployment; with extras it is built first.

    :param deployment_id: the deployment.
    :param path: where the file goes: a path or URL that Airflow's object storage knows.
    :param source_code: the sources, which do not run, in place of the JAR that does; not with an agent.
    :param include_agent: with the tracking agent.
    :param include_prediction_explanations: with prediction explanations.
    :param include_prediction_intervals: with prediction intervals.
    :param if_exists: ``overwrite``, ``error`` or ``skip`` when there is a file of this name.
    :param staging: a folder on the worker where the file grows; default: one below its temporary folder. An attempt on
        the same worker goes on with what is there.

    Returns ``deployment_id``, ``path``, ``bytes``, ``sha256`` (of the file) and ``downloaded`` (False: it was there and
    stays). Fails with FileThere, JobFailed (the build), NoRoom, ContentDiffers, WaitTimedOut and the errors of the
    service. Operations: createDeploymentScoringCodeBuild, getStatus, downloadDeploymentScoringCode. Memory before
    Airflow 3.3: none is needed, a second build makes the same file.
    """

    operation = "createDeploymentScoringCodeBuild"
    template_fields = (*_BuiltFile.template_fields, "source_code", *model_files.EXTRAS)

    def __init__(
        self,
        *,
        source_code: bool | str = False,
        include_agent: bool | str = False,
        include_prediction_explanations: bool | str = False,
        include_prediction_intervals: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_code = source_code
        self.include_agent = include_agent
        self.include_prediction_explanations = include_prediction_explanations
        self.include_prediction_intervals = include_prediction_intervals

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._chosen = {name: arguments.flag(name, getattr(self, name)) for name in model_files.EXTRAS}
        self.source_code = arguments.flag("source_code", self.source_code)
        self._code = model_files.scoring_code(self.deployment_id, self._chosen, source_code=self.source_code)

    def identity(self) -> dict[str, Any]:
        """The deployment, the kind of code, and where it goes."""
        return {**super().identity(), "source_code": self.source_code, **self._chosen}

    def _needs_build(self) -> bool:
        return any(self._chosen.values())

    def _build(self) -> tuple[str, dict[str, Any] | None]:
        return self.operation, model_files.extras(self._chosen)

    def _source(self, location: str | None) -> model_files.Source:
        return self._code


class DataRobotDownloadModelPackageFileOperator(_BuiltFile):
    """Downloads the model package file (``.mlpkg``) of the model that serves a deployment; it is built first.

    :param deployment_id: the deployment.
    :param path: where the file goes: a path or URL that Airflow's object storage knows.
    :param if_exists: ``overwrite``, ``error`` or ``skip`` when there is a file of this name.
    :param staging: a folder on the worker where the file grows; default: one below its temporary folder.

    Returns ``deployment_id``, ``path``, ``bytes``, ``sha256`` and ``downloaded``. Fails with FileThere, JobFailed (the
    build), NoRoom, ContentDiffers, WaitTimedOut and the errors of the service. Operations (of public clients, not of
    the pages): createDeploymentModelPackageFileBuild, getStatus, downloadDeploymentModelPackageFile. Memory before
    Airflow 3.3: none is needed, a second build makes the same file.
    """

    operation = "createDeploymentModelPackageFileBuild"

    def _build(self) -> tuple[str, dict[str, Any] | None]:
        return self.operation, None

    def _source(self, location: str | None) -> model_files.Source:
        return model_files.Source("downloadDeploymentModelPackageFile", {"deploymentId": self.deployment_id})


class DataRobotDownloadCustomModelLogsOperator(_BuiltFile):
    """Downloads the logs of a custom model's deployment; they are collected first.

    :param deployment_id: the deployment of a custom model.
    :param path: where the text goes: a path or URL that Airflow's object storage knows.
    :param collect: collect new logs; else those that were collected last (an error where there are none).
    :param if_exists: ``overwrite``, ``error`` or ``skip`` when there is a file of this name.
    :param staging: a folder on the worker where the file grows; default: one below its temporary folder.

    Returns ``deployment_id``, ``path``, ``bytes``, ``sha256`` and ``downloaded``. Fails with FileThere, JobFailed,
    NoRoom, WaitTimedOut and the errors of the service. Operations: requestCustomModelDeploymentLogs, getStatus,
    downloadCustomModelDeploymentLogById, downloadCustomModelDeploymentLogs. Memory before Airflow 3.3: none is needed,
    logs that are collected twice are logs.
    """

    operation = "requestCustomModelDeploymentLogs"
    template_fields = (*_BuiltFile.template_fields, "collect")

    def __init__(self, *, collect: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.collect = collect

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.collect = arguments.flag("collect", self.collect)

    def _needs_build(self) -> bool:
        return bool(self.collect)

    def _build(self) -> tuple[str, dict[str, Any] | None]:
        return self.operation, None

    def _source(self, location: str | None) -> model_files.Source:
        return model_files.log_of(location, self.deployment_id)
