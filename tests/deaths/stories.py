"""What tasks do while a process dies: what is there before, where they can be met, and what the service shows then.

Everything is asked and told by raw HTTP, nothing by our client; the counts come from the emulator's store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from demo.emulator import Person
from tests.people import GLANCE, approve, person

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

GOVERNED, UNGOVERNED, V3 = "64e000000000000000000001", "64e000000000000000000002", "64d000000000000000000003"
REQUESTER = "requester@example.com"
IN_PLACE = " in place"  # at the end of a moment: the task does not defer
CHUNK = 10_000  # rows of a request
ACTUALS, VALUES, PREDICTIONS = 4 * CHUNK, CHUNK + 500, 240
IN_FLIGHT = 2  # requests of actuals at a time
Counts = dict[str, int]
Conf = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Story:
    """One task.

    ``points`` says at which request each moment is; ``begin`` makes what the task needs and gives the conf of its run;
    ``effects`` counts what the service did, which is to be ``wanted``; ``job`` is the kind of job that is waited for,
    None where people decide; of ``again`` rows so many may come a second time; at the moments ``blind`` nothing can
    tell what happened.
    """

    title: str
    dag_id: str
    write: str
    points: Mapping[str, Mapping[str, Any]]
    begin: Callable[[EmulatorDoor, Path], Conf]
    effects: Callable[[EmulatorDoor, Conf], Counts]
    wanted: Counts
    job: str | None = None
    again: Counts = field(default_factory=dict)
    blind: tuple[str, ...] = ()

    def point(self, moment: str) -> dict[str, Any]:
        """The request at which a moment is, as the fault ``hold`` wants it."""
        usual: dict[str, Mapping[str, Any]] = {
            "sending": {"operationId": self.write, "where": "before"},
            "written": {"operationId": self.write, "where": "after"},
        }
        return {"user": REQUESTER, **{**usual, **self.points}[moment.removesuffix(IN_PLACE)]}

    @contextmanager
    def going_on(self, service: EmulatorDoor) -> Iterator[None]:
        """Inside, the service's jobs that were to be ended by hand come to an end, or people approve."""
        if self.job is None:
            with person(service.endpoint, service.tokens["reviewer"], approve):
                yield
            return
        over = Event()
        thread = Thread(target=_end_jobs, args=(service, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _end_jobs(service: EmulatorDoor, over: Event) -> None:
    while not over.wait(GLANCE):
        for job in service.jobs():
            if job["state"] == "running" and job["plan"].get("byHand"):
                service.end_job(job["id"])


def _requester(service: EmulatorDoor) -> Person:
    return Person(service.endpoint, service.tokens["requester"])


def _hours_ago(service: EmulatorDoor, hours: int) -> datetime:
    now = datetime.fromisoformat(service.clock()["now"]).astimezone(UTC)
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)


# --- what is there before -----------------------------------------------------------------------------------------


def _deployment(service: EmulatorDoor, folder: Path) -> Conf:
    return {"deployment": UNGOVERNED}


def _governed(service: EmulatorDoor, folder: Path) -> Conf:
    return {"deployment": GOVERNED}


def _policy(service: EmulatorDoor, folder: Path) -> Conf:
    body = {"name": "Monthly", "action": "create_model_package"}
    made = _requester(service).ask("POST", f"deployments/{UNGOVERNED}/retrainingPolicies/", body)
    service.switches(retraining_unset="runs")  # no dataset is needed
    service.jobs("retrainingRun", seconds=120)
    return {"deployment": UNGOVERNED, "policy": made["id"]}


def _outcomes(service: EmulatorDoor, folder: Path) -> Conf:
    file = folder / "outcomes.csv"
    lines = (f"row-{number},{_outcome(number)}\n" for number in range(ACTUALS))
    file.write_text("id,outcome\n" + "".join(lines))
    return {"deployment": UNGOVERNED, "file": str(file)}


def _outcome(number: int) -> str:
    return "yes" if number % 3 else "no"


def _metric(service: EmulatorDoor, folder: Path) -> Conf:
    body = {"name": "Savings", "units": "EUR", "isModelSpecific": False, "type": "sum"}
    made = _requester(service).ask("POST", f"deployments/{UNGOVERNED}/customMetrics/", body)
    since = _hours_ago(service, 3)
    moments = ((since + timedelta(seconds=number)).isoformat() for number in range(VALUES))
    file = folder / "savings.csv"
    file.write_text("value,timestamp\n" + "".join(f"1,{moment}\n" for moment in moments))
    return {"deployment": UNGOVERNED, "metric": "Savings", "metric_id": made["id"], "file": str(file)}


def _predictions(service: EmulatorDoor, folder: Path) -> Conf:
    start, end = (_hours_ago(service, hours).isoformat() for hours in (4, 2))
    service.predictions(UNGOVERNED, rows=PREDICTIONS, start=start, end=end)
    return {"deployment": UNGOVERNED, "folder": str(folder / "export"), "start": start, "end": end}


# --- what the service did -----------------------------------------------------------------------------------------


def _counted(*names: str) -> Callable[[EmulatorDoor, Conf], Counts]:
    def count(service: EmulatorDoor, conf: Conf) -> Counts:
        return {name: service.count(name) for name in names}

    return count


def _rows(service: EmulatorDoor, conf: Conf) -> Counts:
    account = service.actuals(UNGOVERNED, ids=True, values=True)
    right = sum(
        account["values"].get(f"row-{number}", {}).get("actualValue") == _outcome(number) for number in range(ACTUALS)
    )
    again = sum(times - 1 for times in account["acceptedPerId"].values())
    return {"rows that are right": right, "rows sent again": again}


def _values(service: EmulatorDoor, conf: Conf) -> Counts:
    path = f"deployments/{UNGOVERNED}/customMetrics/{conf['metric_id']}/summary/"
    window = {"start": _hours_ago(service, 24).isoformat(), "end": _hours_ago(service, -1).isoformat()}
    told = _requester(service).ask("GET", path, **window)["metric"]
    return {"values": told["sampleCount"] or 0}


def _export(service: EmulatorDoor, conf: Conf) -> Counts:
    manifest = Path(conf["folder"]) / "manifest.json"
    rows = json.loads(manifest.read_text())["rows"] if manifest.exists() else 0
    return {"exportCreated": service.count("exportCreated"), "rows in the file": rows}


# --- the stories --------------------------------------------------------------------------------------------------

VALIDATE, STATUS = {"operationId": "validateDeploymentModelReplacement"}, {"operationId": "getStatus"}
# A look at a wait that is not its first: the wait is on.
LATER = {"nth": 2}

REPLACEMENT = Story(
    title="replacement",
    dag_id="replacement",
    write="replaceDeploymentModel",
    points={"before": VALIDATE, "waiting": {**STATUS, **LATER}, "resumed": {"operationId": "getDeployment"}},
    begin=_deployment,
    effects=_counted("modelReplaced"),
    wanted={"modelReplaced": 1},
    job="modelReplacement",
)
APPROVAL = Story(
    title="replacement after approval",
    dag_id="approval",
    write="createChangeRequest",
    points={
        "before": VALIDATE,
        "waiting": {"operationId": "getChangeRequest", **LATER},
        "resumed": {"operationId": "updateChangeRequestStatus"},
        "resumed, written": {"operationId": "updateChangeRequestStatus", "where": "after"},
    },
    begin=_governed,
    effects=_counted("changeRequestCreated", "changeRequestResolved", "modelReplaced"),
    wanted={"changeRequestCreated": 1, "changeRequestResolved": 1, "modelReplaced": 1},
)
RETRAINING = Story(
    title="retraining run",
    dag_id="retraining",
    write="createDeploymentRetrainingPolicyRun",
    points={
        "before": {"operationId": "listDeploymentRetrainingPolicyRuns"},
        "waiting": {"operationId": "getDeploymentRetrainingPolicyRun", **LATER},
    },
    begin=_policy,
    effects=_counted("retrainingRunStarted", "retrainingRunFinished"),
    wanted={"retrainingRunStarted": 1, "retrainingRunFinished": 1},
    job="retrainingRun",
)
UPLOAD = Story(
    title="upload of actuals",
    dag_id="actuals",
    write="submitDeploymentActualsFromJson",
    points={
        "sending": {"operationId": "submitDeploymentActualsFromJson", **LATER},
        "written": {"operationId": "submitDeploymentActualsFromJson", **LATER, "where": "after"},
        "waiting": {**STATUS, **LATER},
    },
    begin=_outcomes,
    effects=_rows,
    wanted={"rows that are right": ACTUALS, "rows sent again": 0},
    job="actualsSubmission",
    again={"rows sent again": IN_FLIGHT * CHUNK},
)
METRIC = Story(
    title="values of a custom metric",
    dag_id="metric",
    write="submitDeploymentCustomMetricValuesFromJson",
    points={
        "waiting": {**STATUS, **LATER},
        "resumed": {"operationId": "submitDeploymentCustomMetricValuesFromJson"},
    },
    begin=_metric,
    effects=_values,
    wanted={"values": VALUES},
    job="customMetricValues",
    blind=("sending", "written", "resumed"),
)
EXPORT = Story(
    title="export",
    dag_id="export",
    write="createDeploymentPredictionDataExport",
    points={
        "before": {"operationId": "listDeploymentPredictionDataExports"},
        "waiting": {**STATUS, **LATER},
        "resumed": {"operationId": "downloadDatasetVersionFile"},
    },
    begin=_predictions,
    effects=_export,
    wanted={"exportCreated": 1, "rows in the file": PREDICTIONS},
    job="dataExport",
)
