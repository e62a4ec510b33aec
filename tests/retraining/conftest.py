"""The stage, and a retraining policy with somebody who works on it too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests import harness
from tests.retraining.people import Trainer
from tests.stages import stage

if TYPE_CHECKING:
    from tests.harness import Stage

__all__ = ["stage", "trainer"]
RUNS = r"/api/v2/deployments/\w+/retrainingPolicies/\w+/runs/"
harness.LINES["createDeploymentRetrainingPolicyRun"] = f"POST {RUNS}"
harness.LINES["listDeploymentRetrainingPolicyRuns"] = f"GET {RUNS}"
harness.LINES["getDeploymentRetrainingPolicyRun"] = rf"GET {RUNS}\w+/"


@pytest.fixture
def trainer(stage: Stage) -> Iterator[Trainer]:
    """Somebody who has made a policy, and can start and cancel runs of it."""
    with Trainer(stage) as trainer:
        yield trainer
