"""The stage."""

from tests.stages import stage

__all__ = ["stage"]
