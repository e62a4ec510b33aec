"""Runtime parameters of a deployment (public preview)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.settable import SettingsNotSeen
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Run


class DataRobotUpdateRuntimeParametersOperator(DataRobotBaseOperator):
    """Sets runtime parameters of a deployment; writes only what differs. The deployment may have to be inactive.

    :param deployment_id: the deployment.
    :param values: value by name of the parameter, ``{"THRESHOLD": 0.3}``; None puts one back to its default. Types are
        those that the model declares; a text, as templates give it, is read as that type.

    Returns ``deployment_id``, ``changed`` (the values that were written) and ``values`` (all of them now, as texts).
    Fails with InvalidCall (a name or value that does not fit what the model declares), SettingsNotSeen (done by word,
    not in fact) and the errors of the service. Operations: listDeploymentRuntimeParameters,
    replaceDeploymentRuntimeParameters. Memory before Airflow 3.3: none is needed, the wanted values are compared first.
    """

    operation = "replaceDeploymentRuntimeParameters"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "values")

    def __init__(self, *, deployment_id: str, values: Mapping[str, Any] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.values = values

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._wanted = arguments.mapping("values", self.values) or {}
        if not self._wanted:
            raise InvalidCall('values must name at least one parameter, as in {"THRESHOLD": 0.3}')

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted values."""
        return {"deployment_id": self.deployment_id, "values": self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes the values that differ."""
        differs = self._differing(run)
        if differs:
            run.submit(
                self.operation,
                {"runtimeParameterValues": json.dumps(differs)},  # one text, wire.md E
                stage="values",
                look=lambda: None if self._differing(run) else True,
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
            if self._differing(run):
                raise SettingsNotSeen(
                    f"the service accepted the values, and deployment {self.deployment_id} has others",
                    operation=self.operation,
                )
        changed = {one["fieldName"]: one["value"] for one in differs}
        values = {name: one.get("currentValue") for name, one in self._declared(run).items()}
        return {"deployment_id": self.deployment_id, "changed": changed, "values": values}

    def _declared(self, run: Run) -> dict[str, dict[str, Any]]:
        listed = run.client.iterate("listDeploymentRuntimeParameters", deploymentId=self.deployment_id, orderBy="name")
        return {str(one.get("fieldName")): one for one in listed}

    def _differing(self, run: Run) -> list[dict[str, Any]]:
        declared = self._declared(run)
        unknown = [name for name in self._wanted if name not in declared]
        if unknown:
            raise InvalidCall(
                f"deployment {self.deployment_id} has no runtime parameter {', '.join(unknown)}; "
                f"it has {', '.join(sorted(declared)) or 'none'}"
            )
        found = []
        for name, value in self._wanted.items():
            kind = str(declared[name].get("type"))
            wanted = None if value is None else _typed(name, value, kind)
            now = declared[name].get("overrideValue") or None
            if (None if wanted is None else _text(wanted)) != now:
                found.append({"fieldName": name, "type": kind, "value": wanted})
        return found


def _typed(name: str, value: Any, kind: str) -> Any:
    if kind == "boolean":
        return arguments.flag(f"values[{name!r}]", value)
    if kind == "numeric":
        return arguments.number(f"values[{name!r}]", value)
    return str(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
