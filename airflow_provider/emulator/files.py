"""Files that clients upload: in a folder beside the state file, else in a temporary one; made when first needed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path


class Files:
    """The files of one service, by name.

    :param folder: where they are kept between processes, or None
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._temporary: Path | None = None

    def path(self, name: str) -> Path:
        """Where the file of this name stands, or will stand."""
        return self._there() / name

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        self.path(name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Delete those that are kept for this process only."""
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary = None

    def _there(self) -> Path:
        if self._folder is not None:
            self._folder.mkdir(exist_ok=True)
            return self._folder
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="datarobot-emulator-"))
        return self._temporary
