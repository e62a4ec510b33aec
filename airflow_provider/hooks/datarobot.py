"""DataRobotHook: the door from Airflow to the service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider.hooks.connection import CONN_TYPE, settings_from
from airflow_provider.hooks.stats import OBSERVER

if TYPE_CHECKING:
    from airflow_provider.api.answers import Answer
    from airflow_provider.api.client import AsyncClient, Client
    from airflow_provider.api.settings import Settings
    from airflow_provider.api.waiting import End, Pacing

SHORTEST = 8  # a shorter value of a header (true, https) would be masked in half of the words of a log


class DataRobotHook(BaseHook):
    """Reads a DataRobot connection and calls the service with it.

    :param datarobot_conn_id: the Airflow connection; its host is the endpoint, its password the API token.

    The hook is built by class and never through ``Connection.get_hook()``, so the connection may have any type.
    Building it does no I/O; the connection is read on the first call.
    """

    conn_name_attr = "datarobot_conn_id"
    default_conn_name = "datarobot_default"
    conn_type = CONN_TYPE
    hook_name = "DataRobot"

    def __init__(self, datarobot_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.datarobot_conn_id = datarobot_conn_id
        self._client: Client | None = None

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The connection form of Airflow before 3.2; later ones read the provider info."""
        from airflow_provider.provider_info.connection import form_behaviour

        return form_behaviour()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The extra fields of the connection form of Airflow before 3.2."""
        from airflow_provider.provider_info.connection import form_widgets

        return form_widgets()

    def get_conn(self) -> Client:
        """The client of this connection, made on first use and kept by the hook."""
        if self._client is None:
            from airflow_provider.api.client import Client

            self._client = Client(self.settings(), observer=OBSERVER)
        return self._client

    def settings(self) -> Settings:
        """The connection as settings, read anew at each call."""
        connection = self.get_connection(self.datarobot_conn_id)
        return _masked(settings_from(connection, connection.extra_dejson))

    async def asettings(self) -> Settings:
        """The same from an event loop, without blocking it."""
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson

        connection = await get_async_connection(self.datarobot_conn_id, type(self))
        return _masked(settings_from(connection, await get_async_extra_dejson(connection)))

    @asynccontextmanager
    async def aclient(self) -> AsyncIterator[AsyncClient]:
        """An async client from the pool that all users of this event loop share."""
        from airflow_provider.api.pool import lease

        async with lease(await self.asettings(), observer=OBSERVER) as client:
            yield client

    def call(
        self,
        operation_id: str,
        body: Any = None,
        *,
        extra_body: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Answer:
        """Calls one operation of the contract.

        :param operation_id: as in the contract, ``getDeployment`` for example.
        :param body: the JSON body, checked against the contract as far as it is known; a file where the operation
            takes one (``airflow_provider.api.uploads``: Upload, Stream).
        :param extra_body: keys that the contract does not know, sent unchecked.
        :param arguments: path and query arguments under their documented names.
        :return: the answer; ``.json()`` gives its content.

        Reads are repeated on transient errors; a write is repeated only when it provably did nothing.
        Raises the errors of ``airflow_provider.api.errors``.
        """
        return self.get_conn().call(operation_id, body, extra_body=extra_body, **arguments)

    async def acall(
        self,
        operation_id: str,
        body: Any = None,
        *,
        extra_body: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Answer:
        """:meth:`call` from an event loop."""
        async with self.aclient() as client:
            return await client.call(operation_id, body, extra_body=extra_body, **arguments)

    def iterate(self, operation_id: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """All objects of a paged list, page by page."""
        return self.get_conn().iterate(operation_id, **arguments)

    async def aiterate(self, operation_id: str, **arguments: Any) -> AsyncIterator[dict[str, Any]]:
        """:meth:`iterate` from an event loop."""
        async with self.aclient() as client:
            async for one in client.iterate(operation_id, **arguments):
                yield one

    def download(self, operation_id: str, into: BinaryIO, **arguments: Any) -> Answer:
        """Writes the file that an operation answers into ``into``; memory stays the same for any size.

        :param into: open for writing and seekable: a broken download is begun anew.
        :return: the answer without its content.
        """
        return self.get_conn().download(operation_id, into, **arguments)

    async def adownload(self, operation_id: str, into: BinaryIO, **arguments: Any) -> Answer:
        """:meth:`download` from an event loop, in which it writes: ``into`` shall be a file of this machine."""
        async with self.aclient() as client:
            return await client.download(operation_id, into, **arguments)

    def wait(self, wait: Mapping[str, Any], *, timeout: float | None = None, pacing: Pacing | None = None) -> End:
        """Waits in this process until a wait (plain JSON, see ``airflow_provider.api.waits``) is over.

        :param timeout: seconds after which the end is ``TimedOut``.
        """
        import time

        from airflow_provider.api.waits import wait_from_json

        deadline = None if timeout is None else time.time() + timeout
        return self.get_conn().wait(wait_from_json(wait), deadline=deadline, pacing=pacing, refresh=self.settings)

    def test_connection(self) -> tuple[bool, str]:
        """One cheap call (getVersion, then listDeployments for the token), and one line that says what is wrong."""
        from airflow_provider.hooks.probe import probe

        return probe(self)


def _masked(settings: Settings) -> Settings:
    """Tells Airflow to mask what it does not know as secret: credentials of the proxy, values of extra headers."""
    hidden = [text for text in settings.secrets if text != settings.token and len(text) >= SHORTEST]
    if hidden:
        from airflow.sdk.log import mask_secret

        for text in hidden:
            mask_secret(text)
    return settings
