"""Champion against challengers: one accuracy metric of each over one window, and which challenger is the best.

    champion ──► accuracy ──┐
    challenger ──► accuracy ┴──► the same rows, about? ──► judge, the champion's value being the baseline ──► verdict

Nothing is judged without data: a challenger that was not replayed over the window has too few rows, or none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import NotFound
from airflow_provider.api.judging import Reading, Rule, judge
from airflow_provider.api.readings.accuracy import improvement, less_is_better
from airflow_provider.mlops import challengers
from airflow_provider.mlops.gates import accuracy_gate, measure
from airflow_provider.mlops.replacement import champion_of
from airflow_provider.mlops.windows import Window

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

REPLAY = "replay the challengers up to the end of the window first"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and what is wanted of the best challenger.

    :param rule: how a challenger must compare with the champion, whose value is the baseline.
    :param share: how many of the rows of the one must also be there of the other, 0 to 1: both are measured over
        their own rows, and a replay that did not reach the end of the window would compare other rows.
    :param challenger_ids: only these; empty: all of them.
    :param filters: further documented arguments of getDeploymentAccuracy.
    """

    deployment_id: str
    metric: str
    window: Window
    rule: Rule
    share: float
    challenger_ids: Sequence[str] = ()
    filters: Mapping[str, Any] | None = None


def compare(client: Client, comparison: Comparison) -> dict[str, Any]:
    """The verdict, as plain JSON.

    Operations: getDeployment, listDeploymentChallengers, getDeploymentAccuracy for each model.
    """
    deployment = client.call("getDeployment", deploymentId=comparison.deployment_id).object()
    champion = _measured(client, comparison, _champion(deployment))
    rivals = [_judged(client, comparison, champion, one) for one in _rivals(client, comparison)]
    return _verdict(comparison, champion, rivals)


def _champion(deployment: Mapping[str, Any]) -> dict[str, Any]:
    found = champion_of(deployment)
    return {name: found[name] for name in ("name", "model_id", "model_package_id")}


def _rivals(client: Client, comparison: Comparison) -> list[dict[str, Any]]:
    """The challengers to judge; those that were named must be there, in the list or (it may lag) by themselves."""
    found = {str(one["id"]): one for one in challengers.listed(client, comparison.deployment_id)}
    wanted = comparison.challenger_ids or sorted(found)
    rivals = []
    for key in wanted:
        one = found.get(key) or challengers.get(client, comparison.deployment_id, key)
        if one is None:
            raise NotFound(
                f"deployment {comparison.deployment_id} has no challenger {key}; it has "
                f"{', '.join(sorted(found)) or 'none'}",
                operation="getDeploymentChallenger",
            )
        rivals.append(challengers.told(one))
    return rivals


def _measured(client: Client, comparison: Comparison, model: Mapping[str, Any]) -> dict[str, Any]:
    """The model with its ``value`` and ``sample``; ``missing`` says why it has none that counts."""
    whatever = Rule(">=", 0.0, minimum_sample=comparison.rule.minimum_sample)
    filters = {**(comparison.filters or {}), "modelId": model["model_id"]}
    found = measure(
        client, accuracy_gate(comparison.deployment_id, comparison.metric, comparison.window, whatever, filters)
    )
    missing = found["reason"] if found["outcome"] == "no_data" else None
    answered = found["details"].get("model_id")
    if answered not in (None, model["model_id"]):
        missing = f"asked for model {model['model_id']}, the service answered for {answered}"
    return {**model, "value": found["value"], "sample": found["sample"], "missing": missing}


def _judged(
    client: Client, comparison: Comparison, champion: Mapping[str, Any], rival: Mapping[str, Any]
) -> dict[str, Any]:
    """A challenger with its numbers beside the champion's, and how it was judged."""
    if rival["model_id"] == champion["model_id"]:
        return {**rival, **_without("its model is the champion")}
    measured = _measured(client, comparison, rival)
    value, baseline = measured["value"], champion["value"]
    better = improvement(comparison.metric, value, baseline)
    missing = measured.pop("missing") or _uneven(comparison, champion, measured)
    if missing is not None:
        return {**measured, **_without(missing, value, measured["sample"])}
    verdict = judge(Reading(value, measured["sample"], baseline, better), comparison.rule)
    return {
        **measured,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "measured": verdict.measured,
        "difference": value - baseline,
        "improvement": better,
    }


def _without(reason: str, value: Any = None, sample: Any = None) -> dict[str, Any]:
    numbers = {"value": value, "sample": sample, "measured": None, "difference": None, "improvement": None}
    return {"outcome": "no_data", "reason": reason, **numbers}


def _uneven(comparison: Comparison, champion: Mapping[str, Any], rival: Mapping[str, Any]) -> str | None:
    """Why the two were measured over rows that cannot be compared, or None."""
    if champion["missing"]:
        return f"the champion has no value: {champion['missing']}"
    if not comparison.share:
        return None
    rows = (champion["sample"], rival["sample"])
    if None in rows:
        return f"how many rows it was measured over is not known, and minimum_share is {comparison.share:g}"
    if min(rows) < comparison.share * max(rows):
        return (
            f"it was measured over {rows[1]} rows and the champion over {rows[0]}, and minimum_share is "
            f"{comparison.share:g}: {REPLAY}"
        )
    return None


def _verdict(comparison: Comparison, champion: dict[str, Any], rivals: list[dict[str, Any]]) -> dict[str, Any]:
    outcome, reason, best = _best(comparison, champion, rivals)
    rule, shown = comparison.rule, best or {}
    return {
        "outcome": outcome,
        "reason": reason,
        "best": best,
        "best_challenger_id": shown.get("challenger_id"),
        "best_model_package_id": shown.get("model_package_id"),
        "improvement": shown.get("improvement"),
        "value": shown.get("value"),
        "measured": shown.get("measured"),
        "sample": shown.get("sample"),
        "baseline": champion["value"],
        "comparison": rule.comparison,
        "threshold": rule.threshold,
        "view": rule.view,
        "minimum_sample": rule.minimum_sample,
        "minimum_share": comparison.share,
        "champion": champion,
        "challengers": rivals,
        "deployment_id": comparison.deployment_id,
        "metric": comparison.metric,
        "window": comparison.window.to_json(),
    }


def _best(
    comparison: Comparison, champion: Mapping[str, Any], rivals: Sequence[dict[str, Any]]
) -> tuple[str, str, dict[str, Any] | None]:
    """The outcome, why, and the best of those that could be judged."""
    if champion["missing"]:
        return "no_data", f"the champion has no value: {champion['missing']}", None
    judged = [one for one in rivals if one["outcome"] != "no_data"]
    if not rivals:
        return "no_data", "the deployment has no challengers", None
    if not judged:
        told = "; ".join(f"{one['name']!r}: {one['reason']}" for one in rivals)
        return "no_data", f"no challenger can be judged: {told}", None
    sign = -1 if less_is_better(comparison.metric) else 1
    best = max(judged, key=lambda one: (one["outcome"] == "pass", sign * one["value"]))
    told = f"the best challenger is {best['name']!r} with {comparison.metric} {best['value']:.6g}, the champion has "
    return best["outcome"], f"{told}{champion['value']:.6g}: {best['reason']}", best
