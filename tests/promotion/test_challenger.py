"""The promotion that first lets the model challenge the champion, on the demo world's real data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.challengers.test_example import BETTER, CHAMPION, VISITS, WORSE, label
from tests.promotion.groups import champion, promotion, states
from tests.tasks import Perform, send

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

SETTINGS = {"challengerModels": {"enabled": True}, "predictionsDataCollection": {"enabled": True}}
RULE = {"metric": "LogLoss", "comparison": ">=", "threshold": 1}


@pytest.mark.parametrize(("package", "on_fail"), [(BETTER, "fail"), (WORSE, "skip")])
def test_only_a_model_that_is_better_on_numbers_is_promoted(
    service: EmulatorDoor, perform: Perform, package: str, on_fail: str
) -> None:
    send(service, "requester", "PATCH", f"deployments/{VISITS}/settings/", SETTINGS)
    service.advance(60)
    label(service)
    done = perform(
        lambda: (
            promotion(
                deployment_id=VISITS,
                model_package_id=package,
                challenger={**RULE, "on_fail": on_fail},
                record=True,
                default_args={"deferrable": True},
            )
            and None
        )
    )
    found = states(done)
    record = done["promotion.record"].result
    assert (found["challenger"], found["replay"]) == ("success", "success")
    if package == BETTER:
        assert done.run.state == "success"
        assert champion(service, VISITS) == BETTER
        assert record["steps"]["compare"]["result"]["best_model_package_id"] == BETTER
        return
    assert done.run.state == "success"
    assert (found["compare"], found["apply"], found["promoted"]) == ("skipped", "skipped", "skipped")
    assert record["steps"]["compare"]["told"]["outcome"] == "fail"
    assert record["outcome"] == "not_promoted"
    assert champion(service, VISITS) == CHAMPION
