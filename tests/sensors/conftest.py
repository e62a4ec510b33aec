"""The fixtures of ``tests/tasks.py``, and the stage on which time moves only when somebody sleeps."""

from tests.journeys.conftest import stage, triggerer
from tests.tasks import errors, perform, service, soon

__all__ = ["errors", "perform", "service", "soon", "stage", "triggerer"]
