"""A file as the answer to a call, written while it is received: memory stays the same for any size.

A download may be redirected to a storage service. That is followed, a few times, and without the token wherever it
leaves the configured endpoint; from an encrypted endpoint it must lead to an encrypted one.
"""

from __future__ import annotations

from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

from airflow_provider.api import transport as wires
from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import ForeignLocation
from airflow_provider.api.exchange import Exchange, Wire, check_kind
from airflow_provider.api.messages import Call
from airflow_provider.api.settings import origin_of

BLOCK = 1 << 18  # bytes that are held at a time
HOPS = 4  # redirects that are followed
MOVED = (301, 302, 303, 307, 308)
OWN = ("authorization", "cookie")  # what no other origin gets; extra headers may carry secrets too


def fetch(exchange: Exchange, http: wires.Http, call: Call, into: BinaryIO, number: int) -> Answer:
    """One attempt: the body of a 2xx answer goes into ``into`` (emptied first), the rest is given with no content.

    Raises the errors of ``errors.py``: what is no file of a documented kind (a login page) is never written.
    """
    into.seek(0)
    into.truncate()
    wire = exchange.wire(call)
    wire["headers"]["accept"] = "*/*"
    for _ in range(HOPS):
        answer = _hop(exchange, http, call, wire, into, number)
        if answer.status not in MOVED or answer.location is None:
            return answer
        wire = _elsewhere(exchange, wire, answer.location)
    raise ForeignLocation(f"the download was redirected more than {HOPS} times", operation=call.operation.id)


def _hop(exchange: Exchange, http: wires.Http, call: Call, wire: Wire, into: BinaryIO, number: int) -> Answer:
    started, status = exchange.clock(), None
    try:
        with http.stream(wire["method"], wire["url"], headers=wire["headers"]) as response:
            status = response.status_code
            headers = {name.lower(): value for name, value in response.headers.multi_items()}
            found = Answer(status, headers, b"", urlsplit(call.target).path, call.operation.id)
            if status in MOVED and found.location:
                return found
            if not 200 <= status < 300:
                return exchange.read(call, status, headers.items(), response.read())
            check_kind(call, found)
            for block in response.iter_bytes(BLOCK):
                into.write(block)
            return found
    except wires.TRANSPORT_ERRORS as error:
        raise wires.lost(error, call, exchange.settings) from error
    finally:
        exchange.tell(call, status, started, number)


def _elsewhere(exchange: Exchange, wire: Wire, location: str) -> Wire:
    """The same request at the place that a redirect names, without what is only for our own endpoint."""
    url = urljoin(wire["url"], location)
    own, target = urlsplit(exchange.settings.endpoint), urlsplit(url)
    if target.scheme != "https" and target.scheme != own.scheme:
        raise ForeignLocation(f"the download was redirected to {target.scheme}://{target.hostname}, not encrypted")
    headers = dict(wire["headers"])
    if origin_of(target) != origin_of(own):
        private = {*OWN, *(name.lower() for name, _ in exchange.settings.extra_headers)}
        headers = {name: value for name, value in headers.items() if name not in private}
    return {**wire, "url": url, "headers": headers}
