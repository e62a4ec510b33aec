"""The fixtures of ``tests/tasks.py``."""

from tests.tasks import perform, service, soon

__all__ = ["perform", "service", "soon"]
