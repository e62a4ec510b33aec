"""The way through a governance approval: request, decision, application. Operators put it before their own change.

    request ──► (open or adopted) ──► stage "decision": people decide ──► approved ──► stage "apply" ──► resolved
       │                                   └── changes requested, cancelled, superseded: the author chose what then
       └──► stage "conflict": a request for another change is open, and the author chose to wait

The server's status decides, pinned to the version of the change that we saw; reviews explain it (mlops/review.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from airflow_provider.api.errors import NotUnderstood
from airflow_provider.api.once import Sent
from airflow_provider.api.waits import Done, EntityWait, JobWait, ReviewWait, wait_from_json
from airflow_provider.mlops import review
from airflow_provider.tasks.cancelling import cancel_and_wait, cancellation, over, request_path, withdraw
from airflow_provider.tasks.outcomes import end_as
from airflow_provider.tasks.run import Await, Run

DECISION, APPLY, CONFLICT = "decision", "apply", "conflict"
APPLY_SECONDS = 4 * 3600.0
COMMENT_LENGTH = 10_000  # seed 000: maxLength of comment


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a request: ``outcome`` is approved, changesRequested, cancelled, resolved or superseded."""

    outcome: str
    entity: Mapping[str, Any]
    decision: dict[str, Any]

    @property
    def id(self) -> str:
        """The request's id."""
        return str(self.entity["id"])


