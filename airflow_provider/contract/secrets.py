"""Which values of the API are secrets, and how they are hidden.

The token is not the only one: bodies carry passwords, webhook secrets, verification codes and custom headers, and
notification logs give request headers back. Whatever shows a body (errors, logs, plans, records) masks it first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MASK = "***"
# DeploymentDatasetCreate (password, user), NotificationChannel* (secretToken, verificationCode, customHeaders),
# credentialData of credentials. Compared without case, "_" and "-", because servers echo fields in other spellings.
SECRET_FIELDS = frozenset({"password", "secrettoken", "verificationcode", "credentialdata", "customheaders"})
SHORTEST = 4  # a shorter text would be found by chance everywhere


def is_secret(field: object) -> bool:
    """Whether the value of a field of this name must not be shown."""
    return str(field).replace("_", "").replace("-", "").lower() in SECRET_FIELDS


def mask(value: Any) -> Any:
    """The same JSON value with the values of secret fields replaced; names of custom headers stay."""
    if isinstance(value, Mapping):
        return {key: _masked(item) if is_secret(key) else mask(_unsent(key, item)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask(item) for item in value]
    return value


def secrets_in(value: Any) -> Iterator[str]:
    """The texts under the secret fields of a JSON value; names of custom headers are none."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item) if is_secret(key) else secrets_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from secrets_in(item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key != "name":
                yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text without any literal occurrence of the secrets: a server may echo what it was sent."""
    for secret in sorted(secrets, key=len, reverse=True):  # one may be a part of another
        if len(secret) >= SHORTEST:
            text = text.replace(secret, MASK)
    return text


def scrub_value(value: Any, secrets: Iterable[str]) -> Any:
    """:func:`scrub` for every string in a JSON value, and :func:`mask` for its secret fields."""
    known = tuple(secrets)
    if isinstance(value, str):
        return scrub(value, known)
    if isinstance(value, Mapping):
        return {
            scrub(str(key), known): _masked(item) if is_secret(key) else scrub_value(_unsent(key, item), known)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [scrub_value(item, known) for item in value]
    return value


def _unsent(field: object, value: Any) -> Any:
    """What the log of notifications repeats of a request, without its headers: the signature and secret values.

    The log has it as an object, the result of a webhook test as one text (RequestNotification, NotificationLog).
    """
    if field != "request":
        return value
    if isinstance(value, Mapping) and "headers" in value:
        return {**value, "headers": MASK}
    return MASK if isinstance(value, str) else value


def _masked(value: Any) -> Any:
    """A list of headers keeps their names; everything else is hidden whole."""
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        return [{key: item if key == "name" else MASK for key, item in header.items()} for header in value]
    return value if value is None else MASK
