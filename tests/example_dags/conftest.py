"""The fixtures of ``tests/tasks.py``."""

from tests.tasks import errors, perform, service, soon

__all__ = ["errors", "perform", "service", "soon"]
