"""Scoring code and model package files with their builds, logs of custom models, the Portable Prediction Server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_provider.emulator.answers import Answer, empty, invalid, refuse, refuse_by_switch
from airflow_provider.emulator.behaviour import model_files
from airflow_provider.emulator.behaviour.rights import is_admin, visible
from airflow_provider.emulator.calls import Call, serves
from airflow_provider.emulator.storage import address
from airflow_provider.emulator.store import Record

TRUE = ("true", "True")


def _options(given: Any) -> dict[str, bool]:
    """Which extras are wanted; ``includePe`` is the old word for explanations."""
    options = {name: given.get(name) in (True, *TRUE) for name in model_files.OPTIONS}
    if given.get("includePe") in TRUE:
        options["includePredictionExplanations"] = True
    return options


@serves("downloadDeploymentScoringCode", how="shaped")
def download_scoring_code(call: Call) -> Answer:
    """The JAR; with extras only after their build (wire.md A.4)."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    options, source = _options(call.arguments), call.arguments.get("sourceCode") in TRUE
    if source and options["includeAgent"]:  # the note on the page
        raise invalid(["cannot be combined with includeAgent @ $.sourceCode"])
    package = model_files.champion(call.service, deployment)
    built = model_files.build_of(package, options) in deployment.get("scoringCodeBuilds", ())
    if package["modelExecutionType"] != "dedicated" or (any(options.values()) and not built):
        value = call.service.switches["scoring_code_missing"]
        raise refuse_by_switch(value, "There is no such Scoring Code for the model of this deployment.")
    path = model_files.jar(call.service, package, options, source=source)
    return _file(path, f"{package['modelId']}.jar", "application/java-archive")


@serves("createDeploymentScoringCodeBuild")
def build_scoring_code(call: Call) -> Answer:
    """202 and a Location, or what the page shows, by the switch ``scoring_code_build_answer``."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    if model_files.champion(call.service, deployment)["modelExecutionType"] != "dedicated":
        raise refuse(422, "The model of this deployment has no Scoring Code.")
    job = model_files.start_build(call.service, deployment, _options(call.body or {}))
    value = call.service.switches["scoring_code_build_answer"]
    return empty(200) if value == "empty_200" else call.accepted(job, status=int(value.removeprefix("location_")))


@serves("createDeploymentModelPackageFileBuild")
def build_package_file(call: Call) -> Answer:
    """202 and a Location (wire.md A.4)."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    return call.accepted(model_files.start_package_file(call.service, deployment))


@serves("downloadDeploymentModelPackageFile", how="shaped")
def download_package_file(call: Call) -> Answer:
    """The ``.mlpkg``, once it was built."""
    deployment = visible(call.service, call.user, call.arguments["deploymentId"])
    package = model_files.champion(call.service, deployment)
    if package["id"] not in deployment.get("packageFileBuilds", ()):
        value = call.service.switches["scoring_code_missing"]
        raise refuse_by_switch(value, "The model package file was not built.")
    return _file(model_files.package_file(call.service, package), f"{package['id']}.mlpkg", "application/octet-stream")


@serves("listCustomModelDeployments")
def list_custom_model_deployments(call: Call) -> Answer:
    """Deployments of custom models, newest first."""
    rows = [one for one in call.service.store.rows("customModelDeployments") if _role(call, one)]
    for name, part in (("customModelIds", "customModel"), ("environmentIds", "executionEnvironment")):
        if name in call.arguments:
            rows = [one for one in rows if one[part]["id"] in call.arguments[name]]
    rows = sorted(call.service.listed(rows), key=lambda one: str(one["deployed"]), reverse=True)
    return call.page([{name: value for name, value in one.items() if name not in ("roles", "logs")} for one in rows])


@serves("requestCustomModelDeploymentLogs")
def request_logs(call: Call) -> Answer:
    """202 ``{"statusId"}`` and a Location; the job points to the new logs."""
    job = model_files.start_logs(call.service, _custom(call))
    return call.accepted(job, {"statusId": job["id"]})


@serves("downloadCustomModelDeploymentLogs")
def download_logs(call: Call) -> Answer:
    """The logs that were collected last; 404 when none were (wire.md I)."""
    logs = _custom(call)["logs"]
    if not logs:
        raise refuse(404, "No logs were collected.")
    return _logs(logs[-1])


@serves("downloadCustomModelDeploymentLogById")
def download_log(call: Call) -> Answer:
    """Logs by their id."""
    for log in _custom(call)["logs"]:
        if log["id"] == call.arguments["logId"]:
            return _logs(log)
    raise refuse(404, f"Logs {call.arguments['logId']} not found.")


def _logs(log: Record) -> Answer:
    headers = {"Content-Disposition": f'attachment; filename="{log["id"]}.txt"'}
    return Answer(200, None, headers, "text/plain", raw=log["text"].encode())


def _custom(call: Call) -> Record:
    key = call.arguments["deploymentId"]
    found = call.service.store.get("customModelDeployments", key)
    if found is None or not _role(call, found):
        raise refuse(404, f"Deployment {key} not found.")
    return found


def _role(call: Call, deployment: Record) -> bool:
    return is_admin(call.user) or call.user["id"] in deployment["roles"]


@serves("getPortablePredictionServerImageMetadata", how="shaped")
def image_metadata(call: Call) -> Answer:
    """Name, size and checksum of the image."""
    path = _image(call)
    digest = model_files.image_sum(call.service)
    if call.service.lies("image_differs"):
        digest = digest[::-1]
    image_id = f"sha256:{digest}"
    return Answer(
        200,
        {
            "baseImageId": image_id,
            "created": model_files.IMAGE_MADE,
            "datarobotRuntimeImageTag": None,
            "dockerImageId": image_id,
            "filename": model_files.IMAGE,
            "hash": digest,
            "hashAlgorithm": "SHA256",
            "imageSize": path.stat().st_size,
            "shortDockerImageId": digest[:12],
        },
    )


@serves("downloadPortablePredictionServerImage", how="shaped")
def download_image(call: Call) -> Answer:
    """The image, or a redirect to a storage service (seed 003:998), by the switch ``image_delivery``."""
    path = _image(call)
    if call.service.switches["image_delivery"] == "redirect":
        return empty(302, Location=address(call.service, call.base_url, path))
    return _file(path, model_files.IMAGE, "application/gzip")


def _image(call: Call) -> Path:
    if call.service.switches["image_there"] == "no":  # seed 003:1012
        raise refuse(404, "No PPS images found in the system.")
    return model_files.image(call.service)


def _file(path: Path, name: str, kind: str) -> Answer:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": kind}
    return Answer(200, None, headers, kind, file=path)
