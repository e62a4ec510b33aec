"""What a batch prediction is asked to do: the arguments of its operator, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.batch_predictions import LOCAL
from airflow_provider.tasks import arguments, files

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

FLAGS = {
    "include_probabilities": "includeProbabilities",
    "include_prediction_status": "includePredictionStatus",
    "skip_drift_tracking": "skipDriftTracking",
    "abort_on_error": "abortOnError",
}
COUNTS = {"max_explanations": ("maxExplanations", 0), "num_concurrent": ("numConcurrent", 1)}
OPTIONS = ("prediction_threshold", "monitoring_batch_prefix", *FLAGS, *COUNTS)
CSV_KEYS = ("delimiter", "encoding", "quotechar")


@dataclass(frozen=True, slots=True)
class ScoringOrder:
    """What is asked for: ``body`` is the job, ``source`` and ``target`` are what goes through us."""

    deployment_id: str
    body: dict[str, Any]
    source: ObjectStoragePath | None
    target: ObjectStoragePath | None

    @property
    def identity(self) -> dict[str, Any]:
        """Equal identities are the same work."""
        places = {"source": str(self.source or ""), "target": str(self.target or "")}
        return {"body": self.body, **places}


def order_of(given: Mapping[str, Any]) -> ScoringOrder:
    """The order that rendered arguments make; raises :class:`InvalidCall` for the first that is wrong."""
    deployment_id = arguments.identifier("deployment_id", given["deployment_id"])
    source = None if arguments.absent(given["source"]) else files.path_of("source", given["source"])
    target = None if arguments.absent(given["target"]) else files.path_of("target", given["target"])
    dataset_id = arguments.optional_identifier("dataset_id", given["dataset_id"])
    intake = _settings("intake_settings", given["intake_settings"])
    output = _settings("output_settings", given["output_settings"])
    if sum(one is not None for one in (source, dataset_id, intake)) != 1:
        raise InvalidCall("give exactly one of source, dataset_id and intake_settings")
    if (target is None) == (output is None):
        raise InvalidCall("give exactly one of target and output_settings")
    if dataset_id is not None:
        intake = {"type": "dataset", "datasetId": dataset_id}
    body = {
        "deploymentId": deployment_id,
        "intakeSettings": intake or dict(LOCAL),
        "outputSettings": output or dict(LOCAL),
        **_passed(given["passthrough_columns"]),
        **_csv(given["csv_settings"]),
        **_options(given),
    }
    return ScoringOrder(deployment_id, body, source, target)


def _settings(name: str, given: Any) -> dict[str, Any] | None:
    settings = arguments.mapping(name, given)
    if settings is None:
        return None
    kind = settings.get("type")
    if not isinstance(kind, str) or not kind:
        raise InvalidCall(f"{name} must have a type, such as s3, azure, gcp, jdbc or dataset")
    if kind == LOCAL["type"]:
        raise InvalidCall(f"{name} of type {kind} is what source and target are for")
    return settings


def _passed(given: Any) -> dict[str, Any]:
    columns = arguments.several("passthrough_columns", given)
    if columns == ["all"]:
        return {"passthroughColumnsSet": "all"}
    return {"passthroughColumns": columns} if columns else {}


def _csv(given: Any) -> dict[str, Any]:
    settings = arguments.mapping("csv_settings", given)
    if not settings:
        return {}
    unknown = sorted(set(settings) - set(CSV_KEYS))
    if unknown:
        raise InvalidCall(f"csv_settings has {', '.join(CSV_KEYS)}, not {', '.join(unknown)}")
    return {"csvSettings": settings}


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, key in FLAGS.items():
        if not arguments.absent(given[name]):
            found[key] = arguments.flag(name, given[name])
    for name, (key, least) in COUNTS.items():
        if not arguments.absent(given[name]):
            found[key] = arguments.whole(name, given[name], least)
    if not arguments.absent(given["prediction_threshold"]):
        found["predictionThreshold"] = arguments.number("prediction_threshold", given["prediction_threshold"])
        if not 0 <= found["predictionThreshold"] <= 1:
            raise InvalidCall(f"prediction_threshold must be from 0 to 1, not {given['prediction_threshold']!r}")
    if not arguments.absent(given["monitoring_batch_prefix"]):
        found["monitoringBatchPrefix"] = arguments.named(
            "monitoring_batch_prefix", given["monitoring_batch_prefix"], 200
        )
    return found
