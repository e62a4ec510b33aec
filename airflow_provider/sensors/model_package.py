"""Waiting until a model package is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.waits import EntityWait, Wait
from airflow_provider.mlops import registry
from airflow_provider.tasks import arguments
from airflow_provider.tasks.sensing import DataRobotBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client


class DataRobotModelPackageSensor(DataRobotBaseSensor):
    """Waits until a model package (a version of a registered model) is built; fails when its build fails.

    :param model_package_id: the model package.

    Returns ``model_package_id``, ``registered_model_id``, ``version``, ``name``, ``model_id``, ``target``,
    ``target_type`` and ``build_status`` (None where the service tells of no build: that counts as built). Fails when
    the build failed, when there is no such package, and after ``timeout``. Operation: getModelPackage.
    """

    template_fields = (*DataRobotBaseSensor.template_fields, "model_package_id")

    def __init__(self, *, model_package_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model_package_id = model_package_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.model_package_id = arguments.identifier("model_package_id", self.model_package_id)

    def identity(self) -> dict[str, Any]:
        """The package."""
        return {"model_package_id": self.model_package_id}

    def wait(self, client: Client) -> Wait:
        """The build of the package."""
        return EntityWait(f"modelPackages/{self.model_package_id}/", "package")

    def answer(self, context: Context, client: Client, result: dict[str, Any]) -> dict[str, Any]:
        """What the package is."""
        return registry.told(result["entity"])
