"""Approval policies: create, update and delete them, and ask which one applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, InvalidCall, KeyMissing
from airflow_provider.api.messages import prepare
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.deleting import delete
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.run import Run

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

NAME_LENGTH = 50  # seed 000:856
ENTITY_TYPES = ("deployment", "deploymentModel", "deploymentConfig", "deploymentStatus", "deploymentMonitoringData")
VERBS = ("create", "update", "delete")


class SameName(DataRobotError):
    """Another policy has the name that was meant to name one."""


class _PolicyOperator(DataRobotBaseOperator):
    """Common to creating and updating: the policy itself."""

    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "name",
        "trigger",
        "review",
        "automatic_action",
        "active",
    )

    def __init__(
        self,
        *,
        name: str,
        trigger: Mapping[str, Any] | str,
        review: Mapping[str, Any] | str | None = None,
        automatic_action: Mapping[str, Any] | str | None = None,
        active: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.trigger = trigger
        self.review = review
        self.automatic_action = automatic_action
        self.active = active

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.name = arguments.named("name", self.name, NAME_LENGTH)
        self._policy = {
            "name": self.name,
            "active": arguments.flag("active", self.active),
            "trigger": arguments.mapping("trigger", self.trigger),
            "review": arguments.mapping("review", self.review),
            "automaticAction": arguments.mapping("automatic_action", self.automatic_action),
        }
        if self._policy["trigger"] is None:
            raise InvalidCall('trigger is needed: {"entityType": ..., "intendedAction": {"action": ...}}')
        # The bodies of creating and of updating are one and the same.
        prepare("createApprovalPolicy", {}, self._policy, self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The whole policy."""
        return dict(self._policy)

    def _differs(self, policy: Mapping[str, Any]) -> list[str]:
        """Fields of a policy that are not as wanted; what the service adds inside them does not matter."""
        return [name for name, value in self._policy.items() if not _holds(policy.get(name), value)]

    def _named(self, run: Run) -> dict[str, Any] | None:
        listed = run.client.iterate("listApprovalPolicies", namePart=self.name)
        found = [policy for policy in listed if policy.get("name") == self.name]
        if len(found) > 1:
            raise SameName(
                f"{len(found)} approval policies have the name {self.name!r}: {[one['id'] for one in found]}"
            )
        return found[0] if found else None


class DataRobotCreateApprovalPolicyOperator(_PolicyOperator):
    """Creates an approval policy, or takes the one of this name when it is equal.

    :param name: at most 50 characters; names the policy for another attempt too.
    :param trigger: ``{"entityType", "intendedAction": {"action", "condition"}, "filterGroups"}``.
    :param review: ``{"groups": [{"id"}], "reminderPeriod"}``; None: the administrators review.
    :param automatic_action: ``{"action": "cancel" | "approve", "period": ISO duration}``.
    :param active: a policy that is not active gates nothing.

    Returns ``policy_id``, ``name`` and ``created``. Fails with SameName when a policy of this name differs (update it
    instead), Forbidden when the user may not manage policies, and the other errors of the service. Operations:
    listApprovalPolicies, createApprovalPolicy. Memory before Airflow 3.3: the name.
    """

    operation = "createApprovalPolicy"

    def start(self, run: Run) -> Step:
        """Creates what is missing."""
        known = self._named(run)
        if known is not None:
            differing = self._differs(known)
            if differing:
                raise SameName(f"approval policy {known['id']} has the name {self.name!r} and another {differing}")
            return {"policy_id": known["id"], "name": self.name, "created": False}
        sent = run.submit(
            "createApprovalPolicy",
            self._policy,
            stage="create",
            look=lambda: self._named(run),
            extra_body=self.extra_body,
        )
        made = (sent.answer.json() if sent.answer is not None else sent.found) or self._named(run)
        if made is None:
            raise KeyMissing(
                "accepted, and neither the answer nor a list has the policy", operation="createApprovalPolicy"
            )
        return {"policy_id": made["id"], "name": self.name, "created": True}


