"""Where the programs of Debian's packages are, and as whom they run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.processes import Unwell

VERSIONS = Path("/usr/lib/postgresql")  # not on the path: several versions live side by side


def program(name: str, package: str) -> str:
    """The path of a program; raises :class:`Unwell` with the package that brings it."""
    newest = sorted(VERSIONS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = str(newest[-1]) if newest else shutil.which(name)
    if found is None:
        raise Unwell(f"{name} is not there: apt-get install --no-install-recommends {package}")
    return found


def as_user(user: str) -> list[str]:
    """Words before a command that make root run it as ``user``: PostgreSQL refuses to serve root."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.geteuid() == 0 else []


@contextmanager
def private_folder(user: str) -> Iterator[Path]:
    """An empty folder that ``user`` can reach, which a folder below root's own temporary ones is not."""
    folder = Path(tempfile.mkdtemp(prefix="airflow-provider-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, user, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
