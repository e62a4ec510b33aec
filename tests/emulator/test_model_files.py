"""Scoring code, model package files, logs of custom models, the Portable Prediction Server image."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from urllib.parse import urlsplit

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import UNGOVERNED, replace, taken
from tests.emulator.visit_registry import CUSTOM_DEPLOYMENT

CODE = f"deployments/{UNGOVERNED}/scoringCode/"
BUILDS = f"deployments/{UNGOVERNED}/scoringCodeBuilds/"
IMAGE = "mlops/portablePredictionServerImage/"
LOGS = f"customModelDeployments/{CUSTOM_DEPLOYMENT}/logs/"


def described(answer: httpx.Response) -> dict[str, object]:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        found: dict[str, object] = json.loads(archive.read("model.json"))
    return found


def test_scoring_code_of_the_champion(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 002:6651: application/java-archive, as an attachment."""
    answer = requester.get(CODE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/java-archive"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert described(answer)["model"] == "64a100000000000000000002"
    assert requester.get(CODE).content == answer.content
    replace(requester)
    emulator.advance(21)
    assert described(requester.get(CODE))["model"] == "64a100000000000000000003"


def test_source_code_cannot_have_an_agent(requester: httpx.Client) -> None:
    with zipfile.ZipFile(io.BytesIO(requester.get(f"{CODE}?sourceCode=True").content)) as archive:
        assert "Score.java" in archive.namelist()
    assert requester.get(f"{CODE}?sourceCode=True&includeAgent=True").status_code == 422


@pytest.mark.parametrize(("value", "status"), [("refuse_404", 404), ("refuse_422", 422)])
def test_extras_are_there_after_their_build(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    emulator.switches(scoring_code_missing=value)
    wanted = f"{CODE}?includeAgent=true&includePe=true"
    assert requester.get(wanted).status_code == status
    assert requester.get(f"deployments/{UNGOVERNED}/modelPackageFile/").status_code == status
    body = {"includeAgent": True, "includePredictionExplanations": True}
    answer = requester.post(BUILDS, json=body)
    assert requester.get(wanted).status_code == status
    emulator.advance(16)
    ended = requester.get(answer.headers["Location"])
    assert ended.status_code == 303
    assert described(requester.get(ended.headers["Location"]))["includePredictionExplanations"] is True
    assert requester.get(wanted).status_code == 200


@pytest.mark.parametrize(
    ("value", "status", "location"),
    [("location_202", 202, True), ("location_200", 200, True), ("empty_200", 200, False)],
)
def test_what_a_build_is_answered_with(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int, location: bool
) -> None:
    emulator.switches(scoring_code_build_answer=value)
    answer = requester.post(BUILDS, json={})
    assert (answer.status_code, "Location" in answer.headers, answer.content) == (status, location, b"")


def test_what_has_no_scoring_code(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.change("packages", "64d000000000000000000002", modelExecutionType="external")
    assert requester.get(CODE).status_code == 404
    assert requester.post(BUILDS, json={}).status_code == 422


def test_the_model_package_file(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md A.4: a build with a Location to the file."""
    answer = requester.post(f"deployments/{UNGOVERNED}/modelPackageFileBuilds/")
    assert answer.status_code == 202
    emulator.advance(16)
    ended = requester.get(answer.headers["Location"])
    assert zipfile.is_zipfile(io.BytesIO(requester.get(ended.headers["Location"]).content))


def test_logs_of_a_custom_model(emulator: EmulatorDoor, requester: httpx.Client, outsider: httpx.Client) -> None:
    """wire.md I and A.4: 404 before the first, 202 and a Location, then text."""
    assert requester.get(LOGS).status_code == 404
    answer = requester.post(LOGS)
    assert (answer.status_code, set(answer.json())) == (202, {"statusId"})
    emulator.advance(6)
    ended = requester.get(answer.headers["Location"])
    text = requester.get(ended.headers["Location"])
    assert text.headers["Content-Type"].startswith("text/plain")
    assert "Churn rules" in text.text
    assert requester.get(LOGS).text == text.text
    assert requester.get(f"{LOGS}{'0' * 24}/").status_code == 404
    assert outsider.get(LOGS).status_code == 404


def test_deployments_of_custom_models(requester: httpx.Client, outsider: httpx.Client) -> None:
    [one] = taken(requester.get("customModelDeployments/"))["data"]
    assert (one["id"], one["label"]) == (CUSTOM_DEPLOYMENT, "Churn rules")
    assert "logs" not in one
    for query, found in (("customModelIds=64a700000000000000000001", 1), (f"environmentIds={'0' * 24}", 0)):
        assert taken(requester.get(f"customModelDeployments/?{query}"))["totalCount"] == found
    assert taken(outsider.get("customModelDeployments/"))["totalCount"] == 0


# --- the image ----------------------------------------------------------------------------------------------------


def test_the_image_is_what_its_metadata_say(requester: httpx.Client) -> None:
    """Seed 003:1003-1040."""
    told = taken(requester.get(f"{IMAGE}metadata/"))
    image = requester.get(IMAGE).content
    assert (told["imageSize"], told["hashAlgorithm"]) == (len(image), "SHA256")
    assert told["hash"] == hashlib.sha256(image).hexdigest()
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(image))) as archive:
        assert archive.getnames() == ["manifest.json", "config.json", "layer.tar"]


@pytest.mark.parametrize(("value", "status"), [("yes", 200), ("no", 404)])
def test_an_installation_without_an_image(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int
) -> None:
    emulator.switches(image_there=value)
    assert requester.get(IMAGE).status_code == requester.get(f"{IMAGE}metadata/").status_code == status


@pytest.mark.parametrize(("value", "status"), [("direct", 200), ("redirect", 302)])
def test_how_the_image_is_delivered(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(image_delivery=value)
    assert requester.get(IMAGE).status_code == status


def test_the_storage_is_another_origin_and_takes_no_token(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.switches(image_delivery="redirect")
    target = requester.get(IMAGE).headers["Location"]
    assert urlsplit(target).netloc != urlsplit(str(requester.base_url)).netloc
    plain = httpx.get(target, trust_env=False)
    assert hashlib.sha256(plain.content).hexdigest() == taken(requester.get(f"{IMAGE}metadata/"))["hash"]
    assert httpx.get(target, trust_env=False, headers={"Authorization": "Bearer x"}).status_code == 400
    assert httpx.get(target.partition("?")[0], trust_env=False).status_code == 403
    part = httpx.get(target, trust_env=False, headers={"Range": "bytes=100-"})
    assert (part.status_code, part.content) == (206, plain.content[100:])
    beyond = httpx.get(target, trust_env=False, headers={"Range": f"bytes={len(plain.content)}-"})
    assert beyond.status_code == 416


def test_the_lie_image_differs(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.lie("image_differs")
    assert taken(requester.get(f"{IMAGE}metadata/"))["hash"] != hashlib.sha256(requester.get(IMAGE).content).hexdigest()
