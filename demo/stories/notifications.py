"""Notifications: a task fails in Airflow, and a receiver on loopback hears of it, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import Any

from demo.processes import Unwell, until
from demo.stage import Account, Stage

TITLE = "Notifications: a task that fails makes an event that arrives at a webhook, signed"
DAG = "notifications"
DEPLOYMENT = "64e000000000000000000001"  # "Churn, governed": nothing of it is changed here
CONNECTION = "ops_webhook"
SECONDS = 60.0  # for an event to arrive
Heard = Queue[tuple[str, bytes]]  # signature and body of each request


def run(stage: Stage) -> Account:
    """Listen, let the example fail, and check what was heard."""
    secret = secrets.token_hex(16)
    with _listening() as (address, heard):
        stage.say("people", f"a receiver listens on {address}, its secret is in the connection {CONNECTION}")
        connection = {"connection_id": CONNECTION, "conn_type": "http", "host": address, "password": secret}
        until(lambda: _made(stage, connection), f"connection {CONNECTION}", SECONDS)
        run_id = stage.start_dag(DAG, {"deployment_id": DEPLOYMENT, "rows": 0})
        state = stage.airflow.wait(DAG, run_id, 240.0)
        if stage.airflow.states(DAG, run_id) != dict.fromkeys(("channel", "try_it", "policy"), "success") | {
            "score": "failed"
        }:
            raise Unwell(f"only the last task was to fail: {stage.airflow.states(DAG, run_id)}")
        stage.say("airflow", f"run of {DAG} ended: {state}, as it was told to")
        tried, event = _next(heard, "misc.webhook_connection_test"), _next(heard, "management.deploymentInfo")
    for signature, body in (tried, event):
        if signature != hmac.new(secret.encode(), body, hashlib.sha1).hexdigest():
            raise Unwell(f"the signature {signature!r} is not that of {body!r}")
    told = json.loads(event[1])
    log = "\n".join(stage.airflow.log(DAG, run_id, task) for task in ("channel", "try_it", "policy", "score"))
    if secret in log or secret in json.dumps(stage.emulator.control("GET", "log")):
        raise Unwell("the secret stands in a log")
    return [
        ("the webhook", f"was tried out first: {stage.airflow.xcom(DAG, run_id, 'try_it')['response_status']}"),
        ("heard", told["event"]["title"]),
        ("with", ", ".join(told["event"]["message"].splitlines()[:2])),
        ("about", f"{told['deployment']['label']}, event {told['event_type']}"),
        ("signature", f"DR-Signature {event[0][:12]}... is the HMAC-SHA1 of the body; the secret stands in no log"),
        *stage.times(DAG, run_id),
    ]


def _made(stage: Stage, connection: dict[str, str]) -> bool:
    """Whether Airflow has the connection now; its database may be locked while it starts."""
    try:
        stage.airflow.ask("POST", "/connections", connection)
    except Unwell as error:
        return ": 409 " in str(error)
    return True


def _next(heard: Heard, event_type: str) -> tuple[str, bytes]:
    """The next request about this event."""
    try:
        while True:
            signature, body = heard.get(timeout=SECONDS)
            if json.loads(body)["event_type"] == event_type:
                return signature, body
    except Empty:
        raise Unwell(f"nothing was heard of {event_type} within {SECONDS:.0f} s") from None


@contextmanager
def _listening() -> Iterator[tuple[str, Heard]]:
    """A receiver of webhooks: its address, and what comes."""
    heard: Heard = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            heard.put((self.headers.get("DR-Signature", ""), body))

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", heard
        server.shutdown()
        thread.join()
