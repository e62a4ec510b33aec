"""getDeploymentHumilityStats: how many predictions met a humility rule, or all rules together.

The answer has counts only, so ``of["sample_path"]`` (getDeploymentPredictionsVsActualsOverTime over the same window)
tells of how many predictions. A deployment without rules has nothing to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.judging import Reading
from airflow_provider.api.readings import More
from airflow_provider.api.readings.coverage import rows_of

OPERATION = "getDeploymentHumilityStats"


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading | More:
    """Hits of ``of["rule"]`` (name or id; None: of all rules), as a share of the predictions if ``of["share"]``."""
    if "hits" not in kept:
        rules = _rules(body)
        counted = {one["ruleName"]: one["value"] for one in rules if of.get("rule") in (None, *_names(one))}
        if of.get("rule") is not None and not counted:
            known = ", ".join(sorted(str(one.get("ruleName")) for one in rules)) or "none"
            raise KeyMissing(f"there is no humility rule {of['rule']!r}; there is {known}", operation=OPERATION)
        return More(of["sample_path"], {"hits": sum(counted.values()) if counted else None, "rules": counted})
    total, hits = rows_of(body)[0], kept["hits"]
    share = hits / total if of["share"] and hits is not None and total else None
    details = {"hits": hits, "predictions": total, "rules": kept["rules"]}
    return Reading(share if of["share"] else hits, sample=total, details=details)


def _rules(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    data = body.get("data")
    if not isinstance(data, list):
        raise KeyMissing("the answer has no key 'data'", operation=OPERATION)
    return [one for one in data if isinstance(one.get("value"), (int, float))]


def _names(rule: Mapping[str, Any]) -> tuple[Any, Any]:
    return rule.get("ruleName"), rule.get("ruleId")
