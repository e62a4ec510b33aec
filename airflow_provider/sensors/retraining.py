"""Waiting for runs of retraining policies that somebody else started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.waits import LatestRunWait, RunWait, Wait
from airflow_provider.mlops import retraining
from airflow_provider.tasks import arguments
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client


class OfPolicySensor(DataRobotBaseSensor):
    """Common to both sensors."""

    template_fields = (*DataRobotBaseSensor.template_fields, "deployment_id", "policy_id")

    def __init__(self, *, deployment_id: str, policy_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.policy_id = policy_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.policy_id = arguments.identifier("policy_id", self.policy_id)

    def identity(self) -> dict[str, Any]:
        """The policy."""
        return {"deployment_id": self.deployment_id, "policy_id": self.policy_id}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def action(self, client: Client) -> str | None:
        """What the policy does with a new model."""
        where: dict[str, Any] = {"deploymentId": self.deployment_id, "retrainingPolicyId": self.policy_id}
        found: str | None = client.call("getDeploymentRetrainingPolicy", **where).object().get("action")
        return found

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> dict[str, Any]:
        """What became of the run."""
        found, action = result["entity"], self.action(client)
        return {
            "outcome": "finished" if action == "model_replacement" else retraining.outcome_of(found, action),
            "deployment_id": self.deployment_id,
            "policy_id": self.policy_id,
            **retraining.told(found),
        }


class DataRobotRetrainingRunSensor(OfPolicySensor):
    """Waits until a run of a retraining policy is over.

    :param deployment_id: the deployment.
    :param policy_id: the retraining policy.
    :param run_id: the run.

    Returns ``outcome`` (``challenger_created``, ``package_created``, or ``finished`` where the policy replaces the
    champion: whether it serves, or waits for an approval, is for the deployment to say), ``deployment_id``,
    ``policy_id``, ``run_id``, ``status``, ``started_at``, ``finished_at``, ``challenger_id``, ``model_package_id``,
    ``project_id`` and ``registered_model_id``. Fails in the service's words when the run failed, when it was cancelled,
    when it is over and has made nothing, when there is no such run, and after ``timeout``. Operations:
    getDeploymentRetrainingPolicy, getDeploymentRetrainingPolicyRun.
    """

    template_fields = (*OfPolicySensor.template_fields, "run_id")

    def __init__(self, *, run_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.run_id = arguments.identifier("run_id", self.run_id)

    def identity(self) -> dict[str, Any]:
        """The run."""
        return {**super().identity(), "run_id": self.run_id}

    def wait(self, client: Client) -> Wait:
        """The run, and what its policy promises."""
        path = retraining.run_path(self.deployment_id, self.policy_id, self.run_id)
        return RunWait(path, retraining.promises_of(self.action(client)))


class DataRobotLatestRetrainingRunSensor(OfPolicySensor):
    """Waits until the latest run of a retraining policy is over, whoever or whatever started it.

    :param deployment_id: the deployment.
    :param policy_id: the retraining policy.
    :param started_after: only a run that began at this moment or later counts (a time with its zone, or its text, by
        the service's clock); an earlier one, and no run at all, are waited out. Default: any run.

    Returns and fails as DataRobotRetrainingRunSensor does. Operations: getDeploymentRetrainingPolicy.
    """

    template_fields = (*OfPolicySensor.template_fields, "started_after")

    def __init__(self, *, started_after: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.started_after = started_after

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self._after = None if arguments.absent(self.started_after) else retraining.moment(self.started_after)
        if self._after is None and not arguments.absent(self.started_after):
            raise InvalidCall(f"started_after must be a time such as 2026-03-01T00:00:00Z, not {self.started_after!r}")

    def identity(self) -> dict[str, Any]:
        """The policy, and the moment."""
        return {**super().identity(), "started_after": self._after}

    def wait(self, client: Client) -> Wait:
        """The policy with its latest run."""
        path = f"deployments/{self.deployment_id}/retrainingPolicies/{self.policy_id}/"
        return LatestRunWait(path, retraining.promises_of(self.action(client)), self._after)
