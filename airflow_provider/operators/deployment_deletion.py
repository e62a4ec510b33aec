"""Deleting deployments, and erasing those that are deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider.api.errors import DataRobotError, Gone, InvalidCall, NotFound
from airflow_provider.api.waits import EntityWait, JobWait, UntilWait
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.run import Await, Run

MOST = 100  # ids a call (DeploymentPermanentDelete)
PAGE = {"offset": 0, "limit": 100}


class DeletionNotSeen(DataRobotError):
    """The service says that something was deleted, and it is still there."""


class DataRobotDeleteDeploymentOperator(DataRobotBaseOperator):
    """Deletes a deployment and waits until it is gone; one that is gone already is a success without a write.

    A policy may gate the deletion: then use DataRobotCreateChangeRequestOperator with ``action="delete"``.

    :param deployment_id: the deployment.
    :param confirm: the same id once more: nothing is deleted by a slip of a template.
    :param ignore_management_agent: delete even when the management agent does not answer.

    Returns ``deployment_id`` and ``deleted`` (False when it was gone already). Fails with JobFailed, WaitTimedOut,
    DeletionNotSeen (a change request that waits for approval may be the reason) and the errors of the service.
    Operations: getDeployment, deleteDeployment, getStatus. Memory before Airflow 3.3: what is gone was deleted.
    """

    operation = "deleteDeployment"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "confirm", "ignore_management_agent")

    def __init__(
        self, *, deployment_id: str, confirm: str, ignore_management_agent: bool | str = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.confirm = confirm
        self.ignore_management_agent = ignore_management_agent

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        if arguments.identifier("confirm", self.confirm) != self.deployment_id:
            raise InvalidCall(f"confirm must be the id of the deployment, {self.deployment_id}, not {self.confirm!r}")
        self.ignore_management_agent = arguments.flag("ignore_management_agent", self.ignore_management_agent)

    def identity(self) -> dict[str, Any]:
        """The deployment."""
        return {"deployment_id": self.deployment_id}

    def start(self, run: Run) -> Step:
        """Deletes it, unless it is gone; deletion may take a while (wire.md I)."""
        if self._gone(run):
            return self._result(deleted=False)
        query: dict[str, Any] = {"ignoreManagementAgent": "true"} if self.ignore_management_agent else {}
        sent = run.submit(
            self.operation, stage="delete", look=lambda: self._gone(run), deploymentId=self.deployment_id, **query
        )
        if self._gone(run):
            return self._result(deleted=True)
        path = run.path_of(sent.answer) if sent.answer is not None else None
        if path is not None:
            return Await(JobWait(path), f"deployment {self.deployment_id} is being deleted")
        return self._lingering()

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over; gone is what answers 404 or 410."""
        if self._gone(run):
            return self._result(deleted=True)
        if run.handle is not None and (run.handle.wait or {}).get("kind") == JobWait.kind:
            opened = run.read("getDeployment", deploymentId=self.deployment_id).get("openedChangeRequests")
            if opened:
                run.memory.settle()
                raise DeletionNotSeen(
                    f"deployment {self.deployment_id} is still there; open change requests: {', '.join(opened)}",
                    operation=self.operation,
                )
            return self._lingering()
        run.memory.settle()
        raise DeletionNotSeen(f"deployment {self.deployment_id} is still there", operation=self.operation)

    def _lingering(self) -> Await:
        return Await(
            EntityWait(f"deployments/{self.deployment_id}/", "deletion"),
            f"deployment {self.deployment_id} is still being deleted",
        )

    def _gone(self, run: Run) -> bool | None:
        try:
            run.read("getDeployment", deploymentId=self.deployment_id)
        except (NotFound, Gone):
            return True
        return None

    def _result(self, *, deleted: bool) -> dict[str, Any]:
        return {"deployment_id": self.deployment_id, "deleted": deleted}


class DataRobotEraseDeletedDeploymentsOperator(DataRobotBaseOperator):
    """Erases deleted deployments for good; needs an administrator. Those that are not in the list are passed over.

    :param deployment_ids: the deployments, at most 100; one word, a list, or words with commas.
    :param confirm: the text ``PermanentlyErase``.

    Returns ``erased`` (the ids that were erased) and ``absent`` (those that were not among the deleted ones). Fails
    with JobFailed, WaitTimedOut and the errors of the service. Operations: listDeletedDeployments,
    eraseDeletedDeployments, getStatus. Memory before Airflow 3.3: what is not in the list was erased.
    """

    operation = "eraseDeletedDeployments"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_ids", "confirm")

    def __init__(self, *, deployment_ids: str | Sequence[str], confirm: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_ids = deployment_ids
        self.confirm = confirm

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        given = arguments.several("deployment_ids", self.deployment_ids)
        self._ids = [arguments.identifier("deployment_ids", one) for one in dict.fromkeys(given)]
        if not 1 <= len(self._ids) <= MOST:
            raise InvalidCall(f"deployment_ids must be 1 to {MOST} ids, not {len(self._ids)}")
        if self.confirm != "PermanentlyErase":
            raise InvalidCall(f"confirm must be the text 'PermanentlyErase', not {self.confirm!r}")

    def identity(self) -> dict[str, Any]:
        """The deployments."""
        return {"deployment_ids": self._ids}

    def start(self, run: Run) -> Step:
        """Erases those that are there."""
        there = self._there(run)
        if not there:
            return self._result([])
        sent = run.submit(
            self.operation,
            {"action": "PermanentlyErase", "deploymentIds": there},
            stage="erase",
            look=lambda: None if self._there(run) else True,
            before={"erased": there},
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        if path is None and sent.answer is not None and self._there(run):
            return Await(UntilWait(run.clock() + run.settle), "deployments are being erased")  # by a job without a name
        return Await(JobWait(path), "deployments are being erased") if path else self._ended(run, there)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over; erased is what is no longer in the list."""
        assert run.handle is not None, "a wait that ended has a handle"
        return self._ended(run, run.handle.before["erased"])

    def _ended(self, run: Run, there: list[str]) -> dict[str, Any]:
        left = self._there(run)
        if left:
            run.memory.settle()
            raise DeletionNotSeen(f"still among the deleted deployments: {', '.join(left)}", operation=self.operation)
        return self._result(there)

    def _there(self, run: Run) -> list[str]:
        listed = {str(one.get("id")) for one in run.client.iterate("listDeletedDeployments", **PAGE)}
        return [one for one in self._ids if one in listed]

    def _result(self, erased: list[str]) -> dict[str, Any]:
        return {"erased": erased, "absent": [one for one in self._ids if one not in erased]}
