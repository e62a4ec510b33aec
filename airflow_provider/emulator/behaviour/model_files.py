"""Files that a model is carried away in: scoring code, model package files, the Portable Prediction Server image.

They are small, real archives: a JAR and an ``.mlpkg`` are zip files, the image is a gzipped tar as ``docker save``
writes it. The same model and options always give the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider.emulator.jobs import WORKS, JobFails, Work, nothing, start

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

OPTIONS = ("includeAgent", "includePredictionExplanations", "includePredictionIntervals")
IMAGE = "datarobot-portable-prediction-api-11.1.0.tar.gz"
IMAGE_MADE = "2025-05-20T08:00:00.000000Z"
LAYER = 400_000  # bytes of the image's only layer, which no compression makes smaller


def champion(service: Service, deployment: Record) -> Record:
    """The package that serves a deployment."""
    return service.store.tables["packages"][deployment["modelPackageId"]]


def build_of(package: Record, options: Mapping[str, bool]) -> str:
    """The name of a build: a model with some options."""
    chosen = [name for name in OPTIONS if options.get(name)]
    return "-".join([str(package["modelId"]), *chosen])


def start_build(service: Service, deployment: Record, options: Mapping[str, bool]) -> Record:
    """The job that builds scoring code; it points to the file (wire.md A.4)."""
    query = "&".join(f"{name}=true" for name in OPTIONS if options.get(name))
    location = f"deployments/{deployment['id']}/scoringCode/{'?' if query else ''}{query}"
    build = build_of(champion(service, deployment), options)
    return start(service, "scoringCodeBuild", "buildFile", _noted(deployment, "scoringCodeBuilds", build), location)


def start_package_file(service: Service, deployment: Record) -> Record:
    """The job that writes the model package file; it points to the file (wire.md A.4)."""
    arguments = _noted(deployment, "packageFileBuilds", str(deployment["modelPackageId"]))
    location = f"deployments/{deployment['id']}/modelPackageFile/"
    return start(service, "modelPackageFileBuild", "buildFile", arguments, location)


def _noted(deployment: Record, table: str, build: str) -> Record:
    return {"deploymentId": deployment["id"], "table": table, "build": build}


def _end_build(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    deployment = service.store.get("deployments", arguments["deploymentId"])
    if deployment is None:
        raise JobFails("The deployment was deleted meanwhile.")
    known = deployment.get(arguments["table"], [])
    builds = [*known, *([] if arguments["build"] in known else [arguments["build"]])]
    service.store.change("deployments", deployment["id"], {arguments["table"]: builds}, "modelFileBuilt")


WORKS["buildFile"] = Work(_end_build, nothing)


def jar(service: Service, package: Record, options: Mapping[str, bool], *, source: bool) -> Path:
    """Scoring code of a model: what runs, or what can be read."""
    name = f"{build_of(package, options)}{'-source' if source else ''}.jar"
    described = {"model": package["modelId"], "name": package["modelName"], **{one: options[one] for one in OPTIONS}}
    files = {
        "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n" + ("" if source else "Main-Class: com.example.Score\n"),
        "model.json": json.dumps(described, sort_keys=True),
    }
    files["Score.java" if source else "com/example/Score.class"] = f"// {package['modelName']}\n"
    return _kept(service, name, lambda: _zipped(files))


def package_file(service: Service, package: Record) -> Path:
    """The ``.mlpkg`` of a package."""
    described = {name: package[name] for name in ("id", "modelId", "name", "target")}
    files = {"manifest.json": json.dumps(described, sort_keys=True)}
    return _kept(service, f"{package['id']}.mlpkg", lambda: _zipped(files))


def image(service: Service) -> Path:
    """The image of the Portable Prediction Server."""
    return _kept(service, IMAGE, _image)


def image_sum(service: Service) -> str:
    """The SHA-256 of the image."""
    return hashlib.sha256(image(service).read_bytes()).hexdigest()


def _kept(service: Service, name: str, made: Callable[[], bytes]) -> Path:
    path = service.files.path(name)
    if not path.exists():
        path.write_bytes(made())
    return path


def _zipped(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def _image() -> bytes:
    layer = random.Random(11).randbytes(LAYER)  # noqa: S311 - bytes that are always the same
    manifest = [{"Config": "config.json", "RepoTags": ["datarobot/pps:11.1.0"], "Layers": ["layer.tar"]}]
    files = {"manifest.json": json.dumps(manifest).encode(), "config.json": b"{}", "layer.tar": layer}
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def start_logs(service: Service, deployment: Record) -> Record:
    """The job that collects the logs of a custom model's deployment; it points to them (wire.md A.4)."""
    log_id = f"{len(deployment['logs']) + 1:024x}"
    location = f"customModelDeployments/{deployment['id']}/logs/{log_id}/"
    arguments = {"deploymentId": deployment["id"], "logId": log_id}
    return start(service, "customModelLogs", "collectLogs", arguments, location)


def _collect(service: Service, job: Record) -> None:
    arguments = job["arguments"]
    deployment = service.store.tables["customModelDeployments"][arguments["deploymentId"]]
    text = f"{service.clock.iso()} INFO model server of {deployment['label']} is up\n"
    logs = [*deployment["logs"], {"id": arguments["logId"], "text": text}]
    service.store.change("customModelDeployments", deployment["id"], {"logs": logs}, "logsCollected")


WORKS["collectLogs"] = Work(_collect, nothing)
