"""Notification policies: create or get by name, update, delete; and mutes, which except an entity from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import InvalidCall
from airflow_provider.api.messages import prepare
from airflow_provider.mlops import notifications
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.deleting import delete
from airflow_provider.tasks.run import Run


class _PolicyOperator(DataRobotBaseOperator):
    """Common to creating and updating: the policy itself."""

    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "name",
        "channel_id",
        "event_type",
        "event_group",
        "active",
    )

    def __init__(
        self,
        *,
        name: str | None = None,
        channel_id: str | None = None,
        event_type: str | None = None,
        event_group: str | None = None,
        active: bool | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.channel_id = channel_id
        self.event_type = event_type
        self.event_group = event_group
        self.active = active

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        if not arguments.absent(self.event_type) and not arguments.absent(self.event_group):
            raise InvalidCall("give event_type or event_group, not both")
        given = {"name": self.name, "eventType": self.event_type, "eventGroup": self.event_group}
        self._wanted: dict[str, Any] = {
            name: str(value).strip() for name, value in given.items() if not arguments.absent(value)
        }
        if not arguments.absent(self.channel_id):
            self._wanted["channelId"] = arguments.identifier("channel_id", self.channel_id)
        if not arguments.absent(self.active):
            self._wanted["active"] = arguments.flag("active", self.active)

    def _write_difference(self, run: Run, policy: Mapping[str, Any]) -> list[str]:
        """Writes what differs, in one PUT with everything else as it is; the names of what was written."""
        differs = list(self._left(policy))
        if not differs and not self.extra_body:
            return []
        policy_id = str(policy["id"])
        body = notifications.whole(notifications.POLICY_FIELDS, self._complete(), policy)
        run.submit(
            "updateNotificationPolicy",
            {name: value for name, value in body.items() if value is not None},
            stage="update",
            look=lambda: None if self._left(self._policy(run, policy_id)) else True,
            extra_body=self.extra_body,
            id=policy_id,
            policyId=policy_id,
        )
        notifications.refuse_unkept("policy", self._complete(), self._policy(run, policy_id))
        return differs

    def _left(self, policy: Mapping[str, Any]) -> tuple[str, ...]:
        return notifications.difference(self._complete(), policy).fields

    def _complete(self) -> dict[str, Any]:
        """What is wanted, and that an event excludes a group: one of the two goes when the other comes."""
        others = {"eventType": "eventGroup", "eventGroup": "eventType"}
        return {**self._wanted, **{other: None for name, other in others.items() if name in self._wanted}}

    @staticmethod
    def _policy(run: Run, policy_id: str) -> dict[str, Any]:
        return run.read("getNotificationPolicy", policyId=policy_id)


class DataRobotCreateNotificationPolicyOperator(_PolicyOperator):
    """Makes sure that a notification policy of this name is there and as wanted: creates it, or writes what differs.

    :param name: at most 100 characters; by it the policy is found again, by another attempt too.
    :param channel_id: the channel that carries the notifications.
    :param event_type: the event that triggers it, ``management.deploymentInfo`` for example; or
    :param event_group: a group of events, ``model_deployments.all`` for example. Exactly one of the two;
        listNotificationEvents tells all of them.
    :param active: a policy that is not active notifies nobody.
    :param org_id: the organisation that the policy is made for.

    Returns ``policy_id``, ``name``, ``created`` and ``changed`` (names of the fields that were written to a policy that
    was there). Fails with SameName (several policies have the name), NotKept, and the errors of the service.
    Operations: listNotificationPolicies, createNotificationPolicy, getNotificationPolicy, updateNotificationPolicy.
    Memory before Airflow 3.3: the name.
    """

    operation = "createNotificationPolicy"
    template_fields = (*_PolicyOperator.template_fields, "org_id")

    def __init__(
        self, *, name: str, channel_id: str, active: bool | str = True, org_id: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, channel_id=channel_id, active=active, **kwargs)
        self.org_id = org_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.name = self._wanted["name"] = arguments.named("name", self.name, notifications.NAME_LENGTH)
        self._wanted["channelId"] = arguments.identifier("channel_id", self.channel_id)
        if not {"eventType", "eventGroup"} & set(self._wanted):
            raise InvalidCall("give event_type or event_group: a policy without an event notifies nobody")
        org_id = arguments.optional_identifier("org_id", self.org_id)
        self._body = {**self._wanted, **({} if org_id is None else {"orgId": org_id})}
        prepare(self.operation, {}, self._body, self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The whole policy."""
        return dict(self._body)

    def start(self, run: Run) -> Step:
        """Creates what is missing, or writes what differs."""
        name = str(self.name)
        known = notifications.policy_named(run.client, name)
        if known is not None:
            changed = self._write_difference(run, known)
            return {"policy_id": known["id"], "name": name, "created": False, "changed": changed}
        sent = run.submit(
            self.operation,
            self._body,
            stage="create",
            look=lambda: notifications.policy_named(run.client, name),
            extra_body=self.extra_body,
        )
        made = sent.answer.object() if sent.answer is not None else sent.found
        return {"policy_id": made["id"], "name": name, "created": True, "changed": []}


class DataRobotUpdateNotificationPolicyOperator(_PolicyOperator):
    """Sets fields of a notification policy; writes only when something differs.

    :param policy_id: the policy; the other arguments are those of creating one, and stay as they are when not given.
        A new ``event_type`` takes the place of a group, and the other way round.

    Returns ``policy_id`` and ``changed`` (names of the fields that were written). Fails with NotKept, NotFound and the
    other errors of the service. Operations: getNotificationPolicy, updateNotificationPolicy. Memory before Airflow 3.3:
    the wanted values are compared first.
    """

    operation = "updateNotificationPolicy"
    template_fields = (*_PolicyOperator.template_fields, "policy_id")

    def __init__(self, *, policy_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.policy_id = policy_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.policy_id = arguments.identifier("policy_id", self.policy_id)
        if not self._wanted and not self.extra_body:
            raise InvalidCall("give at least one field that the policy shall have")
        prepare(self.operation, {"policyId": self.policy_id}, self._wanted, self.extra_body)

    def identity(self) -> dict[str, Any]:
        """The policy and the wanted values."""
        return {"policy_id": self.policy_id, **self._wanted}

    def start(self, run: Run) -> Step:
        """Writes what differs."""
        return {
            "policy_id": self.policy_id,
            "changed": self._write_difference(run, self._policy(run, self.policy_id)),
        }


class DataRobotDeleteNotificationPolicyOperator(DataRobotBaseOperator):
    """Deletes a notification policy; one that is gone is a success without a write.

    :param policy_id: the policy.

    Returns ``policy_id`` and ``deleted``. Fails with the errors of the service. Operations: getNotificationPolicy,
    deleteNotificationPolicy. Memory before Airflow 3.3: a policy that is gone was deleted.
    """

    operation = "deleteNotificationPolicy"
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
        where = {"policyId": self.policy_id}
        policy = delete(run, self.operation, lambda: run.read("getNotificationPolicy", **where), **where)
        return {"policy_id": self.policy_id, "deleted": policy is not None}
