"""One run of a retraining policy, step by step; the operator in front of it holds the arguments.

    start ──► a run goes on: if_running ──► adopt: stage "run" │ wait: stage "other" ──► start │ fail
      └──► noted what is there ──► POST: stage "start" ──► which run is new? ──► stage "run" ──► over
                                     └──► none yet: stage "appear", looked for again
    over ──► what came of it (tasks/retrained.py) ──► result

The POST answers with nothing, so the run is told by what was there before (rule of ``mlops.retraining``). A second run
is started only when the answer to the first POST was lost and nothing of it was seen within ``settle``; the service
allows one active run a policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider.api.errors import BadRequest, Conflict, DataRobotError, NotFound, OutcomeUnknown, Unprocessable
from airflow_provider.api.waits import RunWait, UntilWait
from airflow_provider.mlops import replacement, retraining
from airflow_provider.mlops.retraining import Before, Listing
from airflow_provider.tasks.memory import Handle
from airflow_provider.tasks.retrained import FIRST_PAUSE, SERVE, Entity, Outcome, Step
from airflow_provider.tasks.run import Await, Run

START, APPEAR, RUN, OTHER = "start", "appear", "run", "other"
POST = "createDeploymentRetrainingPolicyRun"
LONGEST_PAUSE = 40.0  # seconds between looks for a run that does not show yet
LOOKS, PAUSE = 4, 5.0  # looks for the run because of which a start was refused: lists may lag


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt without a memory knows: when its DAG run began (worker's clock), and whether it is a retry."""

    dag_run_began: float | None = None
    is_retry: bool = False


