"""Arguments that are secrets: a warning where they stand in a DAG file, and a mask wherever Airflow shows a value.

They come from a connection: ``secret_token="{{ conn.my_hook.password }}"``. What was written out in the file is in the
repository, in the database and on the pages of everybody who may see the DAG; no mask helps against that.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider.api.errors import InvalidCall
from airflow_provider.tasks import arguments

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class PlainSecretWarning(UserWarning):
    """A secret is written out in a DAG file."""


def warn_of_plain(operator: str, **given: Any) -> None:
    """Warns of each secret that is neither a template nor the output of another task."""
    for name, value in given.items():
        if any("{{" not in text for text in _texts(value)):
            warnings.warn(
                f"{operator}: {name} is written out in the DAG file; take it from a connection, "
                f'{name}="{{{{ conn.my_hook.password }}}}" for example',
                PlainSecretWarning,
                stacklevel=4,
            )


def hide(*values: Any) -> list[str]:
    """Tells Airflow to mask these values in logs, rendered templates and XComs; gives them as texts."""
    from airflow.sdk.log import mask_secret

    texts = [text for value in values for text in _texts(value) if text]
    for text in texts:
        mask_secret(text)
    return texts


def _texts(value: Any) -> Iterator[str]:
    """The secret texts in an argument: of headers only the values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _texts(one.get("value") if isinstance(one, Mapping) and "value" in one else one)


class SecretArguments:
    """For operators with secret arguments, before the base operator: warns of them, and masks them once rendered."""

    secret_fields: ClassVar[tuple[str, ...]] = ()

    def warn(self) -> None:
        """At the end of ``__init__``."""
        warn_of_plain(type(self).__name__, **{name: getattr(self, name) for name in self.secret_fields})

    def secrets(self) -> list[str]:
        """The texts that must not be shown; Airflow masks them from now on."""
        return hide(*(getattr(self, name) for name in self.secret_fields))

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Renders, and masks before Airflow stores what was rendered."""
        super().render_template_fields(context, jinja_env)  # type: ignore[misc]
        self.secrets()


def headers(name: str, value: Any) -> list[dict[str, str]]:
    """Headers as the service wants them: from a mapping of names to values, or a list of ``{"name", "value"}``."""
    if arguments.absent(value):
        return []
    given = [{"name": key, "value": below} for key, below in value.items()] if isinstance(value, Mapping) else value
    fits = isinstance(given, Sequence) and all(
        isinstance(one, Mapping)
        and set(one) == {"name", "value"}
        and all(isinstance(part, str) for part in one.values())
        for one in given
    )
    if isinstance(given, str) or not fits:
        raise InvalidCall(f"{name} must map header names to texts")  # not the value: it is secret
    return [dict(one) for one in given]
