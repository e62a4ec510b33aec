"""Any operation of the contract as a task: the way out where no operator of its own exists yet."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.api.messages import JSON, MULTIPART, prepare
from airflow_provider.api.once import Sent
from airflow_provider.api.uploads import Stream, Upload
from airflow_provider.api.waits import JobWait
from airflow_provider.api.writes import WRITES
from airflow_provider.contract import Operation, UnknownOperation, contract
from airflow_provider.contract.secrets import mask
from airflow_provider.mlops.datasets import media_type
from airflow_provider.mlops.model_files import Source
from airflow_provider.mlops.rows import UnreadableSource
from airflow_provider.tasks import arguments, files
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.downloading import FIELDS, Place
from airflow_provider.tasks.run import Await, Run

MAX_OBJECTS = 10_000  # of a list that a result holds: more is a file's business


class TooManyObjects(DataRobotError):
    """A list is too long for the result of a task."""


class DataRobotCallApiOperator(DataRobotBaseOperator):
    """Calls one operation of the contract, and waits when the answer points to a job.

    A write whose answer is lost is sent again only where the table of writes says that a repeat is harmless or refused
    (``airflow_provider.api.writes``); everything else fails with OutcomeUnknown, which names what to check.

    :param operation_id: as in the contract, ``createDeploymentOnDemandReport`` for example.
    :param arguments: path and query arguments under their documented names.
    :param body: the JSON body, checked against the contract as far as it is known.
    :param source: where the body is a file: its path or URL, as Airflow's object storage knows it. It is streamed.
    :param wait: wait for the job that a ``Location`` in the answer to a write names; otherwise a DataRobotApiJobSensor
        may wait for ``job``.
    :param all_pages: for a list: follow the pages and return all objects.
    :param max_objects: so many at most; a longer list fails the task, for a result of this size belongs into a file.
    :param path: where the file goes that the operation answers, or with ``all_pages`` the objects, one a line (JSON): a
        path or URL that Airflow's object storage knows. It is streamed, and comes to its name whole.
    :param if_exists: ``overwrite``, ``error`` or ``skip`` when there is a file of this name.
    :param staging: the folder on this machine where a file is gathered; default: the temporary one.

    Returns ``status`` (HTTP), ``body`` (the JSON answer, None when empty), ``job`` (the ``Location`` in the answer to a
    write), ``location`` (where that job pointed when it was over; for a read, the ``Location`` in the answer); with
    ``all_pages`` the list of objects; with ``path`` in place of all this ``path``, ``bytes``, ``sha256`` (None where a
    file stays) and ``downloaded``. What there is none of is None. Fields that hold secrets are masked.

    Fails with InvalidCall (unknown operation, arguments or body that the contract does not have), UnreadableSource,
    TooManyObjects, FileThere, JobFailed, WaitTimedOut, OutcomeUnknown and the errors of the service. Memory: from
    Airflow 3.3 on, the job of an earlier attempt is waited for and not started again, and a write that may have been
    sent before the worker died is not sent again where a repeat would do harm. Before, an attempt that broke off after
    its write is told from a new one by nothing: set ``retries=0`` for operations that must not happen twice.
    """

    operation = "callApi"  # in place of which errors and handles name the operation that is called
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "operation_id",
        "arguments",
        "body",
        "source",
        "wait",
        "all_pages",
        "max_objects",
        *FIELDS,
    )

    def __init__(
        self,
        *,
        operation_id: str,
        arguments: Mapping[str, Any] | str | None = None,
        body: Any = None,
        source: str | None = None,
        wait: bool | str = True,
        all_pages: bool | str = False,
        max_objects: int | str = MAX_OBJECTS,
        path: str | None = None,
        if_exists: str = "overwrite",
        staging: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.operation_id = operation_id
        self.arguments = arguments
        self.body = body
        self.source = source
        self.wait = wait
        self.all_pages = all_pages
        self.max_objects = max_objects
        self.path = path
        self.if_exists = if_exists
        self.staging = staging

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
        self.max_objects = arguments.whole("max_objects", self.max_objects, 1)
        if self.all_pages and operation.writes:
            raise InvalidCall(f"all_pages is for lists, and {self.operation_id} writes")
        self._called, self._place = operation, self._place_of(operation)
        self._file = None if arguments.absent(self.source) else files.path_of("source", self.source)
        body = self.body if self._file is None else self._upload(io.BytesIO())
        prepare(self.operation_id, self._given, body, self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The whole call."""
        call = {"operation_id": self.operation_id, "arguments": self._given, "body": self.body}
        file = {} if self._file is None else {"source": str(self._file)}
        return {**call, "extra_body": self.extra_body, **file}

    def findable(self) -> bool:
        """Whether sending it again is harmless or refused."""
        row = WRITES.get(self.operation_id)
        return row is not None and row.kind in ("settable", "guarded")

    def certain(self) -> bool:
        """Whether sending it again changes nothing."""
        row = WRITES.get(self.operation_id)
        return row is not None and row.kind == "settable"

    def start(self, run: Run) -> Step:
        """Sends the call."""
        if self._place is not None:
            return self._to_file(run, self._place)
        if self.all_pages:
            found = list(islice(self._objects(run), self.max_objects + 1))  # type: ignore[operator]
            if len(found) <= self.max_objects:  # type: ignore[operator]
                return found
            raise TooManyObjects(
                f"the list has more than {self.max_objects} objects: give a path for a file, or a higher max_objects",
                operation=self.operation_id,
            )
        if not self._called.writes:
            answer = run.client.call(self.operation_id, self.body, extra_body=self.extra_body, **self._given)
            return {"status": answer.status, "body": answer.json(), "job": None, "location": answer.location}
        return self._write(run)

    def _write(self, run: Run) -> Step:
        sent = self._send(run)
        assert sent.answer is not None, "nothing is looked for, so nothing can be found instead of an answer"
        job = sent.answer.location
        result = {"status": sent.answer.status, "body": sent.answer.json(), "job": job, "location": None}
        if job is None or not self.wait:
            return result
        run.memory.update(before=result)
        return Await(JobWait(str(run.path_of(sent.answer))), f"the job of {self.operation_id}")

    def _send(self, run: Run) -> Sent:
        def submit(body: Any) -> Sent:
            return run.submit(
                self.operation_id, body, stage="call", look=None, extra_body=self.extra_body, **self._given
            )

        if self._file is None:
            return submit(self.body)
        state = files.state_of(self._file)
        if state.size == 0:
            raise UnreadableSource(f"{self._file} is empty")
        with self._file.open("rb") as stream:
            sent = submit(self._upload(stream))
        if files.state_of(self._file) != state:
            run.memory.settle()
            raise UnreadableSource(f"{self._file} was changed while it was sent by {self.operation_id}")
        return sent

    def _upload(self, stream: BinaryIO) -> Upload | Stream:
        if self.body is not None:
            raise InvalidCall("either body or source can be given: the file is the body")
        name = self._file.name if self._file is not None else ""
        if self._called.body_media_type == MULTIPART:
            return Upload(stream, name, media_type(name))
        return Stream(stream, name)

    def _place_of(self, operation: Operation) -> Place | None:
        kinds = {*operation.responses.get("200", {}).get("content", {})}
        if not arguments.absent(self.path):
            if not self.all_pages and not kinds - {JSON}:
                raise InvalidCall(f"path is for files and for all_pages, and {self.operation_id} answers no file")
            about = (self._instance, self.operation_id, sorted(self._given.items()))
            return Place.of(self.path, self.if_exists, self.staging, *about)
        if kinds and JSON not in kinds:
            raise InvalidCall(f"{self.operation_id} answers a file: path says where it goes")
        return None

    def _to_file(self, run: Run, place: Place) -> dict[str, Any]:
        there = place.skipped()
        if there is not None:
            run.log.info("%s is there already and stays.", place.path)
            return there
        if run.plan_only:
            return {"plan": None, "would_download": {"operation": self.operation_id, "path": str(place.path)}}
        if self.all_pages:
            return place.write(json.dumps(mask(one)).encode() + b"\n" for one in self._objects(run))
        return place.bring(run.client, Source(self.operation_id, self._given))

    def _objects(self, run: Run) -> Iterator[dict[str, Any]]:
        return run.client.iterate(self.operation_id, **self._given)

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        """The job is over."""
        assert run.handle is not None, "a wait that ended has a handle"
        return {**run.handle.before, "location": result.get("location")}
