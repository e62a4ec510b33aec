"""Promote a model behind a governance approval, watch it, and bring the old one back when it does not do well.

Nobody has to be there: while people decide (minutes to weeks), the task occupies no worker. A retry at any point takes
up what is under way and never asks or replaces twice.

Needs the connection ``datarobot_default``. Start it with the Params ``deployment_id`` and ``model_package_id``.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from airflow_provider.task_groups.promotion import promote_model

# [START gated_promotion]
with DAG(
    dag_id="gated_promotion",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["datarobot", "example"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1), "deferrable": True},
    params={
        "deployment_id": Param(type="string", minLength=1, title="Deployment"),
        "model_package_id": Param(type="string", minLength=1, title="Model package that shall serve"),
        "reason": Param("SCHEDULED_REFRESH", type="string", title="Reason of the replacement"),
        "watch_minutes": Param(10, type="number", minimum=0, title="Minutes to watch the new champion"),
    },
) as dag:
    promote_model(
        "promotion",
        deployment_id="{{ params.deployment_id }}",
        model_package_id="{{ params.model_package_id }}",
        reason="{{ params.reason }}",
        watch="{{ params.watch_minutes * 60 }}",  # the champion is ours, the deployment active, its service not failing
        roll_back=True,  # else the champion of before comes back, through the same approval, and the run fails
        record=True,  # who asked, who decided, which checks: in XCom, or a path or URL for a file
    )
# [END gated_promotion]
