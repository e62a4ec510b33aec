"""Who the token belongs to."""

from __future__ import annotations

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.calls import Call, serves


@serves("getAccountInfo")
def get_account(call: Call) -> Answer:
    """The user of the call (wire.md G: clients read ``uid``)."""
    user = call.user
    names = {name: user[name] for name in ("firstName", "lastName") if name in user}
    return Answer(200, {"uid": user["id"], "username": user["username"], "email": user["username"], **names})
