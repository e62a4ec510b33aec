"""Model packages and registered models: list and read (seed 004)."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import CANDIDATE, CHAMPION, CHURN, DOUBTFUL, GOVERNED, MISFIT, taken

HOUSES = "64c000000000000000000002"


def names(answer: httpx.Response) -> list[str]:
    return [one["name"] for one in taken(answer)["data"]]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 9),
        ("?modelId=64a100000000000000000003", 1),
        (f"?similarTo={CANDIDATE}", 8),
        (f"?similarTo={MISFIT}&forChallenger=true", 1),
        ("?search=regressor", 1),
        ("?search=keras", 1),
        ("?buildStatus=failed", 0),
        ("?modelKind=isTimeSeries", 0),
        ("?predictionThreshold=0.5", 9),
    ],
)
def test_filters_of_model_packages(requester: httpx.Client, query: str, count: int) -> None:
    """Seed 004:22-30."""
    assert requester.get(f"modelPackages/{query}").json()["totalCount"] == count


def test_archived_packages_are_not_listed(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.change("packages", CANDIDATE, isArchived=True)
    assert requester.get("modelPackages/").json()["totalCount"] == 8
    assert taken(requester.get(f"modelPackages/{CANDIDATE}/"))["isArchived"] is True


def test_a_package_names_its_registered_model_and_version(requester: httpx.Client) -> None:
    """wire.md I: the pages' version schema lacks registeredModelId and registeredModelVersion: add them."""
    package = taken(requester.get(f"modelPackages/{CANDIDATE}/"))
    assert (package["registeredModelId"], package["registeredModelVersion"]) == (CHURN, 3)
    assert package["target"]["classNames"] == ["yes", "no"]


def test_a_package_counts_its_active_deployments(requester: httpx.Client) -> None:
    assert taken(requester.get(f"modelPackages/{CHAMPION}/"))["activeDeploymentCount"] == 1
    assert taken(requester.get(f"modelPackages/{DOUBTFUL}/"))["activeDeploymentCount"] == 0


def test_capabilities_of_a_package(requester: httpx.Client) -> None:
    data = taken(requester.get(f"modelPackages/{CHAMPION}/capabilities/"))["data"]
    assert {"name": "supportsRetraining", "supported": True, "messages": []} in data


@pytest.mark.parametrize(
    "path",
    [
        "modelPackages/{0}/",
        "modelPackages/{0}/capabilities/",
        "registeredModels/{0}/",
        "registeredModels/{0}/versions/",
    ],
)
def test_unknown_ids_are_404(requester: httpx.Client, path: str) -> None:
    assert requester.get(path.format("0" * 24)).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sortKey=name&sortDirection=desc", ["House price regressor", "Doctor visits", "Churn classifier"]),
        ("sortKey=createdAt", ["Churn classifier", "Doctor visits", "House price regressor"]),
        ("search=house", ["House price regressor"]),
        ("targetName=churned", ["Churn classifier"]),
        ("targetType=Regression", ["House price regressor"]),
        (f"compatibleWithModelPackageId={CANDIDATE}&sortKey=name", ["Churn classifier", "Doctor visits"]),
        ("isGlobal=True", []),
        ("createdBy=requester@example.com&search=churn", ["Churn classifier"]),
        ("createdAtStartTs=2025-02-01T00:00:00Z&sortKey=name", ["Doctor visits", "House price regressor"]),
        ("createdAtEndTs=2025-02-01T00:00:00Z", ["Churn classifier"]),
        ("modifiedAtStartTs=2025-04-01T00:00:00Z", ["Churn classifier"]),
        ("modifiedAtEndTs=2025-04-01T00:00:00Z&sortKey=name", ["Doctor visits", "House price regressor"]),
    ],
)
def test_filters_of_registered_models(requester: httpx.Client, query: str, found: list[str]) -> None:
    """Seed 004:590-615."""
    assert names(requester.get(f"registeredModels/?{query}")) == found


def test_a_registered_model_never_has_a_null_description(requester: httpx.Client) -> None:
    """wire.md I and K.1: description null or missing breaks a client; send ""."""
    model = taken(requester.get(f"registeredModels/{HOUSES}/"))
    assert (model["description"], model["lastVersionNum"]) == ("", 1)


def test_versions_of_a_registered_model(requester: httpx.Client) -> None:
    answer = requester.get(f"registeredModels/{CHURN}/versions/?sortKey=version&sortDirection=desc")
    assert names(answer) == [f"Churn classifier v{number}" for number in (5, 4, 3, 2, 1)]
    by_type = names(requester.get(f"registeredModels/{CHURN}/versions/?sortKey=modelType"))
    assert by_type[0] == "Churn classifier v1"  # Elastic-Net Classifier
    assert names(requester.get(f"registeredModels/{CHURN}/versions/?search=keras")) == ["Churn classifier v5"]
    assert names(requester.get(f"registeredModels/{CHURN}/versions/?compatibleWithModelPackageId={MISFIT}")) == []


def test_one_version_by_the_id_of_its_package(requester: httpx.Client) -> None:
    version = taken(requester.get(f"registeredModels/{CHURN}/versions/{CANDIDATE}/"))
    assert version["registeredModelVersion"] == 3
    assert requester.get(f"registeredModels/{HOUSES}/versions/{CANDIDATE}/").status_code == 404


def test_deployments_of_a_registered_model(requester: httpx.Client, outsider: httpx.Client) -> None:
    path = f"registeredModels/{CHURN}/deployments/"
    labels = [one["label"] for one in taken(requester.get(f"{path}?sortKey=label"))["data"]]
    assert labels == ["Churn, governed", "Churn, ungoverned"]
    assert taken(requester.get(f"{path}?search=ungoverned"))["totalCount"] == 1
    assert taken(outsider.get(path))["totalCount"] == 0


def test_deployments_of_a_version(requester: httpx.Client) -> None:
    data = taken(requester.get(f"registeredModels/{CHURN}/versions/{CHAMPION}/deployments/"))["data"]
    assert [(one["id"], one["currentlyDeployed"], one["registeredModelVersion"]) for one in data] == [
        (GOVERNED, True, 1)
    ]