@dataclass(slots=True)
class Retraining:
    """One run of one policy; the words are those of the operator. Times are seconds since 1970."""

    deployment_id: str
    policy_id: str
    if_running: str
    started_after: float | None
    appear_seconds: float
    attempt: Attempt
    extra_body: Mapping[str, Any] | None = None
    _asked: bool = field(default=False, init=False)  # whether a look was needed after a lost answer
    _since: float | None = field(default=None, init=False)  # the service's clock at that look

    @property
    def _outcome(self) -> Outcome:
        return Outcome(self.deployment_id, self.policy_id, self.appear_seconds)

    @property
    def _where(self) -> dict[str, Any]:
        return {"deploymentId": self.deployment_id, "retrainingPolicyId": self.policy_id}

    def _list(self, run: Run) -> Listing:
        return retraining.listing(run.client, self.deployment_id, self.policy_id)

    # --- before the write -------------------------------------------------------------------------------------

    def start(self, run: Run) -> Step:
        """Looks for a run that goes on, takes it up or waits for it; else starts one."""
        listed, earlier = self._looked(run, lambda listed: self._of_an_attempt_without_memory(run, listed))
        if earlier is not None:
            run.log.info("Run %s began after this DAG run did; it is taken for an earlier attempt's.", earlier["id"])
            return self._adopt(run, listed, earlier)
        if listed.active is not None:
            return self._meet(run, listed, listed.active)
        return self._post(run, listed)

    def _looked(self, run: Run, find: Callable[[Listing], Entity | None]) -> tuple[Listing, Entity | None]:
        """What is looked for where an earlier attempt may have started a run: several looks, for lists may lag."""
        known = run.unsettled
        unsure = self._forgetful(run) or (known is not None and known.state == "intended")
        listed = self._list(run)
        found = find(listed)
        for _ in range(LOOKS - 1 if unsure else 0):
            if found is not None or listed.active is not None:
                break
            run.sleep(PAUSE)
            listed = self._list(run)
            found = find(listed)
        return listed, found

    def _forgetful(self, run: Run) -> bool:
        """Whether this is a retry without a memory: before Airflow 3.3."""
        return self.attempt.is_retry and not run.memory.lasts

    def _of_an_attempt_without_memory(self, run: Run, listed: Listing) -> Entity | None:
        """A run that began after the DAG run did, and goes on or went well."""
        began = self.attempt.dag_run_began
        if not self._forgetful(run) or began is None:
            return None
        if listed.at is not None:
            began += listed.at - run.clock()  # in the service's own time
        return retraining.begun_since(listed, began)

    def _meet(self, run: Run, listed: Listing, active: Entity) -> Step:
        """A run that somebody else began goes on."""
        began = retraining.started(active)
        told = f"run {active['id']} of retraining policy {self.policy_id} goes on since {active.get('startTime')}"
        if self.if_running == "fail":
            raise retraining.RunInProgress(f"{told}, and if_running is 'fail'", operation=POST)
        old = self.started_after is not None and began is not None and began < self.started_after
        if self.if_running == "adopt" and not old:
            run.log.info("%s; it is taken up.", told)
            return self._adopt(run, listed, active)
        run.adopt(OTHER, id=str(active["id"]))
        wait = RunWait(self._path(str(active["id"])), [])
        return Await(wait, f"{told}, and began too early for this task" if old else told)

    def _adopt(self, run: Run, listed: Listing, found: Entity) -> Step:
        known = {**self._known(run, listed), "lost": self._asked}
        run.adopt(RUN, before=known, id=str(found["id"]))
        return self._follow(run, found)

    def _known(self, run: Run, listed: Listing) -> dict[str, Any]:
        """What later steps need: the action, and who serves now where the action changes that."""
        action = listed.policy.get("action")
        known: dict[str, Any] = {"action": action, "policy": listed.policy.get("name")}
        if action == "model_replacement":
            known["champion"] = replacement.champion_of(run.read("getDeployment", deploymentId=self.deployment_id))
        return known

    # --- the write --------------------------------------------------------------------------------------------

    def _post(self, run: Run, listed: Listing) -> Step:
        known = self._known(run, listed)
        listed = self._list(run) if "champion" in known else listed  # the last look is just before the write
        before = Before.of(listed)
        self._forget_looks()
        try:
            sent = run.submit(
                POST,
                stage=START,
                look=lambda: self._look(run, before),
                before={**known, **before.to_json()},
                extra_body=self.extra_body,
                **self._where,
            )
        except (BadRequest, NotFound, Conflict, Unprocessable) as refusal:
            return self._refused(run, before, refusal)
        assert run.handle is not None, "what was sent is noted"
        changes: dict[str, Any] = {"appear_by": run.clock() + self.appear_seconds, "lost": self._asked}
        if not sent.adopted and self._since is not None:
            changes["since"] = self._since
        run.memory.update(stage=APPEAR, before={**run.handle.before, **changes})
        return self._appear(run)

    def _forget_looks(self) -> None:
        self._asked, self._since = False, None

    def _look(self, run: Run, before: Before) -> list[Entity] | None:
        """After a lost answer: the runs of which one may be ours."""
        listed = self._list(run)
        self._asked, self._since = True, listed.at
        return before.new(listed.runs) or None

    def _refused(self, run: Run, before: Before, refusal: DataRobotError) -> Step:
        """Most likely a run goes on: ours, whose answer was lost and which came late, or somebody else's."""
        for look in range(LOOKS):
            if look:
                run.sleep(PAUSE)
            listed = self._list(run)
            ours = retraining.the_one(before.new(listed.runs)) if self._asked else None
            if ours is not None:
                return self._adopt(run, listed, ours)
            if listed.active is not None:
                return self._meet(run, listed, listed.active)
        refusal.add_note(f"no run of retraining policy {self.policy_id} goes on")
        raise refusal

    # --- which run it is --------------------------------------------------------------------------------------

    def _appear(self, run: Run) -> Step:
        """The run that the start has made, as soon as it shows."""
        assert run.handle is not None, "what was sent is noted"
        known = run.handle.before
        before, listed = Before.from_json(known), self._list(run)
        try:
            found = retraining.the_one(before.new(listed.runs, known.get("since")))
        except OutcomeUnknown:
            run.memory.settle()
            raise
        if found is not None:
            return self._follow(run, found)
        by = float(known.get("appear_by") or run.handle.at + run.settle + self.appear_seconds)
        now = run.clock()
        if now < by:
            pause = min(max(FIRST_PAUSE, now - run.handle.at), LONGEST_PAUSE)
            return Await(UntilWait(min(now + pause, by)), "the run that was started does not show yet")
        run.memory.settle()
        if listed.active is not None:
            return self._meet(run, listed, listed.active)
        raise retraining.RunNotSeen(
            f"retraining policy {self.policy_id} was started, and no run appeared within {self.appear_seconds:.0f} s; "
            "look at its runs before you clear the task",
            operation=POST,
        )

    def _follow(self, run: Run, found: Entity) -> Step:
        """Waits for a run until it is over."""
        assert run.handle is not None, "what is waited for is noted"
        run_id = str(found["id"])
        run.memory.update(stage=RUN, id=run_id)
        cancel = {
            "operation": "updateDeploymentRetrainingPolicyRun",
            "arguments": {**self._where, "runId": run_id},
            "body": {"status": "cancelled"},
        }
        wait = RunWait(self._path(run_id), retraining.promises_of(run.handle.before.get("action")))
        return Await(wait, f"retraining run {run_id} is {found.get('status')}", cancel)

    def _path(self, run_id: str) -> str:
        return retraining.run_path(self.deployment_id, self.policy_id, run_id)

    # --- after a wait or a death ------------------------------------------------------------------------------

    def take_up(self, run: Run, handle: Handle) -> Step | None:
        """The work of an earlier attempt; None: its wait is waited for again."""
        if handle.stage == START and handle.state == "intended":
            return self._perhaps_sent(run, handle)
        if handle.stage in (START, APPEAR):
            return self._appear(run)
        if handle.stage == SERVE:
            return self._outcome.serve(run)
        if handle.stage == RUN and handle.id and not handle.wait:
            return self._follow(run, {"id": handle.id, "status": "known"})
        return None

    def _perhaps_sent(self, run: Run, handle: Handle) -> Step:
        """An attempt died when it sent the start: its run is looked for, and started only when there is none."""
        run.outwait(handle)
        before = Before.from_json(handle.before)
        try:
            listed, found = self._looked(run, lambda listed: retraining.the_one(before.new(listed.runs)))
        except OutcomeUnknown:
            run.memory.settle()
            raise
        if found is None:
            return self._meet(run, listed, listed.active) if listed.active is not None else self._post(run, listed)
        run.log.info("Run %s is that of the earlier attempt.", found["id"])
        run.memory.update(state="submitted", owner="adopted", before={**handle.before, "lost": True})
        return self._follow(run, found)

    def proceed(self, run: Run, result: Mapping[str, Any]) -> Step:
        """After a wait: decides by the stage what comes next."""
        assert run.handle is not None, "a wait that ended has a handle"
        match run.handle.stage:
            case "other":
                run.memory.settle()
                return self.start(run)
            case "appear":
                return self._appear(run)
            case "serve":
                return self._outcome.serve(run)
            case _:
                return self._outcome.over(run, result["entity"])

    def failed(self, run: Run, reason: str, result: Mapping[str, Any]) -> Step:
        """After a wait that ended badly: another's run does not matter, ours does."""
        assert run.handle is not None, "a wait that ended has a handle"
        stage, run_id = run.handle.stage, run.handle.id
        if stage == SERVE:
            return self._outcome.serve(run)
        run.memory.settle()
        if stage == OTHER:
            return self.start(run)
        raise retraining.failure(run_id, reason, result.get("entity"))
