"""What ends a wait: the words of the service and what each of them means, as one table.

A word that no row lists is not an end: the wait goes on for a grace period and then fails and names the word
(see ``waiting.py``). A 303 always wins over any word. Sources stand with each row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Ending = Literal["pending", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Endings:
    """How the answers about one kind of object are read.

    ``field`` and ``message`` are dotted paths into the JSON answer; ``words`` maps what stands in ``field`` to its
    meaning; ``absent`` is the meaning of a 404 that lasts (a deleted thing is a wish fulfilled, a lost one is not; with
    ``pending`` it may still come). ``keeps`` lists the dotted paths that a result keeps of the answer; None: all of it.
    """

    field: str
    words: Mapping[str, Ending]
    message: str | None = None
    absent: Ending = "failed"
    keeps: tuple[str, ...] | None = None


# wire.md A.1: status objects. EXPIRED comes in a 200; RUNNING_TO_WORKERS and STARTED_ON_WORKER from the files API.
JOB = Endings(
    field="status",
    words={
        "INITIALIZED": "pending",
        "RUNNING": "pending",
        "RUNNING_TO_WORKERS": "pending",
        "STARTED_ON_WORKER": "pending",
        "COMPLETED": "done",
        "ERROR": "failed",
        "ABORTED": "failed",
        "EXPIRED": "failed",
    },
    message="message",
)

# wire.md H: the status URL ends with 303 even when the export failed, so the entity decides.
EXPORT = Endings(
    field="status",
    words={
        "CREATED": "pending",
        "SCHEDULED": "pending",
        "RUNNING": "pending",
        "SUCCEEDED": "done",
        "FAILED": "failed",
        "CANCELLED": "failed",
    },
    message="error.message",
)

# wire.md I: buildStatus of a model package or registered model version. The page allows null, which is taken to mean
# that there is nothing to build (assumed).
PACKAGE = Endings(
    field="buildStatus", words={"inProgress": "pending", "complete": "done", "None": "done", "failed": "failed"}
)

# wire.md I: status of a deployment; which of the steady words is the wished one is an argument of the wait.
DEPLOYMENT = Endings(
    field="status",
    words={
        "launching": "pending",
        "replacingModel": "pending",
        "stopping": "pending",
        "active": "pending",
        "inactive": "pending",
        "errored": "failed",
        "archived": "failed",
    },
)

# wire.md I: deletion is not instantaneous; clients look until 404.
DELETION = Endings(field="status", words=dict.fromkeys(DEPLOYMENT.words, "pending"), absent="done")

# seed 000:1210-1222 and wire.md F: a change request that is being applied. ``approved`` is where it starts from.
APPLICATION = Endings(
    field="status",
    words={
        "pending": "pending",
        "approved": "pending",
        "resolving": "pending",
        "resolved": "done",
        "cancelled": "failed",
        "changesRequested": "failed",
    },
)

# wire.md J: datasets are usable once processed.
DATASET = Endings(
    field="processingState",
    words={"RUNNING": "pending", "COMPLETED": "done", "ERROR": "failed"},
    message="error",
)

# No page has the words of a webhook test (wire.md I); these are taken by their meaning. The log of the test repeats the
# request with its secret headers, so nothing of it is kept.
WEBHOOK_TEST = Endings(
    field="status",
    words={
        **dict.fromkeys(("pending", "created", "queued", "scheduled", "running", "inProgress", "sending"), "pending"),
        **dict.fromkeys(("sent", "success", "succeeded", "successful", "completed", "delivered", "ok"), "done"),
        **dict.fromkeys(("failed", "failure", "error", "errored", "rejected", "undelivered"), "failed"),
    },
    absent="pending",
    keeps=("status",),
)

# wire.md J: the entity of a batch prediction tells, by a plain 200 (never 303).
BATCH_PREDICTION = Endings(
    field="status",
    words={
        "INITIALIZING": "pending",
        "RUNNING": "pending",
        "COMPLETED": "done",
        "ABORTED": "failed",
        "FAILED": "failed",
    },
    message="statusDetails",
)

ENTITIES: Mapping[str, Endings] = {
    "export": EXPORT,
    "package": PACKAGE,
    "deployment": DEPLOYMENT,
    "deletion": DELETION,
    "application": APPLICATION,
    "dataset": DATASET,
    "batch_prediction": BATCH_PREDICTION,
    "webhookTest": WEBHOOK_TEST,
}
