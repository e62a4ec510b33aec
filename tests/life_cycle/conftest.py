"""Small operators on the stage: a job that nothing stops, a request that is cancelled, a call without a trace."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from airflow_provider.api.waits import JobWait, ReviewWait
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.run import Await, Run
from tests.harness import GOVERNED, UNGOVERNED, V3, Crash, Stage, Store, Task
from tests.journeys.conftest import stage as stage
from tests.journeys.conftest import triggerer as triggerer

BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["on the worker", "deferred"])


class Replacing(DataRobotBaseOperator):
    """Replaces a model and waits for the job, which nothing cancels."""

    operation = "replaceDeploymentModel"

    def __init__(self, *, package: str = V3, before: Any = None, limit: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.package, self.before, self.limit = package, before or {"champion": "V2"}, limit

    def identity(self) -> dict[str, Any]:
        return {"package": self.package}

    def link(self, web_url: str) -> str | None:
        return f"{web_url}/deployments/{UNGOVERNED}/overview"

    def start(self, run: Run) -> Step:
        if self._champion(run) == self.package:
            return self._result(run, "already")
        sent = run.submit(
            self.operation,
            {"modelPackageId": self.package, "reason": "OTHER"},
            stage="replace",
            look=lambda: self._champion(run) == self.package or None,
            before=self.before,
            deploymentId=UNGOVERNED,
        )
        assert sent.answer is not None, "these stories lose no answers"
        path = run.path_of(sent.answer)
        assert path is not None, "the service names the job"
        return Await(JobWait(path), "the job", limit=self.limit)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        return self._result(run, "replaced")

    def _champion(self, run: Run) -> str:
        return str(run.read("getDeployment", deploymentId=UNGOVERNED)["modelPackage"]["id"])

    def _result(self, run: Run, outcome: str) -> Step:
        assert run.handle is None or run.handle.before == self.before or outcome == "already", "it was remembered"
        return {"outcome": outcome, "champion": self._champion(run), "tuple": (1, 2)}


class Asking(DataRobotBaseOperator):
    """Opens a change request and waits for the decision; cancelling the request stops it.

    :param adopt: take up the first open request in place of opening one.
    :param crash: where the worker dies: before the write, after it, or after it was noted.
    """

    operation = "createChangeRequest"
    crashes: ClassVar[set[str]] = set()

    def __init__(self, *, package: str = V3, adopt: bool = False, crash: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.package, self.adopt, self.crash = package, adopt, crash

    def identity(self) -> dict[str, Any]:
        return {"package": self.package}

    def start(self, run: Run) -> Step:
        found = self._open(run)
        if found is not None and (self.adopt or run.handle is not None):
            run.adopt("ask", id=found["id"])
            return self._decision(found["id"])
        sent = run.submit(self.operation, self._body(), stage="ask", look=lambda: self._open(run))
        request = sent.found if sent.answer is None else sent.answer.json()
        self._perhaps_crash("before it was noted")
        run.memory.update(id=request["id"])
        return self._decision(request["id"])

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        return {"outcome": result["outcome"], "id": result["entity"]["id"]}

    def _perhaps_crash(self, where: str) -> None:
        if self.crash == where and where not in self.crashes:
            self.crashes.add(where)
            raise Crash(where)

    def _body(self) -> dict[str, Any]:
        change = {"modelPackageId": self.package, "replacementReason": "accuracy"}
        entity = {"entityType": "deployment", "entityId": GOVERNED}
        return {**entity, "action": "replaceModelPackage", "change": change, "autoApply": False}

    def _open(self, run: Run) -> Any:
        found = run.read("listChangeRequests", entityType="deployment", entityId=GOVERNED)["data"]
        return next((one for one in found if one["status"] == "pending"), None)

    def _decision(self, request_id: str) -> Await:
        cancel = {
            "operation": "updateChangeRequestStatus",
            "arguments": {"changeRequestId": request_id},
            "body": {"status": "cancelled"},
        }
        return Await(ReviewWait(f"changeRequests/{request_id}/"), "the decision", cancel)


class Blind(DataRobotBaseOperator):
    """A write that leaves nothing by which it could be found; the worker dies while it is under way."""

    operation = "createDeploymentOnDemandReport"

    def identity(self) -> dict[str, Any]:
        return {}

    def start(self, run: Run) -> Step:
        body = {"id": "64a000000000000000000077"}
        run.submit(self.operation, body, stage="call", look=None, deploymentId=UNGOVERNED)
        return {"outcome": "sent"}


def task(
    stage: Stage, kind: type[DataRobotBaseOperator], *, store: bool = True, retries: int = 0, **arguments: Any
) -> Task:
    """A task instance of one of these operators."""
    Asking.crashes.clear()
    return Task(stage, lambda: kind(task_id="task", **arguments), Store() if store else None, retries)


def handle_of(one: Task) -> dict[str, Any]:
    """What the task's store holds."""
    assert one.store is not None, "there is a store"
    found: dict[str, Any] = one.store.get("datarobot_handle")
    return found


def only_request(stage: Stage) -> dict[str, Any]:
    """The one change request there is."""
    [request] = stage.service.world("changeRequests").values()
    found: dict[str, Any] = request
    return found