@dataclass(frozen=True, slots=True)
class ChangeGate:
    """One change on one deployment that people have to approve.

    ``on_changes_requested`` and ``on_new_version``: fail, skip or wait; ``on_cancelled``: fail or skip;
    ``on_conflict``: fail, wait or cancel_own; ``adopt``: mine or any. ``apply_seconds`` is for applying alone; ``tell``
    is given a decision that ends the task; ``on_opened`` is told of a request that was opened, not of one taken up.
    """

    deployment_id: str
    action: str
    change: Mapping[str, Any] | None
    comment: str = ""
    auto_apply: bool = False
    adopt: str = "mine"
    on_conflict: str = "fail"
    on_changes_requested: str = "fail"
    on_cancelled: str = "fail"
    on_new_version: str = "fail"
    require_reviews: bool = False
    extra_body: Mapping[str, Any] | None = None
    apply_seconds: float | None = APPLY_SECONDS
    on_opened: Callable[[Run, Mapping[str, Any]], None] | None = None
    tell: Callable[[dict[str, Any]], object] = field(default=dict, compare=False)

    def body(self) -> dict[str, Any]:
        """The body of createChangeRequest."""
        return review.creation(self.deployment_id, self.action, self.change, self.comment, self.auto_apply)

    # --- the request ------------------------------------------------------------------------------------------

    def request(self, run: Run, before: dict[str, Any] | None = None) -> Await:
        """Takes up an equal open request, or opens one (operation createChangeRequest)."""
        found = self.open(run)
        if found.mine is not None:
            run.log.info("Change request %s asks for the same already; it is taken up.", found.mine["id"])
            run.adopt(DECISION, before=before, id=str(found.mine["id"]))
            self._claim(run, found.mine)
            return self.wait_for_decision(found.mine)
        blocked = self._conflict(run, found.others, before)
        if blocked is not None:
            return blocked
        sent = run.submit(
            "createChangeRequest",
            self.body(),
            stage=DECISION,
            look=lambda: self.open(run).mine,
            extra_body=self.extra_body,
            before=before,
        )
        entity = self._opened(run, sent)
        run.memory.update(id=str(entity["id"]))
        self._claim(run, entity)
        self._refuse_altered(run, entity)
        run.log.info("Change request %s is open, version %s.", entity["id"], entity.get("changeVersionId"))
        if self.on_opened is not None:
            self.on_opened(run, entity)
        return self.wait_for_decision(entity)

    def open(self, run: Run) -> review.OpenRequests:
        """The open requests of the action on the deployment."""
        return review.open_requests(run.client, self.deployment_id, self.action, self.change, self.adopt)

    def duplicates(self, run: Run, request_id: str) -> list[str]:
        """Open requests that ask for the same: a commit that came later than ``settle`` makes one, and is told of."""
        found = self.open(run)
        others = [*found.others, *([found.mine] if found.mine is not None else [])]
        same = [str(one["id"]) for one in others if one["id"] != request_id and review.same_change(one, self.change)]
        if same:
            run.log.error("Change request %s has duplicates that ask for the same: %s", request_id, ", ".join(same))
        return same

    # --- the decision -----------------------------------------------------------------------------------------

    def wait_for_decision(self, entity: Mapping[str, Any]) -> Await:
        """Waits until the version of the change that this request shows now is decided."""
        choices = {"changesRequested": self.on_changes_requested, "superseded": self.on_new_version}
        wait = ReviewWait(
            request_path(str(entity["id"])),
            version=entity.get("changeVersionId"),
            keep_waiting=[outcome for outcome, choice in choices.items() if choice == "wait"],
        )
        note = f"change request {entity['id']} needs {entity.get('numApprovalsRequired')} approval(s)"
        return Await(wait, note, cancellation(str(entity["id"])))

    def decided(self, run: Run) -> Decided | Await:
        """Asks the request itself what was decided; a further wait where it is not decided after all.

        A version other than the one that was waited for is never taken for it, whatever the event said.
        """
        handle = run.handle
        assert handle is not None, "a decision is waited for"
        answer = run.client.call("getChangeRequest", changeRequestId=str(handle.id))
        entity, verdict = answer.object(), wait_from_json(handle.wait or {}).receive(answer)
        if not isinstance(verdict, Done):
            return self.wait_for_decision(entity)
        return Decided(str(verdict.result["outcome"]), entity, review.decision(run.client, entity))

    def accept(self, run: Run, decided: Decided) -> None:
        """Returns where the change is approved; ends the task where it is not, as the author chose."""
        by = ", ".join(decided.decision["decided_by"]) or "unknown or automatic"
        told = f"change request {decided.id} is {decided.outcome}, by {by}"
        if decided.outcome not in ("approved", "resolved"):
            self._end(run, decided, told)
        try:
            review.refuse_altered(decided.entity, self.change)
        except review.NotAsAsked:
            run.memory.settle()
            raise
        if self.require_reviews and decided.decision["by_policy"]:
            run.memory.settle()
            end_as("fail", f"{told}: it has fewer approving reviews than it needs, and require_reviews is on")
        run.log.info("%s.", told)

    # --- the application --------------------------------------------------------------------------------------

    def apply(self, run: Run, entity: Mapping[str, Any]) -> Await:
        """Resolves an approved request (operation updateChangeRequestStatus)."""
        review.refuse_unless_allowed(entity, "canResolve")
        request_id = str(entity["id"])
        sent = run.submit(
            "updateChangeRequestStatus",
            {"status": "resolving"},
            stage=APPLY,
            look=lambda: review.application_begun(run.client, request_id),
            id=request_id,
            changeRequestId=request_id,
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        return self.application(request_id, path)

    def application(self, request_id: str, job: str | None = None) -> Await:
        """Waits until an approved request has been applied: at the job that was named, else at the request itself."""
        wait = JobWait(job) if job else EntityWait(request_path(request_id), "application")
        return Await(wait, f"change request {request_id} is being applied", limit=self.apply_seconds)

    def take_up_application(self, run: Run, request_id: str) -> Await | None:
        """Goes on with a request whose resolving may have been sent: None when it is still to be resolved."""
        if review.application_begun(run.client, request_id) is None:
            return None
        run.memory.update(stage=APPLY, state="submitted")
        return self.application(request_id)

    # --- small things -----------------------------------------------------------------------------------------

    def _opened(self, run: Run, sent: Sent) -> Mapping[str, Any]:
        """The request that was opened; where the answer does not say which it is, the lists do."""
        entity = sent.found if sent.answer is None else sent.answer.json()
        if isinstance(entity, Mapping) and entity.get("id"):
            return entity
        found = self.open(run).mine
        if found is None:
            raise NotUnderstood(
                "accepted, and neither the answer nor the lists name the request", operation="createChangeRequest"
            )
        return found

    def _claim(self, run: Run, entity: Mapping[str, Any]) -> None:
        """A request with our comment, which names this very run, is ours, even if an earlier attempt opened it."""
        if self.comment and entity.get("comment") == self.comment:
            run.memory.update(owner="ours")

    def _refuse_altered(self, run: Run, entity: Mapping[str, Any]) -> None:
        try:
            review.refuse_altered(entity, self.change)
        except review.NotAsAsked as error:
            withdraw(run, str(entity["id"]), str(error))
            raise

    def _end(self, run: Run, decided: Decided, told: str) -> NoReturn:
        """Ends the task as the author chose for an outcome that is no approval."""
        choice = {
            "changesRequested": self.on_changes_requested,
            "cancelled": self.on_cancelled,
            "superseded": self.on_new_version,
        }[decided.outcome]
        comments = "; ".join(f"{one['by']}: {one['comment']}" for one in decided.decision["reviews"] if one["comment"])
        same = self.duplicates(run, decided.id)
        self.tell({"outcome": decided.outcome, **decided.decision, "duplicates": same})
        run.memory.settle()
        if same:
            end_as("fail", f"{told}, and there are others that ask for the same: {', '.join(same)}")
        end_as("skip" if choice == "skip" else "fail", told + (f" ({comments})" if comments else ""))

    def _conflict(self, run: Run, others: Sequence[Mapping[str, Any]], before: dict[str, Any] | None) -> Await | None:
        """What to do about open requests of the same action that are in the way."""
        for other in others:
            told, request_id = _told(other, self), str(other["id"])
            if self.on_conflict == "wait":
                run.log.info("%s; waiting until it is over.", told)
                run.adopt(CONFLICT, before=before, id=request_id)
                return Await(over(request_id), told)
            if self.on_conflict != "cancel_own" or not (other.get("userOperations") or {}).get("canCancel"):
                raise review.ConflictingRequest(f"{told}; on_conflict (fail, wait, cancel_own) says what then")
            run.log.info("%s; it is cancelled.", told)
            if not cancel_and_wait(run, request_id):
                raise review.ConflictingRequest(f"{told}; it was cancelled, and is still open")
        return None


def _told(other: Mapping[str, Any], gate: ChangeGate) -> str:
    who = other.get("userName") or other.get("userId")
    if review.same_change(other, gate.change):
        return f"change request {other['id']} of {who} asks for the same; adopt='any' would take it up"
    return f"change request {other['id']} of {who} asks for another {gate.action}: {other.get('change')}"
