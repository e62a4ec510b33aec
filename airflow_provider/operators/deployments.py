"""Deployments: look one up, select many, change label, description and importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.mlops.replacement import champion_of
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.run import Run

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

IMPORTANCES = ("CRITICAL", "HIGH", "MODERATE", "LOW")
HEALTHS = ("failing", "not_started", "passing", "unavailable", "unknown", "warning")
STATUSES = ("active", "archived", "errored", "inactive", "launching", "replacingModel", "stopping")
PAGE = 100  # listDeployments: at most 100 a page


class NotOne(DataRobotError):
    """A label names no deployment, or more than one."""


class DataRobotGetDeploymentOperator(DataRobotBaseReadOperator):
    """Reads one deployment by its id or by its label.

    :param deployment_id: the id; or
    :param deployment_label: the exact label, which must name exactly one deployment. Exactly one of the two.

    Returns the deployment as the service gives it, and ``champion`` (model_package_id, model_id, name, deployed_at).
    Put it upstream of a replacement to keep the previous champion for a rollback. Operations: getDeployment,
    listDeployments.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, "deployment_id", "deployment_label")

    def __init__(self, *, deployment_id: str | None = None, deployment_label: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.deployment_label = deployment_label

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.optional_identifier("deployment_id", self.deployment_id)
        if bool(self.deployment_id) == bool(self.deployment_label):
            raise InvalidCall("give exactly one of deployment_id and deployment_label")

    def link(self, web_url: str) -> str | None:
        """The deployment's page, when its id is known beforehand."""
        return deployment_url(web_url, self.deployment_id) if self.deployment_id else None

    def read(self, client: Client) -> dict[str, Any]:
        """The deployment and its champion."""
        deployment_id = self.deployment_id or self._named(client)
        deployment = client.call("getDeployment", deploymentId=deployment_id).json()
        return {**deployment, "champion": champion_of(deployment)}

    def _named(self, client: Client) -> str:
        found = [
            one["id"]
            for one in client.iterate("listDeployments", search=self.deployment_label, limit=PAGE, offset=0)
            if one.get("label") == self.deployment_label
        ]
        if len(found) != 1:
            raise NotOne(
                f"{len(found)} deployments have the label {self.deployment_label!r}: {', '.join(found) or 'none'}"
            )
        return str(found[0])


class DataRobotListDeploymentsOperator(DataRobotBaseReadOperator):
    """Selects deployments, for ``.expand()`` over them.

    :param search: text that label or description must hold.
    :param importance: one importance or several (CRITICAL, HIGH, MODERATE, LOW).
    :param service_health: one health or several (failing, not_started, passing, unavailable, unknown, warning);
        ``model_health`` and ``accuracy_health`` likewise.
    :param status: one status or several.
    :param tags: deployments that have every one of these tags (name: value; None: any value).
    :param most: fail when more are found than this; a filter that is wider than thought is noticed.
    :param fields: which fields of each deployment to return; ``["id"]`` gives plain ids.

    Returns a list: plain ids for ``fields=["id"]``, else an object with the fields each, in a stable order (by id).
    Operation: listDeployments.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        "search",
        "importance",
        "service_health",
        "model_health",
        "accuracy_health",
        "status",
        "tags",
        "most",
        "fields",
    )

    def __init__(
        self,
        *,
        search: str | None = None,
        importance: str | Sequence[str] | None = None,
        service_health: str | Sequence[str] | None = None,
        model_health: str | Sequence[str] | None = None,
        accuracy_health: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        tags: Mapping[str, str | None] | None = None,
        most: int | str = 1000,
        fields: Sequence[str] = ("id", "label", "importance", "status"),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.search = search
        self.importance = importance
        self.service_health = service_health
        self.model_health = model_health
        self.accuracy_health = accuracy_health
        self.status = status
        self.tags = tags
        self.most = most
        self.fields = fields

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.tags = arguments.mapping("tags", self.tags)
        self.most = int(arguments.seconds("most", self.most) or 0)
        self._filters: dict[str, Any] = {"search": self.search or None}
        allowed = {
            "importance": (self.importance, IMPORTANCES),
            "serviceHealth": (self.service_health, HEALTHS),
            "modelHealth": (self.model_health, HEALTHS),
            "accuracyHealth": (self.accuracy_health, HEALTHS),
            "status": (self.status, STATUSES),
        }
        for name, (value, words) in allowed.items():
            several = [value] if isinstance(value, str) else list(value or ())
            self._filters[name] = [arguments.one_of(name, one, words) for one in several] or None
        if self.tags:
            self._filters["tagKeys"] = list(self.tags)

    def read(self, client: Client) -> list[Any]:
        """The selected deployments."""
        filters = {name: value for name, value in self._filters.items() if value is not None}
        listed = client.iterate("listDeployments", limit=PAGE, offset=0, **filters)
        found = list(islice((one for one in listed if self._tagged(one)), int(self.most) + 1))
        if len(found) > int(self.most):
            raise InvalidCall(f"more than most={self.most} deployments are selected: narrow the filters or raise most")
        found.sort(key=lambda one: str(one["id"]))
        if list(self.fields) == ["id"]:
            return [one["id"] for one in found]
        return [{name: one.get(name) for name in self.fields} for one in found]

    def _tagged(self, deployment: Mapping[str, Any]) -> bool:
        """The service matches any of the tags; every one of them is asked for here."""
        has = {tag.get("name"): tag.get("value") for tag in deployment.get("tags") or ()}
        return all(name in has and value in (None, has[name]) for name, value in (self.tags or {}).items())


class DataRobotUpdateDeploymentOperator(DataRobotBaseOperator):
    """Sets label, description or importance of a deployment; writes only what differs.

    :param deployment_id: the deployment.
    :param deployment_label: the new label, at most 512 characters.
    :param description: at most 10,000 characters.
    :param importance: CRITICAL, HIGH, MODERATE or LOW. A policy may gate this change; then use a change request.

    Returns ``deployment_id`` and ``changed`` (what was written). Operations: getDeployment, updateDeployment.
    Memory before Airflow 3.3: none is needed, the wanted values are compared first.
    """

    operation = "updateDeployment"
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "deployment_id",
        "deployment_label",
        "description",
        "importance",
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        deployment_label: str | None = None,
        description: str | None = None,
        importance: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.deployment_label = deployment_label
        self.description = description
        self.importance = importance

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        self._wanted: dict[str, Any] = {}
        if self.deployment_label is not None:
            self._wanted["label"] = arguments.text("deployment_label", self.deployment_label, 512)
        if self.description is not None:
            self._wanted["description"] = arguments.text("description", self.description, 10_000)
        if self.importance is not None:
            self._wanted["importance"] = arguments.one_of("importance", self.importance, IMPORTANCES)
        if not self._wanted and not self.extra_body:
            raise InvalidCall("give at least one of deployment_label, description and importance")

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted values."""
        return {"deployment_id": self.deployment_id, **self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        differs = self._differs(run)
        if differs or self.extra_body:
            run.submit(
                "updateDeployment",
                differs,
                stage="update",
                look=lambda: None if self._differs(run) else True,
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
        return {"deployment_id": self.deployment_id, "changed": differs}

    def _differs(self, run: Run) -> dict[str, Any]:
        deployment = run.read("getDeployment", deploymentId=self.deployment_id)
        return {name: value for name, value in self._wanted.items() if deployment.get(name) != value}
