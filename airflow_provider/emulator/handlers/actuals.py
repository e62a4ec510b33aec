"""Actuals: from JSON and from a dataset."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer, invalid, refuse_by_switch
from airflow_provider.emulator.behaviour import actual_rows, dataset_actuals, quota
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
    try:
        batch = accept(service, deployment, rows, len(rows), charged, keep=keep)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write
        raise invalid(["must be Unicode text @ $.data"]) from None
    return call.accepted(start_submission(service, deployment, batch, "actualsSubmission", "storeActuals"))


@serves("submitDeploymentActualsFromDataset")
def submit_actuals_from_dataset(call: Call) -> Answer:
    """202 with the Location of a job; the rows are counted now and read when the job ends (seed 002:891, wire.md D)."""
    service, body = call.service, call.body
    deployment = takes_actuals(call)
    version = dataset_actuals.named_version(service, call.user, body)
    fails = dataset_actuals.NO_SUCH if version is None else dataset_actuals.check_version(service, version, body)
    if fails is not None:
        service.request_plan["failsWith"] = fails
    count = 0 if version is None or version["state"] != "COMPLETED" else max(version["lines"] - 1, 0)
    charged = count * quota.weight(service, deployment)
    quota.check_quota(service, deployment, charged)
    batch = accept(service, deployment, (), count, charged, keep=body.get("keepActualsWithoutPredictions", True))
    named = {"datasetVersionId": version["id"] if version else None, "body": _columns(body)}
    job = start_submission(service, deployment, batch, "actualsFromDataset", "storeDatasetActuals", **named)
    return call.accepted(job)


def _columns(body: Record) -> Record:
    """The names of the columns; a password of the body is not kept."""
    return {name: body[name] for name in dataset_actuals.COLUMNS if name in body}


def takes_actuals(call: Call) -> Record:
    """The deployment, if it can match actuals; without an association id what the switch says."""
    deployment = owned(call.service, call.user, call.arguments["deploymentId"])
    if not association_columns(deployment):
        value = call.service.switches["actuals_without_association_id"]
        if value != "job_error":
            raise refuse_by_switch(value, NOT_CONFIGURED)
        call.service.request_plan["failsWith"] = NOT_CONFIGURED
    return deployment
