"""What tasks on monitoring batches share: which batch is meant, what it shall be, and the write that makes it so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.mlops import monitoring_batches
from airflow_provider.tasks import arguments

if TYPE_CHECKING:
    from airflow_provider.tasks.run import Run

LENGTH = 1000  # characters of a name


def settings_given(task: Any) -> dict[str, Any]:
    """What may be set besides the name, as answers call it; only what was given."""
    given: dict[str, Any] = {}
    if not arguments.unset(task.description):
        given["description"] = arguments.text("description", task.description, 10_000)
    if not arguments.unset(task.external_url):
        given["externalContextUrl"] = arguments.text("external_url", task.external_url, 10_000)
    if not arguments.absent(task.locked):
        given["isLocked"] = arguments.flag("locked", task.locked)
    return given


def change(
    run: Run, deployment_id: str, batch_id: str, differs: dict[str, Any], extra_body: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Writes, and looks whether it is so."""

    def look() -> dict[str, Any] | None:
        now = monitoring_batches.get(run.client, deployment_id, batch_id)
        return None if monitoring_batches.differing(differs, now) else now

    run.submit(
        "updateDeploymentMonitoringBatch",
        monitoring_batches.body_of(differs),
        stage="update",
        look=look,
        extra_body=extra_body,
        before={"changed": differs},
        deploymentId=deployment_id,
        monitoringBatchId=batch_id,
    )
    now = look()
    if now is None:
        raise monitoring_batches.MonitoringBatchNotSeen(
            f"the service says that it is done, and monitoring batch {batch_id} still is not {differs}"
        )
    return now
