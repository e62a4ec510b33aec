"""The fields of a retraining policy as arguments of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.mlops.retraining import PROMISES
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator
from airflow_provider.tasks.links import deployment_url

NAME_LENGTH, DESCRIPTION_LENGTH = 500, 10_000
ACTIONS = tuple(PROMISES)
# our argument: the service's field
WORDS = {
    "feature_list_strategy": "featureListStrategy",
    "model_selection_strategy": "modelSelectionStrategy",
    "project_options_strategy": "projectOptionsStrategy",
}
OBJECTS = {
    "trigger": "trigger",
    "autopilot_options": "autopilotOptions",
    "project_options": "projectOptions",
    "time_series_options": "timeSeriesOptions",
}
FIELDS = ("name", "action", "description", *WORDS, *OBJECTS)


class PolicyFieldsOperator(DataRobotBaseOperator):
    """Common to both operators that write the fields of a policy."""

    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", *FIELDS)

    def __init__(
        self,
        *,
        deployment_id: str,
        name: str | None = None,
        action: str | None = None,
        description: str | None = None,
        feature_list_strategy: str | None = None,
        model_selection_strategy: str | None = None,
        project_options_strategy: str | None = None,
        trigger: Mapping[str, Any] | None = None,
        autopilot_options: Mapping[str, Any] | None = None,
        project_options: Mapping[str, Any] | None = None,
        time_series_options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.name = name
        self.action = action
        self.description = description
        self.feature_list_strategy = feature_list_strategy
        self.model_selection_strategy = model_selection_strategy
        self.project_options_strategy = project_options_strategy
        self.trigger = trigger
        self.autopilot_options = autopilot_options
        self.project_options = project_options
        self.time_series_options = time_series_options

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._wanted: dict[str, Any] = {}
        if not arguments.absent(self.name):
            self._wanted["name"] = arguments.named("name", self.name, NAME_LENGTH)
        if not arguments.absent(self.action):
            self._wanted["action"] = arguments.one_of("action", self.action, ACTIONS)
        if not arguments.unset(self.description):
            self._wanted["description"] = arguments.text("description", self.description, DESCRIPTION_LENGTH)
        for argument, field in WORDS.items():
            if not arguments.absent(getattr(self, argument)):
                self._wanted[field] = arguments.named(argument, getattr(self, argument), NAME_LENGTH)
        for argument, field in OBJECTS.items():
            found = arguments.mapping(argument, getattr(self, argument))
            if found is not None:
                self._wanted[field] = found

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted values."""
        return {"deployment_id": self.deployment_id, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def result(self, found: Mapping[str, Any], changed: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """The policy in the words of both results."""
        return {
            "deployment_id": self.deployment_id,
            "policy_id": found["id"],
            "name": found.get("name"),
            "action": found.get("action"),
            **more,
            "changed": changed,
        }
