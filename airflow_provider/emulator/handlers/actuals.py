"""Actuals: from JSON and from a dataset."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, refuse_by_switch
from airflow_provider.emulator.behaviour import actual_rows, quota
from airflow_provider.emulator.behaviour.actual_rows import Reader
from airflow_provider.emulator.behaviour.actuals import accept, start_submission
from airflow_provider.emulator.behaviour.association import association_columns
from airflow_provider.emulator.behaviour.rights import owned
from airflow_provider.emulator.bulk import BULK, Bulk
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.store import Record

MOST = 10_000  # rows of one post (wire.md D)
NOT_CONFIGURED = "Actuals cannot be submitted: the deployment has no association ID."

BULK["submitDeploymentActualsFromJson"] = Bulk(MOST, actual_rows.suspicious, actual_rows.summary)


@serves("submitDeploymentActualsFromJson")
def submit_actuals(call: Call) -> Answer:
    """202 with the Location of a job and no body; the job ends at the deployment's accuracy (wire.md A.4, D)."""
    service = call.service
    quota.check_rate(service)
    deployment = takes_actuals(call)
    reader = Reader(service, deployment)
    rows = reader.read(call.body["data"])
    if reader.fails_with is not None:
        service.request_plan["failsWith"] = reader.fails_with
    counted = quota.counted(service, deployment, [row[0] for row in rows])
    charged = counted * quota.weight(service, deployment)
    quota.check_quota(service, deployment, charged)
    keep = call.body.get("keepActualsWithoutPredictions", True)
    batch = accept(service, deployment, rows, len(rows), charged, keep=keep)
    return call.accepted(start_submission(service, deployment, batch, "actualsSubmission", "storeActuals"))


def takes_actuals(call: Call) -> Record:
    """The deployment, if it can match actuals; without an association id what the switch says."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    if not association_columns(deployment):
        value = call.service.switches["actuals_without_association_id"]
        if value != "job_error":
            raise refuse_by_switch(value, NOT_CONFIGURED)
        call.service.request_plan["failsWith"] = NOT_CONFIGURED
    return deployment
