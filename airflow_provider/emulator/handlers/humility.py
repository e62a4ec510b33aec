"""How often humility rules were met: in a period, and over time. The rules are those of the deployment's record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from airflow_provider.emulator.answers import Answer
from airflow_provider.emulator.behaviour.periods import buckets_of, place_of
from airflow_provider.emulator.behaviour.scope import Scope, scope_of
from airflow_provider.emulator.behaviour.segments import where_predictions
from airflow_provider.emulator.calls import Call, serves

Hit = tuple[float, str]  # moment, id of the rule


@serves("getDeploymentHumilityStats", how="computed")
def get_humility_stats(call: Call) -> Answer:
    """Every rule with the number of rows that met it (seed 002:3663)."""
    scope = scope_of(call)
    body = {
        "period": scope.period.view(),
        "modelId": scope.models[0],
        "data": _values(scope, hits(scope)),
        **scope.only.segment(),
    }
    return Answer(200, body)


@serves("getDeploymentHumilityStatsOverTime", how="computed")
def get_humility_stats_over_time(call: Call) -> Answer:
    """The same, bucket by bucket, and of the whole period (seed 002:3737)."""
    scope = scope_of(call)
    buckets = buckets_of(call, scope.period)
    found = hits(scope)
    parts: list[list[Hit]] = [[] for _ in buckets]
    for hit in found:
        parts[place_of(hit[0], buckets)].append(hit)
    body = {
        "modelId": scope.models[0],
        "buckets": [
            {"period": bucket.view(), "values": _values(scope, part)}
            for bucket, part in zip(buckets, parts, strict=True)
        ],
        "summary": {"period": scope.period.view(), "values": _values(scope, found)},
        **scope.only.segment(),
    }
    return Answer(200, body)


def hits(scope: Scope) -> list[Hit]:
    """One entry for each row and rule that it met."""
    rows = scope.call.service.rows
    more, arguments = where_predictions(rows, scope.deployment, scope.only)
    numbers = [rows.number(model) for model in scope.models]
    found = rows.db.execute(
        f"""SELECT p.moment, p.humility FROM predictions p WHERE p.deployment = ? AND p.humility IS NOT NULL
            AND p.moment >= ? AND p.moment < ? AND p.model IN ({",".join("?" * len(numbers))}) {more}""",  # noqa: S608
        (rows.number(scope.deployment["id"]), scope.period.start, scope.period.end, *numbers, *arguments),
    )
    return [(moment, rule) for moment, rules in found for rule in json.loads(rules)]


def _values(scope: Scope, found: Iterable[Hit]) -> list[dict[str, Any]]:
    """One entry a rule, those that no row met too; a rule that only rows name has its id as name."""
    counts = Counter(rule for _, rule in found)
    names = {one["id"]: one["name"] for one in scope.deployment.get("humilityRules") or ()}
    return [
        {"ruleId": rule, "ruleName": names.get(rule, rule), "value": counts[rule]}
        for rule in dict.fromkeys([*names, *counts])
    ]
