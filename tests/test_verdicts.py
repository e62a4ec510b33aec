"""The judge can find against us: each way to be wrong has a verdict of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import V1, V3, V4, Ending
from tests.verdicts import Facts, Verdict, judge, tally

RESULT: dict[str, Any] = {"champion": {"model_package_id": V3}, "change_request": None, "sent_twice": []}
DONE = Facts(champion=V3, replaced=1, requests=1, accepted={})
NOTHING = Facts(champion=V1, replaced=0, requests=0, accepted={})


def success(**changes: Any) -> Ending:
    return Ending("success", {**RESULT, **changes})


def failure(text: str) -> Ending:
    return Ending("failed", error=RuntimeError(text))


@pytest.mark.parametrize(
    ("ending", "facts", "verdict"),
    [
        (success(), DONE, "right"),
        (success(), Facts(V1, 0, 1, {}), "wrong: success, and the champion is"),
        (success(), Facts(V4, 1, 1, {}), "wrong: success, and the champion is"),
        (success(), Facts(V3, 0, 1, {}), "wrong: success, and the champion is"),
        (success(champion={"model_package_id": V4}), DONE, "wrong: the result names another champion"),
        (success(), Facts(V3, 1, 0, {}), "wrong: a change request is missing"),
        (success(), Facts(V3, 2, 1, {}), "wrong: silent duplicate"),
        (success(), Facts(V3, 1, 2, {}), "wrong: silent duplicate"),
        (success(change_request={"duplicates": []}), Facts(V3, 1, 2, {}), "wrong: silent duplicate"),
        (success(change_request={"duplicates": ["x"]}), Facts(V3, 1, 2, {}), "reported"),
        (success(sent_twice=["replaceDeploymentModel"]), Facts(V3, 2, 1, {}), "reported"),
        (failure("JobFailed: no"), NOTHING, "loud: JobFailed"),
        (failure("JobFailed: no"), DONE, "wrong: failed with JobFailed"),
        (failure("JobFailed: no"), Facts(V4, 1, 1, {}), "wrong: failed with JobFailed"),
        (failure("OutcomeUnknown: who knows"), DONE, "unsure: OutcomeUnknown"),
        (failure("OutcomeUnknown: who knows"), Facts(V4, 1, 1, {}), "wrong: failed with OutcomeUnknown"),
        (failure("OutcomeUnknown: who knows"), Facts(V3, 2, 1, {}), "reported: OutcomeUnknown"),
        (Ending("retry", error=RuntimeError("ServiceFailed: away")), NOTHING, "loud: ServiceFailed"),
    ],
)
def test_each_way_to_be_wrong_is_found(ending: Ending, facts: Facts, verdict: str) -> None:
    assert str(judge(ending, facts, target=V3, before=V1, requests=(1, 1))).startswith(verdict)


def test_a_tally_counts_and_names_what_is_wrong() -> None:
    words, wrong = tally([("one", Verdict("right")), ("two", Verdict("wrong", "why")), ("three", Verdict("right"))])
    assert words == {"right": 2, "wrong": 1}
    assert wrong == ["two: why"]
