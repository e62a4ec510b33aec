"""Floor 5: the life cycle that operators and sensors share. Users may subclass ``DataRobotBaseOperator``."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider.tasks.base import DataRobotBaseOperator
    from airflow_provider.tasks.retry_policy import DATAROBOT_RETRY_POLICY
    from airflow_provider.tasks.sensing import DataRobotBaseSensor

__all__ = ["DATAROBOT_RETRY_POLICY", "DataRobotBaseOperator", "DataRobotBaseSensor"]

_HOMES = {
    "DATAROBOT_RETRY_POLICY": "retry_policy",
    "DataRobotBaseOperator": "base",
    "DataRobotBaseSensor": "sensing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
