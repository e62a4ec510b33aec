"""Asking whether a model fits a deployment, without replacing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider.mlops import replacement
from airflow_provider.tasks import arguments
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.reading import DataRobotBaseReadOperator

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class DataRobotValidateModelReplacementOperator(DataRobotBaseReadOperator):
    """Validates a replacement; fails with ReplacementRefused when it would be refused.

    :param deployment_id: the deployment.
    :param model_package_id: the model package that shall serve; or
    :param model_id: the model by its own id. Exactly one of the two.
    :param on_failing: ``fail``, or ``allow`` to get the result of a failing validation too.
    :param on_warning: ``fail`` or ``allow``.
    :param on_champion: ``fail``, or ``allow`` a model that is the champion already, for pipelines that are run again.

    Returns ``status`` (passing, warning, failing), ``message``, ``checks`` (every check with status and message) and
    ``champion`` (what serves now: model_package_id, model_id, name, deployed_at). A model that is the champion already
    fails the check ``notCurrentModel``. Fails with ReplacementRefused, which names each check that did not pass, and
    with the errors of the service. Operations: getDeployment, validateDeploymentModelReplacement.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        "deployment_id",
        "model_package_id",
        "model_id",
        "on_failing",
        "on_warning",
        "on_champion",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        model_package_id: str | None = None,
        model_id: str | None = None,
        on_failing: str = "fail",
        on_warning: str = "allow",
        on_champion: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.model_package_id = model_package_id
        self.model_id = model_id
        self.on_failing = on_failing
        self.on_warning = on_warning
        self.on_champion = on_champion

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self.on_failing = arguments.one_of("on_failing", self.on_failing, ("fail", "allow"))
        self.on_warning = arguments.one_of("on_warning", self.on_warning, ("fail", "allow"))
        self.on_champion = arguments.one_of("on_champion", self.on_champion, ("fail", "allow"))
        self._target = replacement.Target(
            arguments.optional_identifier("model_package_id", self.model_package_id),
            arguments.optional_identifier("model_id", self.model_id),
        )

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def read(self, client: Client) -> dict[str, Any]:
        """The validation, and the champion that it compares with."""
        champion = replacement.champion_of(client.call("getDeployment", deploymentId=self.deployment_id).json())
        validation = replacement.validate(client, self.deployment_id, self._target)
        serves = self._target.serves(champion)
        if self.on_failing == "fail" and not (serves and self.on_champion == "allow"):
            replacement.refuse_unfit(validation, self._target, self.on_warning)
        return {**validation, "champion": champion}