class DataRobotUpdateApprovalPolicyOperator(_PolicyOperator):
    """Sets an approval policy to the given content; writes only when it differs.

    :param policy_id: the policy; the other arguments are those of creating one.

    Returns ``policy_id``, ``name`` and ``changed`` (the fields that differed). With ``extra_body`` it writes each time.
    Fails with Forbidden when the user may not manage policies, and the other errors of the service. Operations:
    getApprovalPolicy, updateApprovalPolicy. Memory before Airflow 3.3: the wanted content is compared first.
    """

    operation = "updateApprovalPolicy"
    template_fields = (*_PolicyOperator.template_fields, "policy_id")

    def __init__(self, *, policy_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.policy_id = policy_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.policy_id = arguments.identifier("policy_id", self.policy_id)

    def identity(self) -> dict[str, Any]:
        """The id and the whole policy."""
        return {"policy_id": self.policy_id, **super().identity()}

    def start(self, run: Run) -> Step:
        """Writes when something differs."""
        differing = self._differing(run)
        if differing or self.extra_body:
            run.submit(
                "updateApprovalPolicy",
                self._policy,
                stage="update",
                look=lambda: None if self._differing(run) else True,
                extra_body=self.extra_body,
                approvalPolicyId=self.policy_id,
            )
        return {"policy_id": self.policy_id, "name": self.name, "changed": differing}

    def _differing(self, run: Run) -> list[str]:
        return self._differs(run.read("getApprovalPolicy", approvalPolicyId=self.policy_id))


class DataRobotDeleteApprovalPolicyOperator(DataRobotBaseOperator):
    """Deletes an approval policy; one that is gone is a success without a write.

    Deleting a policy applies its automatic action to the requests that are open under it.

    :param policy_id: the policy.

    Returns ``policy_id``, ``deleted`` and ``open_requests`` (how many were open under it). Fails with Forbidden when
    the user may not manage policies, and the other errors of the service. Operations: getApprovalPolicy,
    deleteApprovalPolicy. Memory before Airflow 3.3: a policy that is gone was deleted.
    """

    operation = "deleteApprovalPolicy"
    template_fields = (*DataRobotBaseOperator.template_fields, "policy_id")

    def __init__(self, *, policy_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.policy_id = policy_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.policy_id = arguments.identifier("policy_id", self.policy_id)

    def identity(self) -> dict[str, Any]:
        """The policy."""
        return {"policy_id": self.policy_id}

    def start(self, run: Run) -> Step:
        """Deletes what is there."""
        where = {"approvalPolicyId": self.policy_id}
        policy = delete(run, self.operation, lambda: run.read("getApprovalPolicy", **where), **where)
        requests = 0 if policy is None else policy.get("openRequests")
        return {"policy_id": self.policy_id, "deleted": policy is not None, "open_requests": requests}


class DataRobotMatchApprovalPolicyOperator(DataRobotBaseReadOperator):
    """Asks which approval policy gates an action.

    :param entity_type: deployment, deploymentModel, deploymentConfig, deploymentStatus or deploymentMonitoringData.
    :param action: create, update or delete.
    :param field_name: a field that the policy's condition names (``importance``), with
    :param field_value: its value.

    Returns ``policy_id`` (None when nothing gates the action) and ``query`` (what was asked). The answer depends on the
    caller's groups. Fails with Forbidden when the user may not ask about policies. Operation: getApprovalPolicyMatch.
    """

    template_fields = (
        *DataRobotBaseReadOperator.template_fields,
        "entity_type",
        "action",
        "field_name",
        "field_value",
    )

    def __init__(
        self,
        *,
        entity_type: str,
        action: str,
        field_name: str | None = None,
        field_value: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entity_type = entity_type
        self.action = action
        self.field_name = field_name
        self.field_value = field_value

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.entity_type = arguments.one_of("entity_type", self.entity_type, ENTITY_TYPES)
        self.action = arguments.one_of("action", self.action, VERBS)
        self._field = {
            name: str(value)
            for name, value in (("fieldName", self.field_name), ("fieldValue", self.field_value))
            if not arguments.absent(value)
        }
        if len(self._field) == 1:
            raise InvalidCall(f"give both field_name and field_value, or neither, not {self._field} alone")

    def read(self, client: Client) -> dict[str, Any]:
        """The policy's id, and what was asked."""
        query: dict[str, Any] = {"entityType": self.entity_type, "action": self.action, **self._field}
        return {"policy_id": client.call("getApprovalPolicyMatch", **query).json().get("policyId"), "query": query}


def _holds(theirs: Any, wanted: Any) -> bool:
    """Whether everything that is wanted stands in what the service has; words match in any of their spellings."""
    if isinstance(wanted, Mapping):
        return isinstance(theirs, Mapping) and all(_holds(theirs.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)):
        same_length = isinstance(theirs, (list, tuple)) and len(theirs) == len(wanted)
        return same_length and all(_holds(a, b) for a, b in zip(theirs, wanted, strict=True))
    if isinstance(wanted, str) and isinstance(theirs, str):
        return theirs.replace("_", "").lower() == wanted.replace("_", "").lower()
    return bool(theirs == wanted)
