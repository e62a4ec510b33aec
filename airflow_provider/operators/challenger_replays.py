"""Replaying challengers: what the champion has predicted is predicted by the challengers too."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import Conflict, KeyMissing, OutcomeUnknown, TooManyRequests
from airflow_provider.api.locations import local_path
from airflow_provider.api.moments import utc
from airflow_provider.api.waits import JobWait
from airflow_provider.mlops import challengers
from airflow_provider.mlops.replays import NoChallengers
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow_provider.tasks.memory import Handle

REPLAY, BUSY = "replay", "busy"


class DataRobotReplayChallengersOperator(DataRobotBaseOperator):
    """Lets the challengers of a deployment predict what its champion has predicted, and waits until they have.

    The service scores from the creation of the deployment on, the first 10,000 rows of each hour, and runs one replay
    of a deployment at a time.

    :param deployment_id: the deployment.
    :param until: predictions made before this time are replayed: ISO 8601 or a datetime, naive is UTC; default: the
        present time.
    :param if_running: what to do when a replay runs already: ``adopt`` (wait for that one; what was predicted after its
        start, and a challenger made since, may be missing), ``wait`` (for its end, then start one), or ``fail``.
    :param repeat_lost: send the replay again when its answer was lost. Nothing tells whether the first was started: a
        second one scores what the first has scored, if at all, for a second time. Without it a lost answer ends in
        OutcomeUnknown.

    Returns ``deployment_id``, ``until`` (as it was sent, None: the present time), ``adopted`` (whether the replay was
    running already) and ``challengers`` (ids of those that the deployment had when the task began).

    Fails with NoChallengers, ChallengersOff, Conflict (one runs, and ``if_running`` is ``fail``), JobFailed,
    OutcomeUnknown, WaitTimedOut and the errors of the service. Operations: listDeploymentChallengers,
    getDeploymentSettings, createDeploymentChallengerPredictions, getStatus. Memory before Airflow 3.3: the replay that
    runs is found again, one that is over is not.
    """

    operation = "createDeploymentChallengerPredictions"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "until", "if_running", "repeat_lost")

    def __init__(
        self,
        *,
        deployment_id: str,
        until: datetime | str | None = None,
        if_running: str = "adopt",
        repeat_lost: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.until = until
        self.if_running = if_running
        self.repeat_lost = repeat_lost

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.if_running = arguments.one_of("if_running", self.if_running, ("adopt", "wait", "fail"))
        self.repeat_lost = arguments.flag("repeat_lost", self.repeat_lost)
        self._until = _moment(self.until)

    def identity(self) -> dict[str, Any]:
        """The deployment, and up to when."""
        return {"deployment_id": self.deployment_id, "until": self._until}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Checks that there is somebody to replay for, then starts a replay or takes the one that runs."""
        there = challengers.listed(run.client, self.deployment_id)
        if not there:
            raise NoChallengers(
                f"deployment {self.deployment_id} has no challengers: create one first", operation=self.operation
            )
        challengers.refuse_off(run.client, self.deployment_id)
        known = {"challengers": sorted(str(one.get("id")) for one in there)}
        try:
            return self._send_or_join(run, known, self.if_running)
        except OutcomeUnknown:
            if not self.repeat_lost:
                raise
        self.log.warning("The answer was lost; sending the replay again in %.0f s, as repeat_lost says.", run.settle)
        run.sleep(run.settle)
        return self._send_or_join(run, known, "adopt")  # what runs now is probably ours

    def take_up(self, run: Run, handle: Handle) -> Step:
        """Goes on with a replay of an earlier attempt; one that was sent and cannot be told is not sent again."""
        if handle.state == "submitted" and handle.wait:
            return super().take_up(run, handle)
        run.memory.settle()
        if self.repeat_lost:
            run.sleep(max(handle.at + run.settle - run.clock(), 0.0))
            return self.start(run)
        raise OutcomeUnknown(
            "an earlier attempt ended while it started this replay; check with the challengers' predictions, then "
            "clear the task to start one (one that still runs is taken up), or do not",
            operation=self.operation,
        )

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The replay is over: the account of it; after somebody else's, one of our own if it is so wished."""
        handle = run.handle
        assert handle is not None, "a wait that ended has a handle"
        if handle.stage == BUSY:
            run.memory.settle()
            return self.start(run)
        return {
            "deployment_id": self.deployment_id,
            "until": self._until,
            "adopted": handle.owner == "adopted",
            "challengers": handle.before["challengers"],
        }

    def failed(self, run: Run, reason: str, result: dict[str, Any]) -> Step:
        """A replay of somebody else that failed is over too, when ours was waiting for its end."""
        assert run.handle is not None, "a wait that ended has a handle"
        if run.handle.stage == BUSY:
            self.log.warning("The replay that was running ended badly: %s", reason)
            run.memory.settle()
            return self.start(run)
        return super().failed(run, reason, result)

    def _send_or_join(self, run: Run, known: dict[str, Any], if_running: str) -> Step:
        try:
            return self._send(run, known)
        except TooManyRequests as error:
            if error.location is None:
                raise
            return self._join(run, known, error, if_running)

    def _send(self, run: Run, known: dict[str, Any]) -> Step:
        sent = run.submit(
            self.operation,
            {"timestamp": self._until} if self._until else {},
            stage=REPLAY,
            look=None,
            extra_body=self.extra_body,
            before=known,
            deploymentId=self.deployment_id,
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        if path is None:
            run.memory.settle()
            raise KeyMissing("the replay was accepted, and no Location names its job", operation=self.operation)
        return Await(JobWait(path), f"challengers of deployment {self.deployment_id} are being replayed")

    def _join(self, run: Run, known: dict[str, Any], error: TooManyRequests, if_running: str) -> Step:
        """A replay runs already: waits for it, as its result or as an obstacle."""
        path = local_path(str(error.location), run.client.settings)
        if if_running == "fail":
            raise Conflict(
                f"a replay of deployment {self.deployment_id} runs already ({path}), and if_running is 'fail'",
                operation=self.operation,
                status=error.status,
            ) from error
        run.adopt(REPLAY if if_running == "adopt" else BUSY, before=known)
        return Await(JobWait(path), f"a replay of deployment {self.deployment_id} was running already")


def _moment(given: Any) -> str | None:
    """A point in time as the service takes it; None where none was given."""
    return None if arguments.absent(given) else utc(arguments.moment("until", given))
