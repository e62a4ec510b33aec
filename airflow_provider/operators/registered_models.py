"""Registered models, found by what people call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops import registry
from airflow_provider.tasks import arguments
from airflow_provider.tasks.reading import DataRobotBaseReadOperator

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class DataRobotGetRegisteredModelOperator(DataRobotBaseReadOperator):
    """Finds a registered model, and a version of it, by what people call them; never "the first".

    :param registered_model_id: the registered model; or
    :param registered_model_name: its exact name. Exactly one of the two.
    :param stage: a version in this stage: Registered, Development, Staging, Production or Archived.
    :param version: the version of this number.
    :param version_name: the version of this exact name.
    :param pick: ``only``: several versions that fit are an error; ``newest``: the one with the highest number.

    Returns the registered model as the service gives it, and ``version``: of the version ``model_package_id``,
    ``registered_model_id``, ``version``, ``name``, ``model_id``, ``target``, ``target_type`` and ``build_status``; None
    where nothing was said of a version. Fails with NotOne, and with the errors of the service. Operations:
    getRegisteredModel or listRegisteredModels, listRegisteredModelVersions.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        "registered_model_id",
        "registered_model_name",
        "stage",
        "version",
        "version_name",
        "pick",
    )

    def __init__(
        self,
        *,
        registered_model_id: str | None = None,
        registered_model_name: str | None = None,
        stage: str | None = None,
        version: int | str | None = None,
        version_name: str | None = None,
        pick: str = "only",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.registered_model_id = registered_model_id
        self.registered_model_name = registered_model_name
        self.stage = stage
        self.version = version
        self.version_name = version_name
        self.pick = pick

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.registered_model_id, self.registered_model_name = model_named(
            self.registered_model_id, self.registered_model_name
        )
        self.pick = arguments.one_of("pick", self.pick, ("only", "newest"))
        self._wanted = registry.Wanted(
            number=None if arguments.absent(self.version) else arguments.whole("version", self.version, 1),
            name=arguments.optional_name("version_name", self.version_name, registry.NAME_LENGTH),
            stage=None if arguments.absent(self.stage) else arguments.one_of("stage", self.stage, registry.STAGES),
            newest=self.pick == "newest",
        )

    def read(self, client: Client) -> dict[str, Any]:
        """The registered model and the version."""
        found = registry.model(client, self.registered_model_id, self.registered_model_name)
        if self._wanted == registry.Wanted():
            return {**found, "version": None}
        return {**found, "version": registry.told(registry.version(client, str(found["id"]), self._wanted))}


def model_named(model_id: Any, name: Any) -> tuple[str | None, str | None]:
    """Id or name of a registered model, exactly one of them; InvalidCall otherwise."""
    key, called = arguments.optional_identifier("registered_model_id", model_id), None
    if not arguments.absent(name):
        called = arguments.named("registered_model_name", name, registry.NAME_LENGTH)
    if (key is None) == (called is None):
        given = "neither" if key is None else "both"
        raise InvalidCall(f"give exactly one of registered_model_id and registered_model_name, not {given}")
    return key, called
