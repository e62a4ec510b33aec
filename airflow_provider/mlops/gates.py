"""Gates: a statistic of a deployment over a window, and the rule that it has to meet.

    Gate (operation, reader, window, rule) ──► wait ──► look (operator) or drive (sensor) ──► Verdict

Every gate is data: which operation is asked, which reader of ``api.readings`` understands its answer, and the rule.
Operators and sensors share ``api.judging.judge`` through one kind of wait, so they cannot come to different verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.judging import COMPARISONS, VIEWS, Reading, Rule, Verdict, judge
from airflow_provider.api.messages import prepare, reading
from airflow_provider.api.readings import accuracy, coverage, prediction_rows
from airflow_provider.api.waits import GateWait
from airflow_provider.mlops.windows import Window, stamp

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

__all__ = [
    "COMPARISONS",
    "VIEWS",
    "Gate",
    "Reading",
    "Rule",
    "Verdict",
    "about",
    "accuracy_gate",
    "asking",
    "coverage_gate",
    "fresh",
    "judge",
    "measure",
]

HOURLY = {"bucketSize": "PT1H"}
FILTERS_OF_ROWS = ("modelId", "segmentAttribute", "segmentValue")  # that answers over time take too
MOST_ROWS = 20_000  # of a window that is counted row by row: each page of them is a request at each look


@dataclass(frozen=True, slots=True)
class Gate:
    """What is measured, and what is wanted of it.

    :param operation: the operationId of a read.
    :param arguments: its path and query arguments.
    :param reader: the module of ``api.readings`` that understands the answer.
    :param of: tells the reader which number.
    :param rule: what is wanted.
    :param about: what the verdict shall tell besides its numbers.
    """

    operation: str
    arguments: Mapping[str, Any]
    reader: str
    rule: Rule
    of: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def wait(self, until: str = "pass") -> GateWait:
        """The wait for it, until it passes or (``data``) until there is something to judge."""
        target = prepare(self.operation, self.arguments).target
        return GateWait(target, self.reader, dict(self.of), asdict(self.rule), until, dict(self.about))


def measure(client: Client, gate: Gate) -> dict[str, Any]:
    """Asks the service once and judges what it says: the verdict, with what it is about, as plain JSON.

    Reads are repeated on transient errors.
    """
    wait = gate.wait()
    while True:
        verdict = wait.judged(client.send(reading(wait.request())))
        if verdict is not None:
            return wait.told(verdict)


def accuracy_gate(
    deployment_id: str, metric: str, window: Window, rule: Rule, filters: Mapping[str, Any] | None = None
) -> Gate:
    """One accuracy metric over a window (operation getDeploymentAccuracy).

    :param filters: further documented arguments: modelId, segmentAttribute, segmentValue, targetClasses, batchId.
    """
    arguments = asking(deployment_id, window, filters)
    of: dict[str, Any] = {"metric": metric}
    told = {**about(arguments, window), "metric": metric}
    if arguments.get("modelId"):
        of["model_id"] = arguments["modelId"]
    if rule.minimum_sample > 1 and "batchId" not in arguments:
        known = {name: value for name, value in arguments.items() if name != "targetClasses"}
        of["sample_path"] = prepare(coverage.OPERATION, known).target
    of |= fresh(rule, coverage.OPERATION, arguments, window, counted="rowCountWithActual")
    return Gate(accuracy.OPERATION, arguments, "accuracy", rule, of, told)


def coverage_gate(
    deployment_id: str,
    window: Window,
    share: float,
    *,
    minimum_predictions: int = 1,
    by: str = "summary",
    filters: Mapping[str, Any] | None = None,
) -> Gate:
    """At least this share of the predictions of a window has an actual.

    :param by: ``summary`` (operation getDeploymentPredictionsVsActualsOverTime), or ``rows``
        (listDeploymentPredictionResults, every page of it: for small windows).
    :param filters: further documented arguments, modelId for example.
    """
    arguments = asking(deployment_id, window, filters)
    rule, told = Rule(">=", share, minimum_sample=minimum_predictions), about(arguments, window)
    if by == "summary":
        return Gate(coverage.OPERATION, {**arguments, "bucketSize": "PT1H"}, "coverage", rule, {}, told)
    path = prepare(prediction_rows.OPERATION, arguments).path
    of = {"path": path, "most": MOST_ROWS}
    return Gate(prediction_rows.OPERATION, arguments, "prediction_rows", rule, of, told)


def asking(deployment_id: str, window: Window, filters: Mapping[str, Any] | None) -> dict[str, Any]:
    """What every gate asks with; monitoring batches are taken whole, whenever they were scored."""
    period = {} if (filters or {}).get("batchId") else window.arguments()
    return {"deploymentId": deployment_id, **period, **(filters or {})}


def about(arguments: Mapping[str, Any], window: Window) -> dict[str, Any]:
    """What every verdict tells besides its numbers."""
    if arguments.get("batchId"):
        return {"deployment_id": arguments["deploymentId"], "window": None, "batches": arguments["batchId"]}
    return {"deployment_id": arguments["deploymentId"], "window": window.to_json()}


def fresh(
    rule: Rule,
    operation: str,
    arguments: Mapping[str, Any],
    window: Window,
    *,
    counted: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What tells the reader where the age of the newest rows is asked for; nothing unless the rule has a ``max_age``.

    :param operation: an operation that answers in buckets of an hour.
    :param counted: the key of a bucket that counts rows.
    """
    if rule.max_age is None:
        return {}
    if arguments.get("batchId"):
        raise InvalidCall("max_age goes with a window, and monitoring batches are taken whole: leave one of them out")
    kept = {name: arguments[name] for name in FILTERS_OF_ROWS if arguments.get(name)}
    call = {"deploymentId": arguments["deploymentId"], **window.arguments(), **kept, **HOURLY, **more}
    key = counted or ("value" if "metric" in more else "rowCountTotal")
    return {"newest_path": prepare(operation, call).target, "counted": key, "end": stamp(window.end)}
