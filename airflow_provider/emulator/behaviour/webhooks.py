"""Webhooks: the notification as bytes, its signature, and the sending, each in a thread of its own.

Only loopback addresses are ever sent to; everything else is logged as failed, with that reason. Redirects are not
followed and proxies not used. What comes back is noted at the next look (``Service.arrivals``), so that no answer of
the API waits for a receiver.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import ssl
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlencode, urlsplit

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

PATIENCE = 10.0  # real seconds without a byte
MOST = 16_384  # bytes of an answer that are kept
FORM = "application/x-www-form-urlencoded"
REFUSED = "Not sent: the emulator sends to loopback addresses only."


@dataclass(frozen=True, slots=True)
class Received:
    """What the receiver answered; ``duration`` in milliseconds."""

    status: int
    headers: str
    body: str
    duration: int


def signature(secret: str, body: bytes) -> str:
    """The value of ``DR-Signature``: HMAC-SHA1 of the body, as hex (wire.md I)."""
    return hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()


def body_of(payload: Record, content_type: str, form: str) -> bytes:
    """The payload as bytes.

    :param form: value of the switch ``webhook_form``
    """
    if content_type != FORM:
        return json.dumps(payload).encode()
    if form == "payload_field":
        return urlencode({"payload": json.dumps(payload)}).encode()
    return urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in payload.items()}).encode()


def on_loopback(url: SplitResult) -> bool:
    """Whether an address is this machine's own, by its text alone: no name is looked up."""
    host = url.hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def send(service: Service, note: Record, channel: Record) -> None:
    """Send a notification off to the channel's address."""
    content_type = channel.get("contentType") or "application/json"
    body = body_of(note["payload"], content_type, service.switches["webhook_form"])
    headers = [("Content-Type", content_type), ("User-Agent", "DataRobot-Webhook")]
    if channel.get("secretToken"):
        headers.append(("DR-Signature", signature(channel["secretToken"], body)))
    headers += [(one["name"], one["value"]) for one in channel.get("customHeaders") or ()]
    note["request"] = {"url": channel.get("payloadUrl"), "body": body.decode()}
    note["customHeaders"] = [{"name": name, "value": value} for name, value in headers]
    url = _address(channel.get("payloadUrl") or "")
    if isinstance(url, str):
        over(service, note["id"], "failed", fault=url)
        return
    verify = channel.get("validateSsl") is not False

    def work() -> None:
        received: Received | str
        try:
            received = _post(url, body, headers, verify)
        except (OSError, HTTPException, ValueError) as fault:
            received = f"The address did not answer: {fault}"
        service.arrivals.put(lambda: _arrived(service, note["id"], received))

    threading.Thread(target=work, name="datarobot-emulator-webhook", daemon=True).start()


def _address(text: str) -> SplitResult | str:
    """The parts of an address that may be sent to, or why nothing is sent."""
    try:
        url = urlsplit(text)
        url.port  # noqa: B018 - a ValueError where it is none
    except ValueError:
        return "Not sent: the address cannot be read."
    return url if url.scheme in ("http", "https") and on_loopback(url) else REFUSED


def _post(url: SplitResult, body: bytes, headers: list[tuple[str, str]], verify: bool) -> Received:
    began = time.monotonic()
    host, port = url.hostname or "", url.port
    if url.scheme == "https":
        context = ssl.create_default_context() if verify else ssl._create_unverified_context()  # noqa: S323
        connection: HTTPConnection = HTTPSConnection(host, port, timeout=PATIENCE, context=context)
    else:
        connection = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.putrequest("POST", (url.path or "/") + (f"?{url.query}" if url.query else ""))
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read(MOST).decode("utf-8", "replace")
        shown = json.dumps(dict(answer.getheaders()))
        return Received(answer.status, shown, text, round((time.monotonic() - began) * 1000))
    finally:
        connection.close()


def _arrived(service: Service, note_id: str, received: Received | str) -> None:
    if service.store.get("notifications", note_id) is None:
        return  # the emulator was reset meanwhile
    if isinstance(received, str):
        over(service, note_id, "failed", fault=received)
        return
    state = "sent" if received.status < 300 else "failed"
    answer = {
        "statusCode": str(received.status),
        "headers": received.headers,
        "body": received.body,
        "duration": received.duration,
    }
    service.store.change("notifications", note_id, {"state": state, "response": answer})


def over(service: Service, note_id: str, state: str, fault: str = "") -> None:
    """Note the end of a notification that nobody answered."""
    answer = {"statusCode": "", "headers": "", "body": fault, "duration": 0}
    service.store.change("notifications", note_id, {"state": state, "response": answer})
