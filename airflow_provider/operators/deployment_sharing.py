"""Sharing of deployments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.mlops.settable import SettingsNotSeen
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.links import deployment_url
from airflow_provider.tasks.run import Run

ROLES = ("OWNER", "USER", "CONSUMER", "NO_ROLE")
KINDS = ("user", "group", "organization")
PAGE = {"offset": 0, "limit": 100}


class DataRobotShareDeploymentOperator(DataRobotBaseOperator):
    """Gives people roles on a deployment, or takes them away; writes only what differs.

    :param deployment_id: the deployment.
    :param roles: a list of ``{"username": "ann@example.com", "role": "USER"}`` or ``{"id": ..., "role": ...,
        "share_recipient_type": "group"}``. Roles are OWNER, USER, CONSUMER, and NO_ROLE to take one away; kinds are
        user (default), group and organization. Roles of others stay.

    Returns ``deployment_id``, ``changed`` (the roles that were written) and ``roles`` (all of them now, as ``id``,
    ``name``, ``role`` and ``share_recipient_type``). Fails with Conflict when no owner would remain, SettingsNotSeen
    (done by word, not in fact) and the errors of the service. Operations: listDeploymentSharedRoles,
    updateDeploymentSharedRoles. Memory before Airflow 3.3: none is needed, the wanted roles are compared first.
    """

    operation = "updateDeploymentSharedRoles"
    template_fields = (*DataRobotBaseOperator.template_fields, "deployment_id", "roles")

    def __init__(self, *, deployment_id: str, roles: Iterable[Mapping[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.roles = roles

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.deployment_id = arguments.identifier("deployment_id", self.deployment_id)
        if isinstance(self.roles, (str, Mapping)) or not isinstance(self.roles, Iterable):
            raise InvalidCall(f"roles must be a list of mappings, not {type(self.roles).__name__}")
        self._wanted = [_checked(number, dict(one)) for number, one in enumerate(self.roles)]
        if not self._wanted:
            raise InvalidCall("roles must name at least one user, group or organization")

    def identity(self) -> dict[str, Any]:
        """The deployment and the wanted roles."""
        return {"deployment_id": self.deployment_id, "roles": self._wanted}

    def link(self, web_url: str) -> str | None:
        """The deployment's page."""
        return deployment_url(web_url, self.deployment_id)

    def start(self, run: Run) -> Step:
        """Writes the roles that differ."""
        differs = self._differing(run)
        if differs:
            run.submit(
                self.operation,
                {"operation": "updateRoles", "roles": differs},
                stage="share",
                look=lambda: None if self._differing(run) else True,
                extra_body=self.extra_body,
                deploymentId=self.deployment_id,
            )
            if self._differing(run):
                raise SettingsNotSeen(
                    f"the service accepted the roles, and deployment {self.deployment_id} has others",
                    operation=self.operation,
                )
        return {"deployment_id": self.deployment_id, "changed": differs, "roles": self._shown(run)}

    def _differing(self, run: Run) -> list[dict[str, str]]:
        held = self._held(run)
        return [one for one in self._wanted if _role_in(held, one) != one["role"]]

    def _held(self, run: Run) -> list[dict[str, Any]]:
        return list(run.client.iterate("listDeploymentSharedRoles", deploymentId=self.deployment_id, **PAGE))

    def _shown(self, run: Run) -> list[dict[str, Any]]:
        return [
            {
                "id": one.get("id"),
                "name": one.get("name"),
                "role": one.get("role"),
                "share_recipient_type": one.get("shareRecipientType"),
            }
            for one in self._held(run)
        ]


def _checked(number: int, one: dict[str, str]) -> dict[str, str]:
    where = f"roles[{number}]"
    unknown = set(one) - {"id", "username", "role", "share_recipient_type"}
    if unknown or ("id" in one) == ("username" in one):
        raise InvalidCall(f"{where} must have role, one of id and username, and perhaps share_recipient_type: {one!r}")
    kind = arguments.one_of(f"{where}.share_recipient_type", one.get("share_recipient_type", "user"), KINDS)
    if kind != "user" and "username" in one:
        raise InvalidCall(f"{where}: a {kind} is named by its id")
    name = "id" if "id" in one else "username"
    recipient = arguments.named(f"{where}.{name}", one[name], 512)
    role = arguments.one_of(f"{where}.role", one.get("role"), ROLES)
    return {name: recipient, "role": role, "shareRecipientType": kind}


def _role_in(held: list[dict[str, Any]], wanted: Mapping[str, str]) -> str:
    """The role that somebody has now; NO_ROLE for none."""
    for one in held:
        same = one.get("id") == wanted["id"] if "id" in wanted else one.get("name") == wanted["username"]
        if same and one.get("shareRecipientType") == wanted["shareRecipientType"]:
            return str(one.get("role"))
    return "NO_ROLE"
