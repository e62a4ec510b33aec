"""Mutes: a notification policy that keeps silent about one deployment for a while."""

from __future__ import annotations

from typing import Any

from airflow_provider.mlops import notifications
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.run import Run


class _MuteOperator(DataRobotBaseOperator):
    """Common to both: the policy and what it is silent about."""

    template_fields = (*DataRobotBaseOperator.template_fields, "policy_id", "entity_id")

    def __init__(self, *, policy_id: str, entity_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.policy_id = policy_id
        self.entity_id = entity_id

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.policy_id = arguments.identifier("policy_id", self.policy_id)
        self.entity_id = arguments.identifier("entity_id", self.entity_id)

    def identity(self) -> dict[str, Any]:
        """The policy and the entity."""
        return {"policy_id": self.policy_id, "entity_id": self.entity_id}

    def _mutes(self, run: Run) -> list[dict[str, Any]]:
        return notifications.mute_of(run.client, self.policy_id, self.entity_id)


class DataRobotMuteNotificationPolicyOperator(_MuteOperator):
    """Makes a notification policy silent about one entity; a mute that is there is a success without a write.

    :param policy_id: the policy.
    :param entity_id: the deployment, or whatever else the policy is about.

    Returns ``mute_id``, ``policy_id``, ``entity_id`` and ``created``. Fails with NotFound (no such policy) and the
    other errors of the service. Operations: listNotificationPolicyMutes, createNotificationPolicyMute. Memory before
    Airflow 3.3: the mutes are listed first.
    """

    operation = "createNotificationPolicyMute"

    def start(self, run: Run) -> Step:
        """Mutes what is not muted."""
        there = self._mutes(run)
        if there:
            return {"mute_id": there[0]["id"], **self.identity(), "created": False}
        sent = run.submit(
            self.operation,
            {"policyId": self.policy_id, "entityId": self.entity_id},
            stage="mute",
            look=lambda: next(iter(self._mutes(run)), None),
            extra_body=self.extra_body,
        )
        made = sent.answer.object() if sent.answer is not None else sent.found
        return {"mute_id": made["id"], **self.identity(), "created": True}


class DataRobotUnmuteNotificationPolicyOperator(_MuteOperator):
    """Takes away every mute of a notification policy for one entity; none is a success without a write.

    :param policy_id: the policy.
    :param entity_id: the deployment, or whatever else the policy is about.

    Returns ``policy_id``, ``entity_id`` and ``deleted`` (the ids of the mutes that were there). Fails with the errors
    of the service. Operations: listNotificationPolicyMutes, deleteNotificationPolicyMute. Memory before Airflow 3.3:
    the mutes are listed first.
    """

    operation = "deleteNotificationPolicyMute"

    def start(self, run: Run) -> Step:
        """Unmutes one mute after another."""
        deleted = []
        for one in self._mutes(run):
            mute_id = str(one["id"])
            run.submit(
                self.operation,
                stage="unmute",
                look=lambda mute_id=mute_id: None if self._is_there(run, mute_id) else True,  # type: ignore[misc]
                muteId=mute_id,
            )
            deleted.append(mute_id)
        return {**self.identity(), "deleted": deleted}

    def _is_there(self, run: Run, mute_id: str) -> bool:
        return any(one["id"] == mute_id for one in self._mutes(run))
