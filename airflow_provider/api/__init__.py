"""Floor 1: the service without Airflow. The names below load what they need when they are first used.

from airflow_provider.api import Client, Settings

with Client(Settings.from_env()) as client:
    for deployment in client.iterate("listDeployments"):
        print(deployment["label"])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider.api.answers import Answer
    from airflow_provider.api.client import AsyncClient, Client
    from airflow_provider.api.errors import (
        AnswerLost,
        AnswerTooLarge,
        BadRequest,
        Conflict,
        DataRobotError,
        Forbidden,
        ForeignLocation,
        GatewayFailed,
        Gone,
        InvalidCall,
        JobFailed,
        KeyMissing,
        NotFound,
        NotReached,
        NotServed,
        NotTrusted,
        NotUnderstood,
        OutcomeUnknown,
        PollBudgetSpent,
        Redirected,
        Refused,
        ServiceFailed,
        TooLarge,
        TooManyRequests,
        Unauthorized,
        Unprocessable,
        WaitFailed,
        WaitTimedOut,
    )
    from airflow_provider.api.exchange import Observer
    from airflow_provider.api.messages import Call, local_path, prepare
    from airflow_provider.api.once import Sent, send_once
    from airflow_provider.api.pool import lease
    from airflow_provider.api.results import (
        ApprovalPolicy,
        ChangeRequest,
        Deployment,
        JobStatus,
        ModelPackage,
        ReplacementValidation,
        Review,
    )
    from airflow_provider.api.settings import Settings
    from airflow_provider.api.waiting import Pacing
    from airflow_provider.api.waits import to_json, wait_from_json
    from airflow_provider.api.writes import WRITES, Write

_HOMES = {
    "answers": ("Answer",),
    "client": ("AsyncClient", "Client"),
    "errors": (
        *("AnswerLost", "AnswerTooLarge", "BadRequest", "Conflict", "DataRobotError", "Forbidden", "ForeignLocation"),
        "GatewayFailed",
        *("Gone", "InvalidCall", "JobFailed", "KeyMissing", "NotFound", "NotReached", "NotServed", "NotTrusted"),
        *("NotUnderstood", "OutcomeUnknown", "PollBudgetSpent", "Redirected", "Refused", "ServiceFailed", "TooLarge"),
        *("TooManyRequests", "Unauthorized", "Unprocessable", "WaitFailed", "WaitTimedOut"),
    ),
    "exchange": ("Observer",),
    "messages": ("Call", "local_path", "prepare"),
    "once": ("Sent", "send_once"),
    "pool": ("lease",),
    "results": (
        *("ApprovalPolicy", "ChangeRequest", "Deployment", "JobStatus", "ModelPackage", "ReplacementValidation"),
        "Review",
    ),
    "settings": ("Settings",),
    "waiting": ("Pacing",),
    "waits": ("to_json", "wait_from_json"),
    "writes": ("WRITES", "Write"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "WRITES",
    "Answer",
    "AnswerLost",
    "AnswerTooLarge",
    "ApprovalPolicy",
    "AsyncClient",
    "BadRequest",
    "Call",
    "ChangeRequest",
    "Client",
    "Conflict",
    "DataRobotError",
    "Deployment",
    "Forbidden",
    "ForeignLocation",
    "GatewayFailed",
    "Gone",
    "InvalidCall",
    "JobFailed",
    "JobStatus",
    "KeyMissing",
    "ModelPackage",
    "NotFound",
    "NotReached",
    "NotServed",
    "NotTrusted",
    "NotUnderstood",
    "Observer",
    "OutcomeUnknown",
    "Pacing",
    "PollBudgetSpent",
    "Redirected",
    "Refused",
    "ReplacementValidation",
    "Review",
    "Sent",
    "ServiceFailed",
    "Settings",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "Unprocessable",
    "WaitFailed",
    "WaitTimedOut",
    "Write",
    "lease",
    "local_path",
    "prepare",
    "send_once",
    "to_json",
    "wait_from_json",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
