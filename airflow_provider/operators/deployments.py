"""Deployments: look one up, select many, change label, description and importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.mlops.naming import NotOne
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


class TooMany(DataRobotError):
    """A filter selects more than the author meant."""


class ChangeNotSeen(DataRobotError):
    """The service accepted a change, and the deployment is as before."""


class DataRobotGetDeploymentOperator(DataRobotBaseReadOperator):
    """Reads one deployment by its id or by its label.

    :param deployment_id: the id; or
    :param deployment_label: the exact label, which must name exactly one deployment. Exactly one of the two.

    Returns the deployment as the service gives it, and ``champion`` (model_package_id, model_id, name, deployed_at).
    Put it upstream of a replacement to keep the previous champion for a rollback. Fails with NotOne, and with the
    errors of the service. Operations: getDeployment, listDeployments.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, "deployment_id", "deployment_label")

    def __init__(self, *, deployment_id: str | None = None, deployment_label: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.deployment_label = deployment_label

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.optional_identifier("deployment_id", self.deployment_id)
        self.deployment_label = None if arguments.absent(self.deployment_label) else str(self.deployment_label)
        if (self.deployment_id is None) == (self.deployment_label is None):
            given = "neither" if self.deployment_id is None else "both"
            raise InvalidCall(f"give exactly one of deployment_id and deployment_label, not {given}")

    def read(self, client: Client) -> dict[str, Any]:
        """The deployment and its champion."""
        deployment_id = self.deployment_id or self._named(client)
        self.web_link = deployment_url(client.settings.web_url, deployment_id)
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

    Words may be given as one word, as a list, or as a text with commas between them.

    :param search: text that label or description must hold.
    :param importance: CRITICAL, HIGH, MODERATE, LOW.
    :param service_health: failing, not_started, passing, unavailable, unknown, warning; ``model_health`` and
        ``accuracy_health`` likewise.
    :param status: active, archived, errored, inactive, launching, replacingModel, stopping.
    :param tags: deployments that have every one of these tags (name: value; None: any value), or that as JSON text.
    :param most: fail when more are found than this; a filter that is wider than thought is noticed.
    :param fields: which fields of each deployment to return; ``["id"]`` gives plain ids.

    Returns a list, by id: plain ids for ``fields=["id"]``, else an object with the fields each. Fails with TooMany, and
    with the errors of the service. Operation: listDeployments.
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
        tags: Mapping[str, str | None] | str | None = None,
        most: int | str = 1000,
        fields: str | Sequence[str] = ("id", "label", "importance", "status"),
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
        self._tags = arguments.mapping("tags", self.tags) or {}
        self.most = arguments.whole("most", self.most, 0)
        self.fields = arguments.several("fields", self.fields)
        if not self.fields:
            raise InvalidCall("fields must name at least one field of a deployment")
        words = {
            "importance": arguments.some_of("importance", self.importance, IMPORTANCES),
            "serviceHealth": arguments.some_of("service_health", self.service_health, HEALTHS),
            "modelHealth": arguments.some_of("model_health", self.model_health, HEALTHS),
            "accuracyHealth": arguments.some_of("accuracy_health", self.accuracy_health, HEALTHS),
            "status": arguments.some_of("status", self.status, STATUSES),
            "tagKeys": list(self._tags),
        }
        self._filters: dict[str, Any] = {name: chosen for name, chosen in words.items() if chosen}
        if not arguments.absent(self.search):
            self._filters["search"] = str(self.search)

    def read(self, client: Client) -> list[Any]:
        """The selected deployments."""
        most = int(self.most)
        listed = client.iterate("listDeployments", limit=PAGE, offset=0, **self._filters)
        found = list(islice((one for one in listed if self._tagged(one)), most + 1))
        if len(found) > most:
            raise TooMany(f"more than most={most} deployments are selected: narrow the filters or raise most")
        found.sort(key=lambda one: str(one["id"]))
        if self.fields == ["id"]:
            return [one["id"] for one in found]
        return [{name: one.get(name) for name in self.fields} for one in found]

    def _tagged(self, deployment: Mapping[str, Any]) -> bool:
        """The service matches any of the tags; every one of them is asked for here."""
        has = {tag.get("name"): tag.get("value") for tag in deployment.get("tags") or ()}
        return all(name in has and value in (None, has[name]) for name, value in self._tags.items())


class DataRobotUpdateDeploymentOperator(DataRobotBaseOperator):
    """Sets label, description or importance of a deployment; writes only what differs.

    :param deployment_id: the deployment.
    :param deployment_label: the new label, at most 512 characters.
    :param description: at most 10,000 characters.
    :param importance: CRITICAL, HIGH, MODERATE or LOW. A policy may gate this change; then use a change request.

    What is None stays as it is; ``extra_body`` is written each time. Returns ``deployment_id`` and ``changed`` (what
    was written). Fails with ChangeNotSeen when the service accepts the change and makes it wait for an approval, and
    with the errors of the service. Operations: getDeployment, updateDeployment. Memory before Airflow 3.3: none is
    needed, the wanted values are compared first.
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
        if not arguments.unset(self.deployment_label):
            self._wanted["label"] = arguments.named("deployment_label", self.deployment_label, 512)
        if not arguments.unset(self.description):
            self._wanted["description"] = arguments.text("description", self.description, 10_000)
        if not arguments.unset(self.importance):
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
        differs, _ = self._compared(run)
        if differs or self.extra_body:
            run.submit(
                "updateDeployment",
                differs,
                stage="update",
                look=lambda: None if self._compared(run)[0] else True,
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
            self._refuse_unseen(run)
        return {"deployment_id": self.deployment_id, "changed": differs}

    def _refuse_unseen(self, run: Run) -> None:
        left, deployment = self._compared(run)
        if left:
            waiting = deployment.get("openedChangeRequests") or ["none is open"]
            raise ChangeNotSeen(
                f"the service accepted the change, and deployment {self.deployment_id} still has another "
                f"{', '.join(left)}; change requests on it: {', '.join(waiting)}"
            )

    def _compared(self, run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the deployment has not as wanted, and the deployment."""
        deployment = run.read("getDeployment", deploymentId=self.deployment_id)
        return {name: value for name, value in self._wanted.items() if deployment.get(name) != value}, deployment
