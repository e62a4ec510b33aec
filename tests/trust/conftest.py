"""The stage, and the tasks of real Airflow."""

from tests.stages import stage
from tests.tasks import errors, perform, service, soon

__all__ = ["errors", "perform", "service", "soon", "stage"]
