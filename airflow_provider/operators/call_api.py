"""Any operation of the contract as a task: the way out where no operator of its own exists yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import prepare
from airflow_provider.api.waits import JobWait
from airflow_provider.contract import UnknownOperation, contract
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.run import Await, Run


class DataRobotCallApiOperator(DataRobotBaseOperator):
    """Calls one operation of the contract, and waits when the answer points to a job.

    A write whose answer is lost is sent again only where the table of writes says that a repeat is harmless or refused
    (``airflow_provider.api.writes``); everything else fails with OutcomeUnknown, which names what to check.

    :param operation_id: as in the contract, ``createDeploymentOnDemandReport`` for example.
    :param arguments: path and query arguments under their documented names.
    :param body: the JSON body, checked against the contract as far as it is known.
    :param wait: wait for the job that a ``Location`` in the answer to a write names; otherwise a DataRobotApiJobSensor
        may wait for ``job``.
    :param all_pages: for a list: follow the pages and return all objects.

    Returns ``status`` (HTTP), ``body`` (the JSON answer, None when empty), ``job`` (the ``Location`` in the answer to a
    write), ``location`` (where that job pointed when it was over; for a read, the ``Location`` in the answer); with
    ``all_pages`` the list of objects. What there is none of is None. Fields that hold secrets are masked.

    Fails with InvalidCall (unknown operation, arguments or body that the contract does not have), JobFailed,
    WaitTimedOut, OutcomeUnknown and the errors of the service. Memory: from Airflow 3.3 on, the job of an earlier
    attempt is waited for and not started again, and a write that may have been sent before the worker died is not sent
    again where a repeat would do harm. Before, an attempt that broke off after its write is told from a new one by
    nothing: set ``retries=0`` for operations that must not happen twice.
    """

    operation = "callApi"  # in place of which errors and handles name the operation that is called
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "operation_id",
        "arguments",
        "body",
        "wait",
        "all_pages",
    )

    def __init__(
        self,
        *,
        operation_id: str,
        arguments: Mapping[str, Any] | str | None = None,
        body: Any = None,
        wait: bool | str = True,
        all_pages: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.operation_id = operation_id
        self.arguments = arguments
        self.body = body
        self.wait = wait
        self.all_pages = all_pages

    def prepare(self) -> None:
        """Checks operation, arguments and body against the contract before anything is sent."""
        super().prepare()
        try:
            operation = contract().operation(self.operation_id)
        except UnknownOperation as error:
            raise InvalidCall(f"operation_id: {error}") from None
        self.operation = operation.id  # type: ignore[misc]  # of the class everywhere else
        self._given = arguments.mapping("arguments", self.arguments) or {}
        self.wait = arguments.flag("wait", self.wait)
        self.all_pages = arguments.flag("all_pages", self.all_pages)
        if self.all_pages and operation.writes:
            raise InvalidCall(f"all_pages is for lists, and {self.operation_id} writes")
        prepare(self.operation_id, self._given, self.body, self.extra_body)
        self._writes = operation.writes

    def identity(self) -> dict[str, Any]:
        """The whole call."""
        call = {"operation_id": self.operation_id, "arguments": self._given, "body": self.body}
        return {**call, "extra_body": self.extra_body}

    def start(self, run: Run) -> Step:
        """Sends the call."""
        if self.all_pages:
            return list(run.client.iterate(self.operation_id, **self._given))
        if not self._writes:
            answer = run.client.call(self.operation_id, self.body, extra_body=self.extra_body, **self._given)
            return {"status": answer.status, "body": answer.json(), "job": None, "location": answer.location}
        sent = run.submit(
            self.operation_id, self.body, stage="call", look=None, extra_body=self.extra_body, **self._given
        )
        assert sent.answer is not None, "nothing is looked for, so nothing can be found instead of an answer"
        job = sent.answer.location
        result = {"status": sent.answer.status, "body": sent.answer.json(), "job": job, "location": None}
        if job is None or not self.wait:
            return result
        run.memory.update(before=result)
        return Await(JobWait(str(run.path_of(sent.answer))), f"the job of {self.operation_id}")

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over."""
        assert run.handle is not None, "a wait that ended has a handle"
        return {**run.handle.before, "location": result.get("location")}
