"""What came of a retraining run that went well, as the service shows it.

over ──► challenger or package: result
└──► replacement: stage "serve" until the champion, or an open change request, is seen ──► result
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider.api.waits import UntilWait
from airflow_provider.mlops import replacement, retraining, review
from airflow_provider.tasks.run import Await, Run
from airflow_provider.tasks.serving import Serving

SERVE = "serve"
FIRST_PAUSE = 5.0  # seconds until what is not seen yet is looked for again
Step = Await | dict[str, Any]
Entity = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the run of a policy has made. ``seconds``: how long a champion that was replaced may stay unseen."""

    deployment_id: str
    policy_id: str
    seconds: float

    def over(self, run: Run, entity: Entity) -> Step:
        """A run went well: what came of it, and whether it really serves where it should."""
        assert run.handle is not None, "a wait that ended has a handle"
        told, action = retraining.told(entity), run.handle.before.get("action")
        if action != "model_replacement":
            return self._result(run, retraining.outcome_of(entity, action), told)
        by = run.clock() + self.seconds
        run.memory.update(stage=SERVE, before={**run.handle.before, "told": told, "serve_by": by})
        return self.serve(run)

    def serve(self, run: Run) -> Step:
        """The champion, an open change request, or a replacement under way; the service is the judge."""
        assert run.handle is not None, "a wait that ended has a handle"
        known = run.handle.before
        told, target = known["told"], replacement.Target(model_package_id=known["told"]["model_package_id"])
        serving = Serving(self.deployment_id, target)
        deployment = serving.look(run)
        if serving.is_right(deployment):
            return self._result(run, "replaced", told)
        if replacement.is_being_replaced(deployment):
            return serving.steady(f"{target} is being put into service", None)
        asked = review.open_requests(run.client, self.deployment_id, target.change_action, target.ids, "any").mine
        if asked is not None:
            return self._result(run, "pending_approval", told, change_request_id=asked["id"])
        now = run.clock()
        if now < float(known["serve_by"]):
            wait = UntilWait(min(now + FIRST_PAUSE, float(known["serve_by"])))
            return Await(wait, f"{target} does not serve yet")
        run.memory.settle()
        raise serving.not_seen(deployment, f"; retraining run {told['run_id']} is over all the same")

    def _result(self, run: Run, outcome: str, told: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        assert run.handle is not None, "a result is that of a run that was noted"
        handle = run.handle
        return {
            "outcome": outcome,
            "deployment_id": self.deployment_id,
            "policy_id": self.policy_id,
            **told,
            "previous": handle.before.get("champion"),
            "change_request_id": more.get("change_request_id"),
            "adopted": handle.owner == "adopted",
            "answer_lost": bool(handle.before.get("lost")),
            "sent_twice": handle.sent_twice,
        }
