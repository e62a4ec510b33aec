"""Deleting what is there: one that is gone already is a success without a write, and a lost answer is looked after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from airflow_provider.api.errors import Gone, NotFound
from airflow_provider.tasks.run import Run

Thing = TypeVar("Thing")


def delete(run: Run, operation_id: str, read: Callable[[], Thing | None], **where: Any) -> Thing | None:
    """Deletes a thing, unless it is gone.

    :param read: gives the thing; None, NotFound and Gone say that it is not there.
    :return: the thing as it was; None where it was gone already.
    """

    def there() -> Thing | None:
        try:
            return read()
        except (NotFound, Gone):
            return None

    found = there()
    if found is not None:
        run.submit(operation_id, stage="delete", look=lambda: None if there() is not None else True, **where)
    return found
