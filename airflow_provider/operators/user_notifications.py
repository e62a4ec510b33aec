"""Notifications of the user whose token the connection has: list, mark as read, delete."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider.api.errors import InvalidCall, NotFound
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator, Step
from airflow_provider.tasks.reading import DataRobotBaseReadOperator
from airflow_provider.tasks.run import Run

if TYPE_CHECKING:
    from airflow_provider.api.client import Client


class DataRobotListUserNotificationsOperator(DataRobotBaseReadOperator):
    """Lists the notifications of the connection's user, newest first.

    :param is_read: only read (true) or unread (false) ones; None: all.
    :param limit: at most so many; the service keeps the last hundred, for a month.

    Returns the notifications as the service gives them: ``userNotificationId``, ``eventType``, ``title``, ``isRead``,
    ``created``, ``link``, ``relatedDeployment`` and others. Operation: listUserNotifications.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, "is_read", "limit")

    def __init__(self, *, is_read: bool | str | None = None, limit: int | str = 100, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_read = is_read
        self.limit = limit

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.is_read = None if arguments.absent(self.is_read) else arguments.flag("is_read", self.is_read)
        self.limit = arguments.whole("limit", self.limit, 1)

    def read(self, client: Client) -> list[dict[str, Any]]:
        """The notifications."""
        return list(itertools.islice(client.iterate("listUserNotifications", isRead=self.is_read), int(self.limit)))


class _UserNotificationsOperator(DataRobotBaseOperator):
    """Common to marking and deleting: which notifications."""

    for_all: ClassVar[str]  # the operation for all of them
    done: ClassVar[str]  # what the result calls those that were written

    template_fields = (*DataRobotBaseOperator.template_fields, "notification_ids", "everything")

    def __init__(
        self, *, notification_ids: Sequence[str] | str | None = None, everything: bool | str = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.notification_ids = notification_ids
        self.everything = everything

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.everything = arguments.flag("everything", self.everything)
        named = arguments.several("notification_ids", self.notification_ids)
        self._ids = [arguments.identifier("notification_ids", one) for one in named]
        if self.everything == bool(self._ids):
            raise InvalidCall("give notification_ids, or everything=True: one of the two")

    def identity(self) -> dict[str, Any]:
        """Which notifications."""
        return {"notification_ids": self._ids, "everything": self.everything}

    def start(self, run: Run) -> Step:
        """Writes what is not so yet."""
        left = self._left(run.client.iterate("listUserNotifications"))
        if self.everything:
            if left:
                run.submit(self.for_all, stage="all", look=None)
            return {self.done: left}
        written = [one for one in self._ids if one in left]
        for one in written:
            try:
                run.submit(self.operation, stage=one, look=None, userNotificationId=one)
            except NotFound:  # gone meanwhile, or by an earlier attempt
                self.log.info("User notification %s is gone.", one)
        return {self.done: written}

    def _left(self, listed: Any) -> list[str]:
        return [str(one["userNotificationId"]) for one in listed]


class DataRobotMarkUserNotificationsReadOperator(_UserNotificationsOperator):
    """Marks notifications of the connection's user as read; those that are read or gone are left alone.

    :param notification_ids: these; one id, a list, or ids with commas between. Or
    :param everything: all of them.

    Returns ``marked``: the ids of those that were unread. Fails with the errors of the service. Operations:
    listUserNotifications, markUserNotificationRead or markAllUserNotificationsRead. Memory before Airflow 3.3: the
    notifications are listed first.
    """

    operation = "markUserNotificationRead"
    for_all = "markAllUserNotificationsRead"
    done = "marked"

    def _left(self, listed: Any) -> list[str]:
        return super()._left(one for one in listed if not one.get("isRead"))


class DataRobotDeleteUserNotificationsOperator(_UserNotificationsOperator):
    """Deletes notifications of the connection's user; those that are gone are left alone.

    :param notification_ids: these; one id, a list, or ids with commas between. Or
    :param everything: all of them, those that come meanwhile too.

    Returns ``deleted``: the ids of those that were there. Fails with the errors of the service. Operations:
    listUserNotifications, deleteUserNotification or deleteAllUserNotifications. Memory before Airflow 3.3: the
    notifications are listed first.
    """

    operation = "deleteUserNotification"
    for_all = "deleteAllUserNotifications"
    done = "deleted"
