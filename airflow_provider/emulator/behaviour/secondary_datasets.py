"""Which secondary datasets a deployment joins to what it scores: one configuration at a time, and those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.emulator.answers import invalid, refuse

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record


def current(service: Service, deployment: Record) -> Record:
    """The configuration in use; 404 when the deployment has none."""
    config = service.store.get("secondaryDatasetConfigs", deployment.get("secondaryDatasetConfigId"))
    if config is None:
        raise refuse(404, f"Deployment {deployment['id']} has no secondary dataset configuration.")
    return config


def view(deployment: Record, config: Record) -> Record:
    """The configuration as the page shows it, with the credentials given for it."""
    shown = {name: value for name, value in config.items() if name != "id"}
    credentials = deployment.get("secondaryDatasetCredentials") or []
    return {**shown, "secondaryDatasetConfigId": config["id"], "credentialIds": credentials}


def fitting(service: Service, config_id: str) -> Record:
    """The configuration of this id; 422 when there is none."""
    config = service.store.get("secondaryDatasetConfigs", config_id)
    if config is None or config["isDeleted"]:
        raise invalid([f"no such secondary dataset configuration {config_id} @ $.secondaryDatasetConfigId"])
    return config


def put(service: Service, deployment: Record, config: Record, credentials: list[Record]) -> None:
    """Use this configuration from now on."""
    used = {
        "configId": config["id"],
        "configName": config["name"],
        "updated": service.clock.iso(),
        "username": service.store.actor or "",
    }
    changes = {
        "secondaryDatasetConfigId": config["id"],
        "secondaryDatasetCredentials": credentials,
        "secondaryDatasetHistory": [*history(deployment), used],
    }
    service.store.change("deployments", deployment["id"], changes, "secondaryDatasetsChanged")


def history(deployment: Record) -> list[Record]:
    """The configurations that were used, oldest first."""
    return list(deployment.get("secondaryDatasetHistory") or ())
