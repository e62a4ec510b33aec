"""What a task remembers, in a file of its own: for Airflow before 3.3, and for whoever wants it at hand."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from airflow_provider.mlops.rows import UnreadableSource
from airflow_provider.tasks import files

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


class FileStore:
    """The part of Airflow's task state store that is used, as one JSON file at any URL.

    The file is put whole each time. One task at a time may use it: it locks nothing.
    """

    def __init__(self, path: ObjectStoragePath) -> None:
        self._path = path

    def get(self, key: str, default: Any = None) -> Any:
        """What stands under the key."""
        return self._read().get(key, default)

    def set(self, key: str, value: Any) -> None:
        """Keeps a JSON value."""
        text = json.dumps({**self._read(), key: value})
        files.put(io.BytesIO(text.encode()), self._path)

    def _read(self) -> dict[str, Any]:
        self._path.fs.invalidate_cache()
        if not self._path.exists():
            return {}
        try:
            found = json.loads(self._path.read_bytes())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise UnreadableSource(f"{self._path} is not the state of a task: look what it is, and remove it")
        return found
