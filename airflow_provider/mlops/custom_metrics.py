"""Custom metrics of a deployment: found by name, compared, summed up.

A name is taken once in a deployment (wire.md I), so it is as good as an id: what is there under the name is compared
with what is wanted, and only what differs is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError
from airflow_provider.mlops.naming import find_soon

if TYPE_CHECKING:
    from airflow_provider.api.client import Client
    from airflow_provider.mlops.windows import Window

TYPES = ("average", "gauge", "sum", "categorical")  # the vendor's own words
DIRECTIONS = ("higherIsBetter", "lowerIsBetter")
SETTABLE = (
    "name", "units", "description", "directionality", "type", "baselineValues", "value", "sampleCount", "timestamp",
    "batch",
)  # fmt: skip
TAKEN = "Custom metric name"  # how the refusal of a name begins that is taken (wire.md I)
ABSENT: Mapping[str, tuple[Any, ...]] = {"description": ("", None), "baselineValues": ([], None)}


class CustomMetricMissing(DataRobotError):
    """The deployment has no custom metric of this name."""


class CustomMetricDiffers(DataRobotError):
    """There is a custom metric of this name, and it is not the one that is wanted."""


class CustomMetricNotSeen(DataRobotError):
    """The service accepted a change of a custom metric, and the metric is as before."""


def get(client: Client, deployment_id: str, metric_id: str) -> dict[str, Any]:
    """A custom metric (operation getDeploymentCustomMetric)."""
    found: dict[str, Any] = client.call(
        "getDeploymentCustomMetric", deploymentId=deployment_id, customMetricId=metric_id
    ).object()
    return found


def find(client: Client, deployment_id: str, name: str) -> dict[str, Any] | None:
    """The custom metric of this name (operation listDeploymentCustomMetrics); None where there is none."""
    listed = client.iterate("listDeploymentCustomMetrics", deploymentId=deployment_id)
    return next((one for one in listed if one.get("name") == name), None)


def identify(client: Client, deployment_id: str, metric_id: str | None, name: str | None) -> str:
    """The id of a metric that is named by its id or its name; raises :class:`CustomMetricMissing`."""
    if metric_id is not None:
        return metric_id
    found = find_soon(client, lambda: find(client, deployment_id, str(name)))
    if found is None:
        raise CustomMetricMissing(f"deployment {deployment_id} has no custom metric named {name!r}")
    return str(found["id"])


def differing(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What of the wanted values is not so now."""
    return {name: value for name, value in wanted.items() if not _same(name, value, now.get(name))}


def _same(name: str, wanted: Any, now: Any) -> bool:
    if isinstance(wanted, Mapping):  # a column: the service may tell more of it
        return isinstance(now, Mapping) and all(now.get(key) == value for key, value in wanted.items())
    nothing = ABSENT.get(name, ())
    return bool(wanted == now) or (wanted in nothing and now in nothing)


def summary(
    client: Client,
    deployment_id: str,
    metric_id: str,
    window: Window | None,
    *,
    model_id: str | None = None,
    model_package_id: str | None = None,
    batch_ids: Sequence[str] = (),
) -> dict[str, Any]:
    """What a metric comes to over a window, or over monitoring batches.

    Operations: getDeploymentCustomMetricSummary; for batches getDeploymentCustomMetricBatchSummary.

    :param window: None for batches.
    """
    model = {"modelId": model_id, "modelPackageId": model_package_id}
    whose: dict[str, Any] = {"deploymentId": deployment_id, "customMetricId": metric_id, **model}
    if window is None:
        given = list(batch_ids) or None
        found = client.call("getDeploymentCustomMetricBatchSummary", batchId=given, **whose)
    else:
        found = client.call("getDeploymentCustomMetricSummary", **{**window.arguments(), **whose})
    line = found.require("metric")
    return dict(line) if isinstance(line, Mapping) else {}
