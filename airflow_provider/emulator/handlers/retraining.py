"""Retraining: policies, their runs, and the retraining settings of a deployment."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, empty
from airflow_provider.emulator.behaviour import retraining, retraining_policies
from airflow_provider.emulator.behaviour.rights import owned, visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record


@serves("listDeploymentRetrainingPolicies")
def list_policies(call: Call) -> Answer:
    """The policies of a deployment."""
    rows = retraining_policies.policies_of(call.service, _seen(call)["id"])
    return call.page([retraining_policies.view(call.service, one) for one in call.service.listed(rows)])


@serves("createDeploymentRetrainingPolicy")
def create_policy(call: Call) -> Answer:
    """200 with the policy (seed 002:5796; clients read its id)."""
    made = retraining_policies.create(call.service, _own(call), call.body)
    return Answer(200, retraining_policies.view(call.service, made))


@serves("getDeploymentRetrainingPolicy")
def get_policy(call: Call) -> Answer:
    """One policy."""
    return Answer(200, retraining_policies.view(call.service, _policy(call, _seen(call))))


@serves("updateDeploymentRetrainingPolicy")
def update_policy(call: Call) -> Answer:
    """200 with the policy as it is then."""
    policy = retraining_policies.update(call.service, _policy(call, _own(call)), call.body or {})
    return Answer(200, retraining_policies.view(call.service, policy))


@serves("deleteDeploymentRetrainingPolicy")
def delete_policy(call: Call) -> Answer:
    """200 without a body (seed 002:5963), or 204 as public clients take too (wire.md G)."""
    retraining_policies.delete(call.service, _policy(call, _own(call)))
    return empty(int(call.service.switches["retraining_delete_answer"]))


@serves("listDeploymentRetrainingPolicyRuns")
def list_runs(call: Call) -> Answer:
    """The runs of a policy."""
    rows = retraining.runs_of(call.service, _policy(call, _seen(call))["id"])
    return call.page([retraining.view(call.service, one) for one in call.service.listed(rows)])


@serves("createDeploymentRetrainingPolicyRun")
def start_run(call: Call) -> Answer:
    """200, and nothing else: no body, no id, no Location (seed 002:6313)."""
    retraining.begin(call.service, call.user, _policy(call, _own(call)))
    return empty(200)


@serves("getDeploymentRetrainingPolicyRun")
def get_run(call: Call) -> Answer:
    """One run."""
    run = retraining.run_of(call.service, _policy(call, _seen(call)), call.arguments["runId"])
    return Answer(200, retraining.view(call.service, run))


@serves("updateDeploymentRetrainingPolicyRun")
def update_run(call: Call) -> Answer:
    """Cancel it; 200 with the run (seed 002:6383)."""
    run = retraining.run_of(call.service, _policy(call, _own(call)), call.arguments["runId"])
    retraining.cancel(call.service, run)
    return Answer(200, retraining.view(call.service, run))


@serves("getDeploymentRetrainingSettings")
def get_settings(call: Call) -> Answer:
    """Dataset, prediction environment and retraining user."""
    return Answer(200, retraining_policies.settings_view(call.service, _seen(call)["id"]))


@serves("updateDeploymentRetrainingSettings")
def update_settings(call: Call) -> Answer:
    """200 without a body (seed 002:6481)."""
    retraining_policies.put_settings(call.service, _own(call), call.body or {})
    return empty(200)


def _seen(call: Call) -> Record:
    return visible(call.service, call.user, call.arguments["deploymentId"])


def _own(call: Call) -> Record:
    return owned(call.service, call.user, call.arguments["deploymentId"])


def _policy(call: Call, deployment: Record) -> Record:
    return retraining_policies.policy_of(call.service, deployment, call.arguments["retrainingPolicyId"])
