"""What the approval policies are asked for each action."""

from __future__ import annotations

from airflow_provider.mlops.review import POLICY_QUERIES
from docs.parts.table import table


def text() -> str:
    """Action, entity type, verb."""
    rows = [(f"`{action}`", entity_type, verb) for action, (entity_type, verb) in POLICY_QUERIES.items()]
    return table(("change request action", "entityType", "action"), rows)
