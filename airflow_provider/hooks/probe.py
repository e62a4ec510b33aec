"""What the Test button of a connection says: one line, and the remedy in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider.api.errors import (
    AnswerLost,
    DataRobotError,
    Forbidden,
    InvalidCall,
    NotFound,
    NotReached,
    NotTrusted,
    NotUnderstood,
    Unauthorized,
)

if TYPE_CHECKING:
    from airflow_provider.hooks.datarobot import DataRobotHook

ADVICE = "; with LocalExecutor, set [workers] min_heartbeat_interval=1 (see the docs on deferral)"


def probe(hook: DataRobotHook) -> tuple[bool, str]:
    """Whether the service answers this connection (operations getVersion and listDeployments)."""
    try:
        with hook.get_conn() as client:
            client.tries = 1  # somebody is looking at the button
            version = client.call("getVersion").json()
            client.call("listDeployments", limit=1, offset=0)
    except DataRobotError as error:
        return False, _fault(error)
    word = version.get("versionString") or f"{version.get('major')}.{version.get('minor')}"
    return True, f"DataRobot API {word} answers and accepts the token{ADVICE}"


def _fault(error: DataRobotError) -> str:
    if isinstance(error, InvalidCall):
        return str(error)
    if isinstance(error, Unauthorized):
        return "the service refused the API token (401): check the password field, and auth_scheme (Bearer or Token)"
    if isinstance(error, Forbidden):
        return f"the token is valid and may not list deployments (403): {error}"
    if isinstance(error, (NotFound, NotUnderstood)):
        return f"something answers and it is not the API: check the path of the endpoint (usually /api/v2): {error}"
    if isinstance(error, NotTrusted):
        return f"the certificate of the endpoint is not trusted: ca_bundle must name its authority: {error}"
    if isinstance(error, NotReached):
        return f"the endpoint cannot be reached: check address, scheme (http or https) and proxy: {error}"
    if isinstance(error, AnswerLost):
        return f"the endpoint was reached and gave no whole answer: {error}"
    return str(error)
