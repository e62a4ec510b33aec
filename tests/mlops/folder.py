"""A folder in memory, for ledgers."""

from __future__ import annotations

from airflow_provider.mlops.ledger import LedgerInUse


class Folder:
    """Files that are written once."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def names(self) -> list[str]:
        return list(reversed(self.files))  # a listing has no order

    def read(self, name: str) -> bytes:
        return self.files[name]

    def write(self, name: str, content: bytes) -> None:
        if name in self.files:
            raise LedgerInUse(f"{name} is there already")
        self.files[name] = content
