"""Creating a deployment, step by step; the operator in front of it holds the arguments.

    start ──► one of ours is there ─────────────────────────────┐
      └──► (the package is being built: stage "build") ──► POST ┴► stage "launch" ──► launched
                launched ──► APPROVED ────────────────────────────────────► result
                    └──► the service opened an ``approve`` request: stages "decision", "apply" ───► result

Whatever a job says: the deployment that getDeployment shows decides. One that needs an approval serves predictions all
the same, so "launched" is not "approved".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider.api.errors import JobFailed, OutcomeUnknown
from airflow_provider.api.waits import EntityWait, JobWait
from airflow_provider.mlops import creation, registry, review
from airflow_provider.tasks.created import KEY, LOOKS, PAUSE, Created, is_approved, key_of, look, seen
from airflow_provider.tasks.gate import APPLY, DECISION, ChangeGate
from airflow_provider.tasks.memory import Handle
from airflow_provider.tasks.run import Await, Run

BUILD, LAUNCH = "build", "launch"
STEADY = ("active", "inactive")
Step = Await | dict[str, Any]
Entity = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Creating:
    """One deployment that shall be there; the words are those of the operator."""

    route: str
    deployed: str
    created: Created
    body: Mapping[str, Any]
    server: str | None
    environment: str | None
    if_building: str
    if_label_taken: str
    wait_for_approval: bool
    gate: Mapping[str, Any]
    launch_seconds: float | None
    extra_body: Mapping[str, Any] | None = None

    @property
    def operation(self) -> str:
        """The operation that creates."""
        return self.created.operation

    # --- before the write -------------------------------------------------------------------------------------

    def start(self, run: Run) -> Step:
        """Takes the deployment that carries our mark, or creates one."""
        there = self.created.labelled(run)
        found = self.created.ours(there)
        if found is not None:
            run.log.info("Deployment %s was made by an earlier attempt; it is taken.", found["id"])
            run.adopt(LAUNCH, before={KEY: str(found["id"])})
            return self._launching(str(found["id"]))
        if there and self.if_label_taken == "fail":
            ids = ", ".join(sorted(str(one["id"]) for one in there))
            raise creation.LabelTaken(f"there is a deployment labelled {self.created.label!r} already: {ids}")
        waits = self._build(run) if self.route == "model_package" else None
        return waits or self._create(run)

    def _build(self, run: Run) -> Await | None:
        """What to wait for before the package can be deployed; raises where it never can."""
        package = run.read("getModelPackage", modelPackageId=self.deployed)
        registry.refuse_unusable(package)
        if package.get("buildStatus") != "inProgress":
            return None
        if self.if_building == "fail":
            raise registry.NotBuilt(f"model package {self.deployed} is still being built; if_building='wait' waits")
        run.adopt(BUILD)
        return Await(EntityWait(f"modelPackages/{self.deployed}/", "package"), f"package {self.deployed} is built")

    def _create(self, run: Run) -> Step:
        places = creation.Places(
            None if self.server is None else creation.server_id(run.client, self.server),
            None if self.environment is None else creation.environment_id(run.client, self.environment),
        )
        sent = run.submit(
            self.operation,
            {creation.ROUTES[self.route][1]: self.deployed, "label": self.created.label, **self.body, **places.body()},
            stage=LAUNCH,
            look=(lambda: self.created.ours(self.created.labelled(run))) if self.created.mark else None,
            extra_body=self.extra_body,
            before={},
        )
        if sent.answer is None:
            return self._noted(run, str(sent.found["id"]), None)
        body, path = sent.answer.json(), run.path_of(sent.answer)
        key = body.get("id") if isinstance(body, dict) else None
        if key is None and path is None:
            key = self.created.named(run, None)
        return self._noted(run, None if key is None else str(key), path)

    def _noted(self, run: Run, key: str | None, job: str | None) -> Await:
        if key is not None:
            run.memory.update(before={KEY: key})
        if job is None:
            return self._launching(str(key))
        return Await(JobWait(job), f"deployment {key or self.created.label} is launched", limit=self.launch_seconds)

    def _launching(self, key: str) -> Await:
        wait = EntityWait(f"deployments/{key}/", "deployment", want=STEADY)
        return Await(wait, f"deployment {key} is launched", limit=self.launch_seconds)

    # --- after a wait -----------------------------------------------------------------------------------------

    def take_up(self, run: Run, handle: Handle) -> Step | None:
        """Goes on with a request whose application an earlier attempt noted; None where nothing special is to do."""
        if handle.stage == LAUNCH and handle.state == "submitted" and not handle.wait:
            return self._sent_before(run, handle)
        if handle.stage != APPLY or handle.state != "intended":
            return None
        run.outwait(handle)
        return self._gate(run).take_up_application(run, str(handle.id)) or self._launched(run)

    def _sent_before(self, run: Run, handle: Handle) -> Step | None:
        """An attempt ended just after its write: what it noted is waited for, and nothing is sent again blindly."""
        if KEY in handle.before:
            return self._launching(str(handle.before[KEY]))
        if self.created.mark:
            return None
        run.memory.settle()
        raise OutcomeUnknown(
            "an earlier attempt created a deployment and ended before it noted which; check with listDeployments, then "
            "clear the task to create another, or do not",
            operation=self.operation,
        )

    def proceed(self, run: Run, result: Mapping[str, Any]) -> Step:
        """After a wait that ended well: what the truth of the service is now."""
        handle = run.handle
        assert handle is not None, "something was waited for"
        match handle.stage:
            case "build":
                return self._create(run)
            case "decision":
                return self._decided(run)
            case "apply":
                return self._approved(run, str(handle.id))
            case _:
                if key_of(run) is None:
                    run.memory.update(before={KEY: self.created.named(run, result.get("location"))})
                return self._launched(run)

    def failed(self, run: Run, reason: str) -> Step | None:
        """After a wait that ended badly: None where it did so in fact too."""
        handle = run.handle
        assert handle is not None, "something was waited for"
        if handle.stage == BUILD:
            run.memory.settle()
            raise registry.NotBuilt(f"the build of model package {self.deployed} has failed")
        if handle.stage == APPLY and is_approved(look(run)):
            return self._approved(run, str(handle.id))
        if handle.stage != LAUNCH:
            return None
        deployment = seen(run)
        if deployment is not None and deployment.get("status") in (*STEADY, "launching"):
            run.log.warning("The job ended badly (%s), and yet the deployment is %s.", reason, deployment["status"])
            return self._launched(run)
        run.memory.settle()
        left = "nothing of it is left" if deployment is None else f"deployment {deployment['id']} is left in error"
        raise JobFailed(f"the launch failed: {reason}; {left}", operation=self.operation)

    def _launched(self, run: Run) -> Step:
        """The deployment itself: launched, and with what model; then whether it needs an approval."""
        deployment = seen(run)
        if deployment is None:
            run.memory.settle()
            raise creation.NotLaunched(
                f"launched by word, and deployment {key_of(run)} is not there", operation=self.operation
            )
        if deployment.get("status") == "launching":
            return self._launching(str(deployment["id"]))
        self._refuse_wrong(run, deployment)
        if creation.approval_of(deployment) != "PENDING" or not self.wait_for_approval:
            return self._result(run, deployment, None)
        return self._ask(run, str(deployment["id"]))

    def _refuse_wrong(self, run: Run, deployment: Entity) -> None:
        key = deployment["id"]
        if deployment.get("status") not in STEADY:
            run.memory.settle()
            raise creation.NotLaunched(f"deployment {key} is {deployment.get('status')}", operation=self.operation)
        part = "modelPackage" if self.route == "model_package" else "model"
        seen = (deployment.get(part) or {}).get("id")
        if seen not in (None, "", self.deployed):
            run.memory.settle()
            raise creation.NotLaunched(f"deployment {key} has {part} {seen}, not {self.deployed}")

    # --- the approval -----------------------------------------------------------------------------------------

    def _ask(self, run: Run, key: str) -> Step:
        """Waits for the request that the service opened; it may come a moment after the deployment."""
        gate = self._gate(run)
        for number in range(LOOKS):
            found = gate.open(run).mine
            if found is not None:
                run.adopt(DECISION, before={KEY: key}, id=str(found["id"]))
                run.log.info("The service opened change request %s: deployment %s needs an approval.", found["id"], key)
                return gate.wait_for_decision(found)
            if is_approved(look(run)):
                return self._result(run, look(run), None)
            if number < LOOKS - 1:
                run.sleep(PAUSE)
        run.memory.settle()
        raise creation.NotApproved(f"deployment {key} needs an approval, and no change request for it is open")

    def _decided(self, run: Run) -> Step:
        gate = self._gate(run)
        decided = gate.decided(run)
        if isinstance(decided, Await):
            return decided
        gate.accept(run, decided)
        if decided.outcome == "resolved" or decided.entity.get("autoApply"):
            run.memory.update(stage=APPLY)
            return gate.application(decided.id)
        return gate.apply(run, decided.entity)

    def _approved(self, run: Run, request_id: str) -> Step:
        for number in range(LOOKS):
            if is_approved(look(run)):
                entity = run.read("getChangeRequest", changeRequestId=request_id)
                return self._result(run, look(run), review.decision(run.client, entity))
            if number < LOOKS - 1:
                run.sleep(PAUSE)
        run.memory.settle()
        raise creation.NotApproved(
            f"change request {request_id} is resolved, and deployment {look(run)['id']} still needs an approval"
        )

    # --- small things -----------------------------------------------------------------------------------------

    def _gate(self, run: Run) -> ChangeGate:
        return ChangeGate(
            deployment_id=str(key_of(run)), action="approve", change=creation.APPROVAL, adopt="any", **self.gate
        )

    def _result(self, run: Run, deployment: Entity, decision: dict[str, Any] | None) -> dict[str, Any]:
        handle, key = run.handle, str(deployment["id"])
        assert handle is not None, "a deployment was created"
        return {
            "deployment_id": key,
            "label": deployment.get("label"),
            "model_package_id": (deployment.get("modelPackage") or {}).get("id"),
            "model_id": (deployment.get("model") or {}).get("id"),
            "status": deployment.get("status"),
            "approval_status": creation.approval_of(deployment),
            "change_request": decision or creation.decided_already(run.client, key),
            "duplicates": self.created.duplicates(run, key),
            "sent_twice": handle.sent_twice,
        }
