"""getDeploymentFeatureDrift: how many features have drifted over a window. All pages are read before anything is told.

``of`` has ``threshold`` (a higher score has drifted), ``features`` (only these; empty: all), ``excluded``,
``minimum_importance`` and ``path``, the list's own path. The value is the number of drifted features; the sample is
the smallest among the features that have a score. A feature of ``features`` without a score is no data; other
features without one are named in the details and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from airflow_provider.api.errors import KeyMissing
from airflow_provider.api.judging import Reading
from airflow_provider.api.readings import More

OPERATION = "getDeploymentFeatureDrift"
Line = dict[str, Any]


def read(body: Mapping[str, Any], of: Mapping[str, Any], kept: Mapping[str, Any]) -> Reading | More:
    """The number of drifted features, or the next page."""
    data = body.get("data")
    if not isinstance(data, list):
        raise KeyMissing("the answer has no key 'data'", operation=OPERATION)
    lines = [*kept.get("lines", ()), *map(_line, data)]
    following = body.get("next")
    if not following:
        return _judged(lines, of, body.get("metric"))
    path = f"{of['path']}?{urlsplit(str(following)).query}"
    if not data or path == kept.get("path"):
        raise KeyMissing("the list leads back to a page that was read", operation=OPERATION)
    return More(path, {"lines": lines, "path": path})


def _line(given: Mapping[str, Any]) -> Line:
    score, sample = given.get("driftScore"), given.get("sampleSize")
    return {
        "name": str(given.get("name")),
        "score": float(score) if isinstance(score, (int, float)) else None,
        "sample": sample if isinstance(sample, int) else None,
        "importance": given.get("featureImpact"),
    }


def _judged(lines: list[Line], of: Mapping[str, Any], metric: Any) -> Reading:
    looked_at = _wanted(lines, of)
    scored = [one for one in looked_at if one["score"] is not None]
    unscored = sorted(one["name"] for one in looked_at if one["score"] is None)
    drifted = {one["name"]: one["score"] for one in scored if one["score"] > of["threshold"]}
    incomplete = not scored or (of.get("features") and unscored)
    details = {
        "metric": metric,
        "drift_threshold": of["threshold"],
        "features": len(scored),
        "drifted": dict(sorted(drifted.items(), key=lambda one: -one[1])),
        "highest": max((one["score"] for one in scored), default=None),
        "unscored": unscored,
    }
    return Reading(None if incomplete else len(drifted), sample=_least(scored or looked_at), details=details)


def _wanted(lines: list[Line], of: Mapping[str, Any]) -> list[Line]:
    named = set(of.get("features") or ())
    missing = named - {one["name"] for one in lines}
    if missing:
        known = ", ".join(sorted(one["name"] for one in lines)) or "none"
        raise KeyMissing(f"no drift of {', '.join(sorted(missing))}; there is of {known}", operation=OPERATION)
    if named:
        return [one for one in lines if one["name"] in named]
    excluded, least = set(of.get("excluded") or ()), of.get("minimum_importance") or 0.0
    return [one for one in lines if one["name"] not in excluded and (one["importance"] or 0.0) >= least]


def _least(lines: Iterable[Line]) -> int | None:
    """The smallest sample; None where one of them is not told, 0 without any feature."""
    samples = [one["sample"] for one in lines]
    return None if None in samples else min(samples, default=0)
