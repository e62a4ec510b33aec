"""What a promotion was: who asked, who decided, which versions, which checks, which numbers."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider.api.errors import InvalidCall
from airflow_provider.operators.watch import FAILED_CHECK
from airflow_provider.tasks import arguments
from airflow_provider.tasks.outcomes import translated

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

APPLY, WATCH, ROLL_BACK = "apply", "watch", "roll_back"
RESULT = "return_value"
# What a step leaves in XCom when it ends without a result.
ALSO = {
    "compare": "verdict",
    "approve": "decision",
    "apply": "decision",
    "watch": FAILED_CHECK,
    "roll_back": "decision",
}


class DataRobotRecordPromotionOperator(BaseOperator):
    """Gathers what the steps of a promotion left, for audits; asks the service nothing.

    :param deployment_id: the deployment.
    :param model_package_id: the model package that was promoted.
    :param steps: name of each step to its task id; ``apply`` (the replacement), ``watch`` and ``roll_back`` tell the
        outcome.
    :param record_to: path or URL of a JSON file (``s3://audit/{{ run_id }}.json``), overwritten where it exists. None:
        XCom only.

    Returns ``outcome`` (``promoted``, ``rolled_back``, ``not_promoted``: skipped before the champion changed, or
    ``failed``), ``deployment_id``, ``model_package_id``, ``previous`` and ``champion`` (model_package_id, model_id,
    name, deployed_at), ``change_requests`` (who asked, who decided and when, with reviews; of the replacement and of
    the way back), ``failed_check``, ``airflow`` (dag_id, run_id, run_type, triggered_by), ``steps`` (name to ``state``
    and ``result``; ``told`` is the verdict, decision or check of a step that ended without a result) and
    ``recorded_at``. Fails with InvalidCall, and when the file cannot be written.
    """

    template_fields = ("deployment_id", "model_package_id", "steps", "record_to")
    ui_color = "#e3f2ea"

    def __init__(
        self,
        *,
        deployment_id: str,
        model_package_id: str,
        steps: Mapping[str, str],
        record_to: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.model_package_id = model_package_id
        self.steps = steps
        self.record_to = record_to

    def execute(self, context: Context) -> Any:
        """Gathers, and writes the file."""
        with translated():
            if APPLY not in self.steps:
                raise InvalidCall(f"steps must name the task of the step {APPLY!r}, and names {', '.join(self.steps)}")
            record = json.loads(json.dumps(self._record(context), default=str))
            if not arguments.absent(self.record_to):
                self._write(record)
        self.log.info("%s of %s on %s.", record["outcome"], self.model_package_id, self.deployment_id)
        return record

    def _record(self, context: Context) -> dict[str, Any]:
        instance, dag_run = context["ti"], context["dag_run"]
        states = self._states(instance)
        steps = self._left(instance, states)
        results = {name: step["result"] or {} for name, step in steps.items()}
        apply, back = results[APPLY], results.get(ROLL_BACK, {})
        before = next((found["champion"] for found in results.values() if found.get("champion")), None)
        last = next((found for found in (back, results.get(WATCH), apply) if found and found.get("champion")), {})
        return {
            "outcome": _outcome(states),
            "deployment_id": self.deployment_id,
            "model_package_id": self.model_package_id,
            "previous": apply.get("previous") or before,
            "champion": last.get("champion"),
            "change_requests": [one["change_request"] for one in (apply, back) if one.get("change_request")],
            "failed_check": steps.get(WATCH, {}).get("told"),
            "airflow": {
                "dag_id": instance.dag_id,
                "run_id": instance.run_id,
                "run_type": str(getattr(dag_run.run_type, "value", dag_run.run_type)),
                "triggered_by": getattr(dag_run, "triggering_user_name", None),
            },
            "steps": steps,
            "recorded_at": datetime.now(UTC).isoformat(),
        }

    def _left(self, instance: Any, states: Mapping[str, str | None]) -> dict[str, dict[str, Any]]:
        """State and result of each step, and what one has told that ended without a result."""

        def pulled(step: str, key: str) -> Any:
            return instance.xcom_pull(task_ids=self.steps[step], key=key, map_indexes=instance.map_index)

        left: dict[str, dict[str, Any]] = {}
        last: str | None = "success"
        for step, state in states.items():
            left[step] = {"state": state, "result": pulled(step, RESULT) if state == "success" else None}
            # A step that was skipped behind another has nothing to tell, and Airflow logs an error for that.
            chose_to_skip = state == "skipped" and last == "success" and step != ROLL_BACK
            if step in ALSO and (state == "failed" or chose_to_skip):
                left[step]["told"] = pulled(step, ALSO[step])
            last = state
        return left

    def _states(self, instance: Any) -> dict[str, str | None]:
        """How each step ended; a mapped group is asked for its own instance only."""
        index = instance.map_index
        told = instance.get_task_states(
            dag_id=instance.dag_id,
            task_ids=list(self.steps.values()),
            run_ids=[instance.run_id],
            map_index=None if index < 0 else index,
        )
        found = told.get(instance.run_id) or {}
        suffix = "" if index < 0 else f"_{index}"
        return {name: found.get(f"{task_id}{suffix}") for name, task_id in self.steps.items()}

    def _write(self, record: Mapping[str, Any]) -> None:
        from airflow_provider.tasks.files import path_of, put

        path = path_of("record_to", self.record_to)
        put(io.BytesIO(json.dumps(record, indent=1, ensure_ascii=False).encode()), path)
        self.log.info("Recorded in %s.", path)


def _outcome(states: Mapping[str, Any]) -> str:
    if states.get(ROLL_BACK) == "success":
        return "rolled_back"
    if _all((states.get(name, "success") for name in (APPLY, WATCH)), "success"):
        return "promoted"
    if _all((state for name, state in states.items() if name in (APPLY, WATCH, ROLL_BACK)), "skipped"):
        return "not_promoted"
    return "failed"


def _all(states: Iterable[Any], word: str) -> bool:
    return all(state == word for state in states)
