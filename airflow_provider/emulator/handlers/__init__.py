"""The operations that are served, one file an area; a new file in this folder needs no entry elsewhere."""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Import all areas, which registers what they serve."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
