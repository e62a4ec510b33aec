"""What became of actuals: the account that the control door gives, per deployment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.clock import iso

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

PER_ID = """SELECT s.association, COUNT(*) FROM batches b JOIN sent s ON s.number BETWEEN b.first AND b.last
            WHERE b.deployment = ? GROUP BY s.association"""


def account(service: Service, deployment_id: str) -> Record:
    """Rows and batches accepted, by the state of their job, and rows stored, matched and waiting for a prediction."""
    db, deployment = service.rows.db, service.rows.number(deployment_id)
    states = db.execute(
        "SELECT state, COUNT(*), SUM(rows), SUM(charged) FROM batches WHERE deployment = ? GROUP BY state",
        (deployment,),
    ).fetchall()
    stored = db.execute("SELECT COUNT(*) FROM actuals WHERE deployment = ?", (deployment,)).fetchone()[0]
    matched = db.execute(
        """SELECT COUNT(*) FROM actuals a WHERE a.deployment = ? AND EXISTS
           (SELECT 1 FROM predictions p WHERE p.deployment = a.deployment AND p.association = a.association)""",
        (deployment,),
    ).fetchone()[0]
    return {
        "accepted": sum(rows for _, _, rows, _ in states),
        "batches": {state: {"batches": count, "rows": rows} for state, count, rows, _ in states},
        "charged": sum(charged for _, _, _, charged in states),
        "stored": stored,
        "matched": matched,
        "waiting": stored - matched,
    }


def accepted_per_id(service: Service, deployment_id: str) -> dict[str, int]:
    """How often each association id was accepted; nothing of it is known with the switch ``sink``."""
    return dict(service.rows.db.execute(PER_ID, (service.rows.number(deployment_id),)).fetchall())


def stored_values(service: Service, deployment_id: str) -> dict[str, Any]:
    """What is stored for each association id: ``actualValue``, ``wasActedOn``, ``timestamp``."""
    found = service.rows.db.execute(
        "SELECT association, value, acted, moment FROM actuals WHERE deployment = ?",
        (service.rows.number(deployment_id),),
    )
    return {
        association: {
            "actualValue": shown(value),
            "wasActedOn": None if acted is None else bool(acted),
            "timestamp": None if moment is None else iso(moment),
        }
        for association, value, acted, moment in found
    }


def shown(value: Any) -> Any:
    """A stored value as it was sent: a list is kept as its JSON, in bytes."""
    return json.loads(value) if isinstance(value, bytes) else value
