"""Versions of registered models (model packages) that are there: change their name and description."""

from __future__ import annotations

from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops import registry
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.run import Run


class DataRobotUpdateModelPackageOperator(DataRobotBaseOperator):
    """Sets name or description of a model package, a version of a registered model; writes only what differs.

    Public clients know the operation, no page of the service does; which keys it takes is assumed.

    :param model_package_id: the version.
    :param name: the new name, at most 1,024 characters.
    :param description: at most 2,048 characters. It takes the place of the old one, with the mark of the task that
        registered the version, if there is one.

    What is None stays as it is. Returns ``model_package_id``, ``registered_model_id`` and ``changed`` (what was
    written). Fails with ChangeNotSeen and the errors of the service. Operations: getModelPackage,
    updateRegisteredModelVersion. Memory before Airflow 3.3: none is needed, the wanted values are compared first.
    """

    operation = "updateRegisteredModelVersion"
    template_fields = (*DataRobotBaseOperator.template_fields, "model_package_id", "name", "description")

    def __init__(
        self, *, model_package_id: str, name: str | None = None, description: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.model_package_id = model_package_id
        self.name = name
        self.description = description

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.model_package_id = arguments.identifier("model_package_id", self.model_package_id)
        self._wanted: dict[str, Any] = {}
        if not arguments.unset(self.name):
            self._wanted["name"] = arguments.named("name", self.name, registry.NAME_LENGTH)
        if not arguments.unset(self.description):
            self._wanted["description"] = arguments.text("description", self.description, registry.DESCRIPTION_LENGTH)
        if not self._wanted and not self.extra_body:
            raise InvalidCall("give at least one of name and description")

    def identity(self) -> dict[str, Any]:
        """The version and the wanted values."""
        return {"model_package_id": self.model_package_id, **self._wanted}

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        differs, model_id = self._compared(run)
        if differs or self.extra_body:
            run.submit(
                self.operation,
                differs,
                stage="update",
                look=lambda: None if self._compared(run)[0] else True,
                extra_body=self.extra_body,
                registeredModelId=model_id,
                versionId=self.model_package_id,
            )
            left, _ = self._compared(run)
            if left:
                raise registry.ChangeNotSeen(
                    f"model package {self.model_package_id} still has another {', '.join(left)}",
                    operation=self.operation,
                )
        return {"model_package_id": self.model_package_id, "registered_model_id": model_id, "changed": differs}

    def _compared(self, run: Run) -> tuple[dict[str, Any], str]:
        """What the version has not as wanted, and the id of its registered model."""
        package = run.read("getModelPackage", modelPackageId=self.model_package_id)
        described = (package.get("modelDescription") or {}).get("description") or ""
        now = {"name": package.get("name"), "description": described}
        model_id = package.get("registeredModelId")
        if not model_id:
            raise InvalidCall(f"model package {self.model_package_id} belongs to no registered model")
        return {name: value for name, value in self._wanted.items() if now[name] != value}, str(model_id)
