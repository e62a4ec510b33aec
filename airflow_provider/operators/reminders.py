"""Reminding reviewers of change requests that are about to lapse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.mlops.lapsing import lapsing
from airflow_provider.tasks import arguments, callbacks
from airflow_provider.tasks.reading import DataRobotBaseReadOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider.api.client import Client

MONTH = timedelta(days=30)


class DataRobotRemindReviewersOperator(DataRobotBaseReadOperator):
    """Calls callbacks for each change request that nobody has decided and that lapses soon; for a DAG of its own.

    :param deployment_id: only requests on this deployment; None: on all that the user sees.
    :param lapse_after: seconds or a timedelta after which an open request lapses: the ``timeout`` of the task that
        waits for it (a replacement: 30 days, the default here), or the period of the policy's automatic action.
    :param within: seconds or a timedelta: what is soon. A request is told of at each run until it is decided.
    :param mine: only requests that the connection's user has opened.
    :param on_lapsing: a callback or several (functions, notifiers), called once a request with ``change_request`` in
        their context: ``id``, ``link``, ``approvals_required``, ``lapses_at``, ``hours_left`` (negative when it has
        lapsed) and more. One that fails is logged.

    Returns the requests, the next to lapse first, each as the callbacks get it. Fails with the errors of the service.
    Operations: getVersion (its clock), listChangeRequests.
    """

    template_fields = (*DataRobotBaseReadOperator.template_fields, "deployment_id", "lapse_after", "within", "mine")

    def __init__(
        self,
        *,
        deployment_id: str | None = None,
        lapse_after: float | timedelta | str = MONTH,
        within: float | timedelta | str = timedelta(days=1),
        mine: bool | str = True,
        on_lapsing: callbacks.Callbacks = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.lapse_after = lapse_after
        self.within = within
        self.mine = mine
        self.on_lapsing = on_lapsing
        self._context: Mapping[str, Any] = {}

    def introduce(self, context: Context) -> None:
        """Notes what callbacks are given."""
        super().introduce(context)
        self._context = context

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        self.deployment_id = arguments.optional_identifier("deployment_id", self.deployment_id)
        self.mine = arguments.flag("mine", self.mine)
        self._after, self._soon = (
            timedelta(seconds=arguments.seconds(name, value) or 0.0)
            for name, value in (("lapse_after", self.lapse_after), ("within", self.within))
        )
        self._callbacks = callbacks.listed("on_lapsing", self.on_lapsing)

    def read(self, client: Client) -> list[dict[str, Any]]:
        """The requests, after everybody was told of them."""
        found = lapsing(client, self.deployment_id, mine=bool(self.mine), after=self._after, within=self._soon)
        told = []
        for one in found:
            about = callbacks.request_for_people(one.entity, client.settings.web_url)
            about |= {"lapses_at": one.lapses_at, "hours_left": round(one.left / 3600, 1)}
            callbacks.tell(self._callbacks, self._context, self.log, change_request=about)  # type: ignore[arg-type]
            told.append(about)
        return told
