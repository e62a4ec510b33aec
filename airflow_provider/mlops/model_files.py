"""Files that a model is carried away in: which operation gives one, and what is known of it before.

Nothing here unpacks an archive: a JAR, an ``.mlpkg`` and an image are kept as they come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, InvalidCall, NotUnderstood

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

EXTRAS: Mapping[str, str] = {
    "include_agent": "includeAgent",
    "include_prediction_explanations": "includePredictionExplanations",
    "include_prediction_intervals": "includePredictionIntervals",
}
CSV = "text/csv"


class EmptyWindow(DataRobotError):
    """There is nothing in the window that was asked for."""


class RowsDiffer(DataRobotError):
    """The pages of one list do not fit together."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the service: the operation that gives it, and what it must be where that is known."""

    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    size: int | None = None
    sha256: str | None = None


def extras(chosen: Mapping[str, bool]) -> dict[str, bool]:
    """The extras of scoring code that are on, as the body of a build."""
    return {wire: True for name, wire in EXTRAS.items() if chosen.get(name)}


def scoring_code(deployment_id: str, chosen: Mapping[str, bool], *, source_code: bool) -> Source:
    """Scoring code of the champion; the page forbids sources with an agent."""
    if source_code and chosen.get("include_agent"):
        raise InvalidCall("source_code and include_agent cannot be combined")
    words = dict.fromkeys(extras(chosen), "true") | ({"sourceCode": "true"} if source_code else {})
    return Source("downloadDeploymentScoringCode", {"deploymentId": deployment_id, **words})


def image(client: Client) -> tuple[Source, dict[str, Any]]:
    """The Portable Prediction Server image and its metadata (operation getPortablePredictionServerImageMetadata)."""
    answer = client.call("getPortablePredictionServerImageMetadata")
    told = answer.object()
    if str(told.get("hashAlgorithm")).upper().replace("-", "") != "SHA256":
        text = f"the image has a {told.get('hashAlgorithm')} checksum, and only SHA256 is known"
        raise NotUnderstood(text, **answer.about())
    source = Source("downloadPortablePredictionServerImage", {}, int(told["imageSize"]), str(told["hash"]))
    return source, told


def log_of(location: str | None, deployment_id: str) -> Source:
    """The logs of a custom model's deployment: those that a job points to, else the last ones."""
    parts = str(location or "").partition("?")[0].strip("/").split("/")
    arguments = {"deploymentId": deployment_id}
    if len(parts) > 1 and parts[-2] == "logs":
        return Source("downloadCustomModelDeploymentLogById", {**arguments, "logId": parts[-1]})
    return Source("downloadCustomModelDeploymentLogs", arguments)


def result_pages(client: Client, limit: int, **arguments: Any) -> Iterator[bytes]:
    """Prediction results as CSV, page by page; only the first has a header line.

    The list ends with a page without rows: a page may be shorter than was asked for, and CSV has no ``next``.

    Operation: listDeploymentPredictionResults.

    :param limit: rows that a page is asked for.
    :raises RowsDiffer: a page has other columns than the first.
    """
    header, offset = b"", 0
    while True:
        answer = client.call("listDeploymentPredictionResults", Accept=CSV, limit=limit, offset=offset, **arguments)
        if answer.content_type != CSV:
            raise NotUnderstood(f"CSV was expected, not {answer.content_type}", **answer.about())
        first, _, rows = answer.content.partition(b"\n")
        count = lines_in(rows)
        if header and first.strip() and first.strip() != header.strip():
            raise RowsDiffer(f"the page from row {offset} on has other columns: {first!r}, not {header!r}")
        if not header:
            header = first
            yield first.rstrip(b"\r") + b"\n" if first.strip() else b""
        if not count:
            return
        offset += count
        yield rows if rows.endswith(b"\n") else rows + b"\n"


def lines_in(rows: bytes) -> int:
    """How many records these CSV lines are; a line break inside quotes ends none."""
    count, quoted = 0, False
    for line in rows.splitlines():
        quoted ^= line.count(b'"') % 2 == 1
        count += not quoted and bool(line.strip() or quoted)
    return count
