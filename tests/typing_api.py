"""Typical lines of users, type-checked with all else (``make check``) and never run.

Where a line must not pass, a ``type: ignore`` stands behind it: mypy complains about one that is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_never, assert_type

from airflow.sdk import DAG, task

from airflow_provider.api import (
    Answer,
    AsyncClient,
    Client,
    Conflict,
    DataRobotError,
    Deployment,
    OutcomeUnknown,
    Pacing,
    Settings,
    lease,
    prepare,
    wait_from_json,
)
from airflow_provider.api.waiting import End, GaveUp, TimedOut
from airflow_provider.api.waits import Done, EntityWait, Failed, JobWait
from airflow_provider.hooks.datarobot import DataRobotHook
from airflow_provider.operators.approval_policies import (
    DataRobotCreateApprovalPolicyOperator,
    DataRobotMatchApprovalPolicyOperator,
)
from airflow_provider.operators.call_api import DataRobotCallApiOperator
from airflow_provider.operators.change_request_decisions import (
    DataRobotResolveChangeRequestOperator,
    DataRobotReviewChangeRequestOperator,
)
from airflow_provider.operators.change_requests import DataRobotCreateChangeRequestOperator
from airflow_provider.operators.deployment_status import DataRobotActivateDeploymentOperator
from airflow_provider.operators.deployments import (
    DataRobotGetDeploymentOperator,
    DataRobotListDeploymentsOperator,
    DataRobotUpdateDeploymentOperator,
)
from airflow_provider.operators.replacement import DataRobotReplaceModelOperator
from airflow_provider.operators.validation import DataRobotValidateModelReplacementOperator
from airflow_provider.operators.watch import DataRobotWatchDeploymentOperator
from airflow_provider.sensors.api_job import DataRobotApiJobSensor
from airflow_provider.sensors.change_request import DataRobotChangeRequestSensor
from airflow_provider.tasks import DATAROBOT_RETRY_POLICY, DataRobotBaseOperator, DataRobotBaseSensor
from airflow_provider.tasks.base import Step
from airflow_provider.tasks.run import Await, Run

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor


def in_a_notebook() -> list[str]:
    with Client(Settings.from_env()) as client:
        answer = client.call("getDeployment", deploymentId="64e0")
        assert_type(answer, Answer)
        deployment = Deployment.read(answer)
        assert_type(deployment, Deployment)
        listed = client.iterate("listDeployments", importance=["HIGH"], limit=100)
        assert_type(listed, Iterator[dict[str, Any]])
        started = client.call("updateDeploymentStatus", {"status": "inactive"}, deploymentId=deployment.id)
        end = client.wait(JobWait("status/abc/"), deadline=None, pacing=Pacing(interval=2.0))
        assert_type(end, End)
        assert_type(started.location, str | None)
        client.call()  # type: ignore[call-arg]
        return [str(one["label"]) for one in listed]


def with_settings_of_ones_own() -> Settings:
    Settings("https://app.datarobot.com", "token", location="guess")  # type: ignore[arg-type]
    return Settings("https://app.datarobot.com", "token", scheme="Token", verify="/etc/ca.pem", read_timeout=120.0)


def what_went_wrong(client: Client) -> str:
    try:
        client.send(prepare("deleteApprovalPolicy", {"approvalPolicyId": "64f0"}))
    except Conflict as error:
        assert_type(error.status, int | None)
        return f"{error.operation}: {error.message} {error.errors} {error.request_id}"
    except OutcomeUnknown as error:
        return f"look yourself: {error}"
    except DataRobotError as error:
        return "again later" if error.retryable else "never"
    return "gone"


def how_it_ended(end: End) -> str:
    match end:
        case Done(result):
            return str(result.get("location"))
        case Failed(reason):
            return reason
        case TimedOut(note):
            return note
        case GaveUp(reason):
            return reason
        case _:
            assert_never(end)


async def in_an_event_loop() -> int:
    async with lease(Settings.from_env()) as client:
        assert_type(client, AsyncClient)
        answer = await client.call("getVersion")
        return answer.status


@task(retry_policy=DATAROBOT_RETRY_POLICY)
def in_taskflow(deployment_id: str) -> dict[str, Any]:
    hook = DataRobotHook("datarobot_default")
    deployment: dict[str, Any] = hook.call("getDeployment", deploymentId=deployment_id).object()
    names = [one["label"] for one in hook.iterate("listDeployments", limit=20)]
    end = hook.wait({"kind": "job", "path": "status/abc/"}, timeout=600, pacing=Pacing(cap=30.0))
    return {"label": deployment["label"], "beside": names, "end": how_it_ended(end)}


async def in_an_async_task(hook: DataRobotHook) -> Answer:
    return await hook.acall("getDeployment", deploymentId="64e0")


def in_a_dag() -> DAG:
    with DAG("typed", schedule=None) as dag:
        select = DataRobotListDeploymentsOperator(
            task_id="select", importance=["CRITICAL", "HIGH"], tags={"team": None}, most="{{ params.most }}"
        )
        before = DataRobotGetDeploymentOperator(task_id="before", deployment_label="Churn")
        fits = DataRobotValidateModelReplacementOperator(
            task_id="fits", deployment_id="64e0", model_package_id="64d0", on_warning="allow"
        )
        replace = DataRobotReplaceModelOperator(
            task_id="replace",
            deployment_id="{{ ti.xcom_pull('before')['id'] }}",
            model_package_id="64d0",
            reason="ACCURACY",
            runtime_parameters=[{"fieldName": "threshold", "type": "numeric", "value": 0.5}],
            auto_apply="{{ params.auto_apply }}",
            timeout=timedelta(days=14),
            deferrable=True,
        )
        watch = DataRobotWatchDeploymentOperator(
            task_id="watch", deployment_id="64e0", watch=timedelta(minutes=5), unhealthy=["failing", "warning"]
        )
        wake = DataRobotActivateDeploymentOperator.partial(task_id="wake", timeout=600).expand(
            deployment_id=select.output
        )
        label = DataRobotUpdateDeploymentOperator(
            task_id="label", deployment_id="64e0", importance="LOW", extra_body={"their": "key"}, plan_only=True
        )
        before >> fits >> replace >> watch >> [wake, label]
        DataRobotReplaceModelOperator(task_id="no_deployment", model_package_id="64d0")  # type: ignore[call-arg]
        DataRobotWatchDeploymentOperator("64e0", task_id="by_position")  # type: ignore[call-arg]
    return dag


def behind_an_approval() -> None:
    policy = DataRobotCreateApprovalPolicyOperator(
        task_id="policy",
        name="Deletions",
        trigger={"entityType": "deployment", "intendedAction": {"action": "delete"}},
        automatic_action={"action": "cancel", "period": "P7D"},
    )
    match = DataRobotMatchApprovalPolicyOperator(task_id="match", entity_type="deployment", action="delete")
    ask = DataRobotCreateChangeRequestOperator(task_id="ask", deployment_id="64e0", action="delete", adopt="any")
    review = DataRobotReviewChangeRequestOperator(
        task_id="review", change_request_id="64b0", version="0", verdict="approved", datarobot_conn_id="reviewer"
    )
    decision = DataRobotChangeRequestSensor(
        task_id="decision",
        change_request_id="64b0",
        on_cancelled="branch",
        branches={"approved": ["resolve"], "cancelled": []},
        timeout=timedelta(days=7),
        poke_interval=300,
        mode="reschedule",
        version="0",
        soft_fail=True,
    )
    resolve = DataRobotResolveChangeRequestOperator(task_id="resolve", change_request_id="64b0", version="0")
    policy >> match >> ask >> review >> decision >> resolve
    DataRobotReviewChangeRequestOperator(task_id="r", change_request_id="1", verdict="x")  # type: ignore[call-arg]


def anything_else() -> None:
    call = DataRobotCallApiOperator(
        task_id="call", operation_id="updateDeploymentSettings", arguments={"deploymentId": "64e0"}, body={}, wait=False
    )
    job = DataRobotApiJobSensor(task_id="job", location="{{ ti.xcom_pull('call')['job'] }}", timeout=3600)
    call >> job
    DataRobotCallApiOperator(task_id="call", arguments={})  # type: ignore[call-arg]


class OperatorOfOnesOwn(DataRobotBaseOperator):
    operation = "updateDeploymentSettings"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id")

    def __init__(self, *, deployment_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id

    def identity(self) -> dict[str, Any]:
        return {"deployment_id": self.deployment_id}

    def start(self, run: Run) -> Step:
        sent = run.submit(
            self.operation, {"targetDrift": {"enabled": True}}, stage="put", look=None, deploymentId=self.deployment_id
        )
        path = run.path_of(sent.answer) if sent.answer is not None else None
        return Await(JobWait(path), "settings") if path else {"sends": sent.sends}

    def proceed(self, run: Run, result: dict[str, Any]) -> Step:
        return run.read("getDeploymentSettings", deploymentId=self.deployment_id)


class SensorOfOnesOwn(DataRobotBaseSensor):
    def identity(self) -> dict[str, Any]:
        return {"deployment": "64e0"}

    def wait(self, client: Client) -> EntityWait:
        return EntityWait("deployments/64e0/", "deployment", want=("active",))


def test_with_the_emulator(datarobot_emulator: EmulatorDoor) -> None:
    datarobot_emulator.switches(write_under_policy="refuse_409")
    settings = Settings(datarobot_emulator.endpoint, datarobot_emulator.tokens["requester"])
    fault = datarobot_emulator.fault("lost_answer", operationId="replaceDeploymentModel", nth=2)
    assert_type(fault, str)
    assert_type(datarobot_emulator.count("modelReplaced"), int)
    assert_type(wait_from_json({"kind": "until", "time": 0.0}).request(), str | None)
    Client(settings).close()
