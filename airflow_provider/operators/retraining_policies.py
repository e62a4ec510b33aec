"""Retraining policies of a deployment: make, change and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import InvalidCall, Refused
from airflow_provider.mlops import retraining_policies
from airflow_provider.mlops.settable import SettingsNotSeen
from airflow_provider.operators.retraining import OfPolicyOperator
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import Step
from airflow_provider.tasks.deleting import delete
from airflow_provider.tasks.retraining_fields import FIELDS, NAME_LENGTH, PolicyFieldsOperator
from airflow_provider.tasks.run import Run


class DataRobotCreateRetrainingPolicyOperator(PolicyFieldsOperator):
    """Makes a retraining policy, or takes the one of the same name, and gives it the wanted fields.

    The name is the mark by which the policy is found again, so a second attempt or run makes no second one.

    :param deployment_id: the deployment. It needs retraining settings first (a dataset, a retraining user):
        DataRobotUpdateRetrainingSettingsOperator.
    :param name: what the policy is called; one policy of a deployment has it.
    :param action: what a run makes: ``create_challenger``, ``create_model_package`` or ``model_replacement``.
    :param description: for people.
    :param feature_list_strategy: ``same_as_champion`` or ``informative_features``.
    :param model_selection_strategy: ``autopilot_recommended``, ``same_blueprint``, ``same_hyperparameters`` or
        ``custom_job``.
    :param project_options_strategy: ``same_as_champion``, ``override_champion`` or ``custom``.
    :param trigger: ``{"type", "schedule": {"minute", "hour", "dayOfMonth", "month", "dayOfWeek"},
        "minIntervalBetweenRuns", "statusDeclinesToWarning", "statusDeclinesToFailing", "statusStillInDecline"}``; leave
        it out where the DAG alone starts runs.
    :param autopilot_options: as the service words them; ``project_options`` and ``time_series_options`` likewise.
    :param if_exists: ``update`` a policy of that name where its fields differ, ``keep`` it, or ``fail``.

    Returns ``deployment_id``, ``policy_id``, ``name``, ``action``, ``created`` and ``changed`` (the fields that were
    written to a policy that was there). Fails with PolicyNotUnique, PolicyExists, SettingsNotSeen, OutcomeUnknown and
    the errors of the service; of a sixth policy of a deployment it says which are there. Operations:
    listDeploymentRetrainingPolicies, getDeploymentRetrainingPolicy, createDeploymentRetrainingPolicy,
    updateDeploymentRetrainingPolicy. Memory before Airflow 3.3: the name.
    """

    operation = "createDeploymentRetrainingPolicy"
    template_fields = (*PolicyFieldsOperator.template_fields, "if_exists")

    def __init__(
        self, *, name: str, action: str = "create_challenger", if_exists: str = "update", **kwargs: Any
    ) -> None:
        super().__init__(name=name, action=action, **kwargs)
        self.if_exists = if_exists

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        arguments.named("name", self.name, NAME_LENGTH)
        self.if_exists = arguments.one_of("if_exists", self.if_exists, ("update", "keep", "fail"))

    def start(self, run: Run) -> Step:
        """Looks for the name, then creates or compares."""
        found = self._named(run)
        if found is None:
            return self._create(run)
        if self.if_exists == "fail":
            raise retraining_policies.PolicyExists(
                f"deployment {self.deployment_id} has a policy {self.name!r}: {found['id']}"
            )
        changed = {} if self.if_exists == "keep" else retraining_policies.differing(self._wanted, found)
        if changed:
            found = update(run, self.deployment_id, str(found["id"]), changed, self._wanted, None)
        return self.result(found, changed, created=False)

    def _create(self, run: Run) -> dict[str, Any]:
        try:
            sent = run.submit(
                self.operation,
                self._wanted,
                stage="create",
                look=lambda: self._named(run),
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
        except Refused as refusal:
            self._tell_the_limit(run, refusal)
            raise
        found = sent.answer.object() if sent.answer is not None else sent.found
        self.log.info("Made retraining policy %s, %s.", self.name, found["id"])
        return self.result(found, {}, created=not sent.adopted)

    def _named(self, run: Run) -> dict[str, Any] | None:
        return retraining_policies.policy_named(run.client, self.deployment_id, str(self.name))

    def _tell_the_limit(self, run: Run, refusal: Refused) -> None:
        there = retraining_policies.policies(run.client, self.deployment_id)
        if len(there) >= retraining_policies.MOST:
            names = ", ".join(f"{one.get('name')!r} ({one['id']})" for one in there)
            refusal.message += (
                f"; a deployment has at most {retraining_policies.MOST} policies, these are there: {names}"
            )


class DataRobotUpdateRetrainingPolicyOperator(PolicyFieldsOperator):
    """Gives a retraining policy the wanted fields; writes only what differs.

    :param deployment_id: the deployment.
    :param policy_id: the policy.
    :param name: a new name; the other fields are those of DataRobotCreateRetrainingPolicyOperator. What is left out
        stays as it is.

    Returns ``deployment_id``, ``policy_id``, ``name``, ``action`` and ``changed`` (what was written). Fails with
    SettingsNotSeen (done by word, not in fact) and the errors of the service. Operations:
    getDeploymentRetrainingPolicy, updateDeploymentRetrainingPolicy. Memory before Airflow 3.3: none is needed, the
    wanted values are compared first.
    """

    operation = "updateDeploymentRetrainingPolicy"
    template_fields = (*PolicyFieldsOperator.template_fields, "policy_id")

    def __init__(self, *, policy_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.policy_id = policy_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.policy_id = arguments.identifier("policy_id", self.policy_id)
        if not self._wanted and not self.extra_body:
            raise InvalidCall(f"nothing to change was given; there are {', '.join(FIELDS)}")

    def identity(self) -> dict[str, Any]:
        """The policy and the wanted values."""
        return {**super().identity(), "policy_id": self.policy_id}

    def start(self, run: Run) -> Step:
        """Compares, and writes what differs."""
        found = read(run, self.deployment_id, self.policy_id)
        changed = retraining_policies.differing(self._wanted, found)
        if changed or self.extra_body:
            found = update(run, self.deployment_id, self.policy_id, changed, self._wanted, self.extra_body)
        return self.result(found, changed)


class DataRobotDeleteRetrainingPolicyOperator(OfPolicyOperator):
    """Deletes a retraining policy with its runs; one that is gone is a success without a write.

    :param deployment_id: the deployment.
    :param policy_id: the policy.

    Returns ``deployment_id``, ``policy_id`` and ``deleted``. Fails with the errors of the service: a policy that runs
    is not deleted. Operations: getDeploymentRetrainingPolicy, deleteDeploymentRetrainingPolicy. Memory before Airflow
    3.3: a policy that is gone was deleted.
    """

    operation = "deleteDeploymentRetrainingPolicy"

    def start(self, run: Run) -> Step:
        """Deletes it, unless it is gone."""
        where = {"deploymentId": self.deployment_id, "retrainingPolicyId": self.policy_id}
        policy = delete(run, self.operation, lambda: read(run, self.deployment_id, self.policy_id), **where)
        return {"deployment_id": self.deployment_id, "policy_id": self.policy_id, "deleted": policy is not None}


def read(run: Run, deployment_id: str, policy_id: str) -> dict[str, Any]:
    """The policy as it is now."""
    where: dict[str, Any] = {"deploymentId": deployment_id, "retrainingPolicyId": policy_id}
    return run.read("getDeploymentRetrainingPolicy", **where)


def update(
    run: Run,
    deployment_id: str,
    policy_id: str,
    changed: Mapping[str, Any],
    wanted: Mapping[str, Any],
    extra_body: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Writes fields of a policy, and gives it as it is then; raises SettingsNotSeen where that is not as wanted."""

    def done() -> bool | None:
        return None if retraining_policies.differing(wanted, read(run, deployment_id, policy_id)) else True

    where: dict[str, Any] = {"deploymentId": deployment_id, "retrainingPolicyId": policy_id}
    run.submit(
        "updateDeploymentRetrainingPolicy", dict(changed), stage="update", look=done, extra_body=extra_body, **where
    )
    found = read(run, deployment_id, policy_id)
    left = retraining_policies.differing(wanted, found)
    if left:
        raise SettingsNotSeen(f"the service says that it is done, and retraining policy {policy_id} still lacks {left}")
    return found
