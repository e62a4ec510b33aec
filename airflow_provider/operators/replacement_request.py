"""Asking people whether a model may replace the champion, as a step of its own."""

from __future__ import annotations

from typing import Any

from airflow_provider.mlops import replacement
from airflow_provider.operators.change_requests import DataRobotCreateChangeRequestOperator
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import Step
from airflow_provider.tasks.outcomes import end_as
from airflow_provider.tasks.run import Run
from airflow_provider.tasks.serving import Serving


class DataRobotRequestModelReplacementOperator(DataRobotCreateChangeRequestOperator):
    """Opens a change request for a replacement, or takes up an equal one of ours; whether a policy applies or not.

    For pipelines that show request, approval and replacement as tasks of their own: a DataRobotChangeRequestSensor
    waits behind it, and a DataRobotReplaceModelOperator with ``governance="always"`` takes the approved request up,
    validates again, applies it and verifies. DataRobotReplaceModelOperator does all of that alone, too.

    :param deployment_id: the deployment.
    :param model_package_id: the model package that shall serve; or
    :param model_id: the model by its own id. Exactly one of the two.
    :param reason: ACCURACY, DATA_DRIFT, ERRORS, SCHEDULED_REFRESH, SCORING_SPEED, OTHER or DEPRECATION.
    :param comment: for the reviewers; where the run comes from is added. At most 10,000 characters in all.
    :param auto_apply: let the service apply the change when it is approved.
    :param adopt: take up an equal open request of ``mine`` or of ``any`` user.
    :param on_conflict: ``fail`` or ``cancel_own`` when a request for another model is open.

    Returns what DataRobotCreateChangeRequestOperator returns: ``change_request_id``, ``version``, ``status``,
    ``approvals_required``, ``adopted`` and ``sent_twice``. A model that is the champion already skips the task: there
    is nothing to ask. Errors, operations and memory are those of that operator.
    """

    template_fields = (
        *DataRobotCreateChangeRequestOperator.template_fields,
        "model_package_id",
        "model_id",
        "reason",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        model_package_id: str | None = None,
        model_id: str | None = None,
        reason: str = "OTHER",
        **kwargs: Any,
    ) -> None:
        super().__init__(deployment_id=deployment_id, action="replaceModelPackage", **kwargs)
        self.model_package_id = model_package_id
        self.model_id = model_id
        self.reason = reason

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self._target = replacement.Target(
            arguments.optional_identifier("model_package_id", self.model_package_id),
            arguments.optional_identifier("model_id", self.model_id),
        )
        self.reason = arguments.one_of("reason", self.reason, replacement.REQUEST_REASONS)
        self.action = self._target.change_action
        self.change = replacement.change(self._target, self.reason)
        super().prepare()

    def start(self, run: Run) -> Step:
        """Opens the request, or takes it up, unless the model serves already."""
        serving = Serving(self.deployment_id, self._target)
        if serving.is_right(serving.look(run)):
            end_as("skip", f"{self._target} is the champion of deployment {self.deployment_id} already")
        return super().start(run)
