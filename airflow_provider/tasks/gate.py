"""The way through a governance approval: request, decision, application. Operators put it before their own change.

    request ──► (open or adopted) ──► stage "decision": people decide ──► approved ──► stage "apply" ──► resolved
                                           └── changes requested, cancelled, superseded: the author chose what then

The server's status decides, pinned to the version of the change that we saw; reviews explain it (mlops/review.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from airflow_provider.api.waits import Done, EntityWait, JobWait, ReviewWait, canonical, wait_from_json
from airflow_provider.mlops import review
from airflow_provider.tasks.outcomes import end_as
from airflow_provider.tasks.run import Await, Run

DECISION, APPLY = "decision", "apply"
APPLY_SECONDS = 4 * 3600.0
COMMENT_LENGTH = 10_000  # seed 000: maxLength of comment


@dataclass(frozen=True, slots=True)
class ChangeGate:
    """One change on one deployment that people have to approve.

    ``on_changes_requested`` and ``on_new_version``: fail, skip or wait; ``on_cancelled``: fail or skip;
    ``on_conflict``: fail, wait or cancel_own; ``adopt``: mine or any.
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

    def body(self) -> dict[str, Any]:
        """The body of createChangeRequest."""
        return review.creation(self.deployment_id, self.action, self.change, self.comment, self.auto_apply)

    def request(self, run: Run, before: dict[str, Any] | None = None) -> Await:
        """Takes up an equal open request, or opens one (operation createChangeRequest)."""
        found = self._open(run)
        if found.mine is not None:
            entity = found.mine
            run.log.info("Change request %s asks for the same already; it is taken up.", entity["id"])
            run.adopt(DECISION, before=before, id=str(entity["id"]))
            return self.wait_for_decision(entity)
        blocked = self._conflict(run, found.others, before)
        if blocked is not None:
            return blocked
        sent = run.submit(
            "createChangeRequest",
            self.body(),
            stage=DECISION,
            look=lambda: self._open(run).mine,
            extra_body=self.extra_body,
            before=before,
        )
        entity = sent.found if sent.answer is None else sent.answer.json()
        run.memory.update(id=str(entity["id"]))
        run.log.info("Change request %s is open, version %s.", entity["id"], entity.get("changeVersionId"))
        return self.wait_for_decision(entity)

    def decided(self, run: Run) -> tuple[dict[str, Any], dict[str, Any]] | Await:
        """Asks the request itself what was decided: the request and the decision with who and when, or a further wait.

        Ends the task where the author chose so for this outcome. A version other than the one that was waited for is
        never taken for it, whatever the event said.
        """
        assert run.handle is not None, "a decision is waited for"
        wait = wait_from_json(run.handle.wait or {})
        answer = run.client.get(str(wait.request()))
        verdict = wait.receive(answer)
        entity = answer.json()
        if not isinstance(verdict, Done):
            return self.wait_for_decision(entity)
        return entity, {
            **self._choose(run, str(verdict.result["outcome"]), entity),
            "duplicates": self._duplicates(run, str(entity["id"])),
        }

    def _duplicates(self, run: Run, request_id: str) -> list[str]:
        """Open requests that ask for the same: a commit that came later than ``settle`` makes one, and is told of."""
        found = self._open(run)
        others = [*found.others, *([found.mine] if found.mine is not None else [])]
        same = [str(one["id"]) for one in others if one["id"] != request_id and review.same_change(one, self.change)]
        if same:
            run.log.error("Change request %s has duplicates that ask for the same: %s", request_id, ", ".join(same))
        return same

    def take_up_application(self, run: Run, request_id: str) -> Await | None:
        """Goes on with a request whose resolving may have been sent: None when it is still to be resolved."""
        if review.application_begun(run.client, request_id) is None:
            return None
        run.memory.update(stage=APPLY, state="submitted")
        return self.application(request_id)

    def _choose(self, run: Run, outcome: str, entity: Mapping[str, Any]) -> dict[str, Any]:
        decision = review.decision(run.client, entity)
        told = f"change request {entity['id']} is {outcome}, by {decision['decided_by'] or 'unknown or automatic'}"
        if outcome not in ("approved", "resolved"):
            self._end(run, outcome, told, decision)
        if self.require_reviews and decision["by_policy"]:
            run.memory.settle()
            end_as("fail", f"{told}: it has fewer approving reviews than it needs, and require_reviews is on")
        run.log.info("%s.", told)
        return decision

    def _end(self, run: Run, outcome: str, told: str, decision: Mapping[str, Any]) -> NoReturn:
        """Ends the task as the author chose for an outcome that is no approval."""
        choice = {
            "changesRequested": self.on_changes_requested,
            "cancelled": self.on_cancelled,
            "superseded": self.on_new_version,
        }[outcome]
        comments = "; ".join(f"{one['by']}: {one['comment']}" for one in decision["reviews"] if one["comment"])
        run.memory.settle()
        end_as("skip" if choice == "skip" else "fail", told + (f" ({comments})" if comments else ""))

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
        wait = JobWait(job) if job else EntityWait(_path(request_id), "application")
        return Await(wait, f"change request {request_id} is being applied", limit=APPLY_SECONDS)

    def wait_for_decision(self, entity: Mapping[str, Any]) -> Await:
        """Waits until the version of the change that this request shows now is decided."""
        choices = {"changesRequested": self.on_changes_requested, "superseded": self.on_new_version}
        wait = ReviewWait(
            _path(str(entity["id"])),
            version=entity.get("changeVersionId"),
            keep_waiting=[outcome for outcome, choice in choices.items() if choice == "wait"],
        )
        note = f"change request {entity['id']} needs {entity.get('numApprovalsRequired')} approval(s)"
        return Await(wait, note, cancellation(str(entity["id"])))

    def _conflict(self, run: Run, others: Any, before: dict[str, Any] | None) -> Await | None:
        """What to do about open requests of the same action for another change."""
        if not others:
            return None
        other = others[0]
        who = other.get("userName") or other.get("userId")
        told = f"change request {other['id']} of {who} asks for another {self.action}: {other.get('change')}"
        if self.on_conflict == "wait":
            run.log.info("%s; waiting until it is over.", told)
            run.adopt("conflict", before=before, id=str(other["id"]))
            keep = ["approved", "changesRequested", "superseded"]
            return Await(ReviewWait(_path(str(other["id"])), keep_waiting=keep), told)
        if self.on_conflict == "cancel_own" and (other.get("userOperations") or {}).get("canCancel"):
            run.log.info("%s; it is cancelled.", told)
            cancel_request(run, str(other["id"]))
            return self._conflict(run, others[1:], before)
        raise review.ConflictingRequest(f"{told}; on_conflict says what to do about it (fail, wait, cancel_own)")

    def _open(self, run: Run) -> review.OpenRequests:
        return review.open_requests(run.client, self.deployment_id, self.action, self.change, self.adopt)


def cancel_request(run: Run, request_id: str) -> None:
    """Cancels an open change request (operation updateChangeRequestStatus)."""

    def cancelled() -> Mapping[str, Any] | None:
        now = run.read("getChangeRequest", changeRequestId=request_id)
        return now if canonical(str(now.get("status"))) == "cancelled" else None

    run.submit(
        "updateChangeRequestStatus",
        {"status": "cancelled"},
        stage="cancel",
        look=cancelled,
        id=request_id,
        changeRequestId=request_id,
    )


def cancellation(request_id: str) -> dict[str, Any]:
    """The write that cancels a change request."""
    return {
        "operation": "updateChangeRequestStatus",
        "arguments": {"changeRequestId": request_id},
        "body": {"status": "cancelled"},
    }


def _path(request_id: str) -> str:
    return f"changeRequests/{request_id}/"
