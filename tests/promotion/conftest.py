"""The fixtures of ``tests/tasks.py`` and ``tests/stages.py``."""

from tests.stages import stage
from tests.tasks import errors, perform, service, soon

__all__ = ["errors", "perform", "service", "soon", "stage"]
