"""Where the service may point us: every Location becomes a path on the configured endpoint, or an error.

This guards the token. Requests are only ever made of the endpoint and a path from here, so nothing that a server
says can carry the token to another origin.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from airflow_provider.api.errors import ForeignLocation
from airflow_provider.api.settings import Settings, origin_of


def local_path(url: str, settings: Settings, rebase: bool = False) -> str:
    """Path and query, relative to the API root, of an absolute or relative URL that the service gave.

    An URL on another origin raises :class:`ForeignLocation`, unless the settings (or ``rebase``) say that its path
    counts on the configured endpoint. The path must lie below the API path in each case.
    """
    parts = _parts(url, settings)
    own = urlsplit(settings.endpoint)
    theirs = (parts.scheme or own.scheme, parts.netloc or own.netloc)
    foreign = origin_of(parts._replace(scheme=theirs[0], netloc=theirs[1])) != origin_of(own)
    if foreign and not rebase and settings.location != "rebase":
        raise ForeignLocation(
            f"the service points to {theirs[0]}://{theirs[1].rpartition('@')[2]}, which is not {settings.origin}; "
            "set location='rebase' where both are the same service"
        )
    path = parts.path if parts.path.startswith("/") or parts.netloc else settings.api_path + parts.path
    if not path.startswith(settings.api_path) or climbs(path):
        raise ForeignLocation(f"the service points to the path {path!r}, which is not below {settings.api_path}")
    relative = path.removeprefix(settings.api_path)
    return f"{relative}?{parts.query}" if parts.query else relative


def _parts(url: str, settings: Settings) -> SplitResult:
    try:
        if re.search(r"[\s\\\x00-\x1f]", url):
            raise ValueError("blanks or backslashes")
        parts = urlsplit(url)
        origin_of(parts)  # a port that is no number is found only here
    except ValueError as error:
        raise ForeignLocation(f"the service points to something that is no URL ({error})") from None
    if "@" in parts.netloc:
        where = f"{parts.scheme or 'https'}://{parts.hostname}"
        raise ForeignLocation(f"the service points to {where} with a user or password in the URL")
    if parts.scheme and parts.scheme.lower() not in ("http", "https"):
        raise ForeignLocation(f"the service points to a {parts.scheme!r} URL, which is not {settings.origin}")
    return parts


def climbs(path: str) -> bool:
    """Whether a path has a part that leads upwards, written out or encoded."""
    return any(unquote(segment) in (".", "..") for segment in path.split("/"))
