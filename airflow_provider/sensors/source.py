"""Waiting for a file that somebody else still has to write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseSensorOperator, PokeReturnValue

from airflow_provider.mlops.rows import SourceAbsent
from airflow_provider.tasks import arguments, files
from airflow_provider.tasks.outcomes import translated

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class DataRobotSourceSensor(BaseSensorOperator):
    """Waits until a file is there, at any path or URL that Airflow's object storage knows.

    Put it before an upload whose source comes from elsewhere. It asks nothing of the service and needs no connection
    but the one that the URL names.

    :param source: the file's path or URL.
    :param least_bytes: a smaller file is not taken for the whole one.
    :param steady_for: seconds for which the file must not have been changed, where its place tells times: a file that
        is written slowly on a file system is there before it is whole. Object stores show whole objects only.
    :param mode: ``reschedule`` by default: between two looks no worker slot is held.

    Returns ``source``, ``bytes`` and ``modified`` (seconds since 1970, None where its place does not tell).
    """

    template_fields: Sequence[str] = ("source", "least_bytes", "steady_for")
    ui_color = "#e3f2ea"

    def __init__(
        self,
        *,
        source: str,
        least_bytes: int | str = 1,
        steady_for: float | timedelta | str = 0.0,
        mode: str = "reschedule",
        **kwargs: Any,
    ) -> None:
        super().__init__(mode=mode, **kwargs)
        self.source = source
        self.least_bytes = least_bytes
        self.steady_for = steady_for

    def poke(self, context: Context) -> PokeReturnValue:
        """One look."""
        with translated():
            path = files.path_of("source", self.source)
            least = arguments.whole("least_bytes", self.least_bytes, 0)
            steady = arguments.seconds("steady_for", self.steady_for) or 0.0
            try:
                state = files.state_of(path)
            except SourceAbsent as absent:
                self.log.info("%s", absent)
                return PokeReturnValue(is_done=False)
        age = None if state.modified is None else time.time() - state.modified
        if state.size < least or (age is not None and age < steady):
            self.log.info("%s has %d bytes and was changed %s s ago: not yet.", path, state.size, age)
            return PokeReturnValue(is_done=False)
        found = {"source": str(path), "bytes": state.size, "modified": state.modified}
        return PokeReturnValue(is_done=True, xcom_value=found)
