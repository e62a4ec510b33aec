"""Registered models that are there: change, share and archive them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider.api.errors import InvalidCall, NotFound
from airflow_provider.mlops import registry
from airflow_provider.operators.registered_models import model_named
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.run import Run

MOST_ROLES = 100  # the page of updateRegisteredModelSharedRoles


class DataRobotUpdateRegisteredModelOperator(DataRobotBaseOperator):
    """Sets name, description or visibility of a registered model; writes only what differs.

    :param registered_model_id: the registered model.
    :param name: the new name, at most 1,024 characters.
    :param description: at most 2,048 characters.
    :param is_global: whether everybody in the organisation may see it.

    What is None stays as it is. Returns ``registered_model_id`` and ``changed`` (what was written). Fails with
    ChangeNotSeen and the errors of the service. Operations: getRegisteredModel, updateRegisteredModel. Memory before
    Airflow 3.3: none is needed, the wanted values are compared first.
    """

    operation = "updateRegisteredModel"
    template_fields = (*DataRobotBaseOperator.template_fields, "registered_model_id", *registry.UPDATABLE)

    def __init__(
        self,
        *,
        registered_model_id: str,
        name: str | None = None,
        description: str | None = None,
        is_global: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.registered_model_id = registered_model_id
        self.name = name
        self.description = description
        self.is_global = is_global

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.registered_model_id = arguments.identifier("registered_model_id", self.registered_model_id)
        self._wanted: dict[str, Any] = {}
        if not arguments.unset(self.name):
            self._wanted["name"] = arguments.named("name", self.name, registry.NAME_LENGTH)
        if not arguments.unset(self.description):
            self._wanted["description"] = arguments.text("description", self.description, registry.DESCRIPTION_LENGTH)
        if not arguments.absent(self.is_global):
            self._wanted["isGlobal"] = arguments.flag("is_global", self.is_global)
        if not self._wanted and not self.extra_body:
            raise InvalidCall("give at least one of name, description and is_global")

    def identity(self) -> dict[str, Any]:
        """The registered model and the wanted values."""
        return {"registered_model_id": self.registered_model_id, **self._wanted}

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        differs = self._differs(run)
        if differs or self.extra_body:
            run.submit(
                self.operation,
                differs,
                stage="update",
                look=lambda: None if self._differs(run) else True,
                extra_body=self.extra_body,
                registeredModelId=self.registered_model_id,
            )
            left = self._differs(run)
            if left:
                raise registry.ChangeNotSeen(
                    f"registered model {self.registered_model_id} still has another {', '.join(left)}",
                    operation=self.operation,
                )
        return {"registered_model_id": self.registered_model_id, "changed": differs}

    def _differs(self, run: Run) -> dict[str, Any]:
        now = run.read("getRegisteredModel", registeredModelId=self.registered_model_id)
        return {name: value for name, value in self._wanted.items() if now.get(name) != value}


class DataRobotShareRegisteredModelOperator(DataRobotBaseOperator):
    """Gives roles on a registered model, and with it on its versions; writes only what differs.

    :param registered_model_id: the registered model; or
    :param registered_model_name: its exact name. Exactly one of the two.
    :param roles: ``[{"username" | "id", "role", "shareRecipientType"}]``: OWNER, USER or OBSERVER for a user (by name
        or id), a group or an organization (by id). NO_ROLE takes a role away (assumed). Roles of others stay.

    Returns ``registered_model_id`` and ``changed`` (the roles that were written). Fails with NotOne, ChangeNotSeen and
    the errors of the service (409 when no owner would remain). Operations: listRegisteredModels,
    listRegisteredModelSharedRoles, updateRegisteredModelSharedRoles. Memory before Airflow 3.3: none is needed, the
    wanted roles are compared first.
    """

    operation = "updateRegisteredModelSharedRoles"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "registered_model_id",
        "registered_model_name",
        "roles",
    )

    def __init__(
        self,
        *,
        roles: Sequence[Mapping[str, Any]],
        registered_model_id: str | None = None,
        registered_model_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.roles = roles
        self.registered_model_id = registered_model_id
        self.registered_model_name = registered_model_name

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.registered_model_id, self.registered_model_name = model_named(
            self.registered_model_id, self.registered_model_name
        )
        given: Any = self.roles
        good = isinstance(given, (list, tuple)) and all(isinstance(one, Mapping) for one in given)
        if not good or not 1 <= len(given) <= MOST_ROLES:
            raise InvalidCall(f"roles must be a list of 1 to {MOST_ROLES} objects, not {given!r}")
        self._grants = [registry.Grant.of(one) for one in given]

    def identity(self) -> dict[str, Any]:
        """The registered model and the wanted roles."""
        model = {"id": self.registered_model_id, "name": self.registered_model_name}
        return {"model": model, "roles": [one.body() for one in self._grants]}

    def start(self, run: Run) -> Step:
        """Writes the roles that are not held."""
        model_id = str(registry.model(run.client, self.registered_model_id, self.registered_model_name)["id"])
        missing = self._missing(run, model_id)
        if missing:
            run.submit(
                self.operation,
                {"operation": "updateRoles", "roles": missing},
                stage="share",
                look=lambda: None if self._missing(run, model_id) else True,
                extra_body=self.extra_body,
                registeredModelId=model_id,
            )
            left = self._missing(run, model_id)
            if left:
                raise registry.ChangeNotSeen(
                    f"registered model {model_id} was shared by word, and these roles are not there: {left}",
                    operation=self.operation,
                )
        return {"registered_model_id": model_id, "changed": missing}

    def _missing(self, run: Run, model_id: str) -> list[dict[str, str]]:
        held = list(registry.roles(run.client, model_id))
        return [one.body() for one in self._grants if not one.is_held(held)]


class DataRobotArchiveRegisteredModelOperator(DataRobotBaseOperator):
    """Archives a registered model with all its versions, or one version; for good. What is archived is a success.

    :param registered_model_id: the registered model; or
    :param model_package_id: one version. Exactly one of the two.

    Returns ``registered_model_id``, ``model_package_id`` and ``archived`` (whether this task did it). Fails with
    ChangeNotSeen and the errors of the service (a 409 while a deployment uses it, for example). Operations:
    getRegisteredModel, deleteRegisteredModel; getModelPackage, archiveModelPackage. Memory before Airflow 3.3: what is
    archived, or gone, was archived.
    """

    operation = "deleteRegisteredModel"
    template_fields = (*DataRobotBaseOperator.template_fields, "registered_model_id", "model_package_id")

    def __init__(
        self, *, registered_model_id: str | None = None, model_package_id: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.registered_model_id = registered_model_id
        self.model_package_id = model_package_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.registered_model_id = arguments.optional_identifier("registered_model_id", self.registered_model_id)
        self.model_package_id = arguments.optional_identifier("model_package_id", self.model_package_id)
        if (self.registered_model_id is None) == (self.model_package_id is None):
            given = "neither" if self.registered_model_id is None else "both"
            raise InvalidCall(f"give exactly one of registered_model_id and model_package_id, not {given}")

    def identity(self) -> dict[str, Any]:
        """What shall be archived."""
        return {"registered_model_id": self.registered_model_id, "model_package_id": self.model_package_id}

    def start(self, run: Run) -> Step:
        """Archives it, unless it is."""
        done = self._archived(run)
        if not done:
            self._archive(run)
            if not self._archived(run):
                raise registry.ChangeNotSeen("archived by word, and not in fact", operation=self.operation)
        return {**self.identity(), "archived": not done}

    def _archive(self, run: Run) -> None:
        def look() -> bool | None:
            return self._archived(run) or None

        if self.registered_model_id is not None:
            key = self.registered_model_id
            run.submit("deleteRegisteredModel", stage="archive", look=look, registeredModelId=key)
        else:
            run.submit("archiveModelPackage", stage="archive", look=look, modelPackageId=self.model_package_id)

    def _archived(self, run: Run) -> bool:
        try:
            if self.registered_model_id is not None:
                found = run.read("getRegisteredModel", registeredModelId=self.registered_model_id)
            else:
                found = run.read("getModelPackage", modelPackageId=self.model_package_id)
        except NotFound:
            return True
        return bool(found.get("isArchived"))
