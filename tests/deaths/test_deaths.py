"""Each process, killed at each moment: the work happens once, or the error says what is not known."""

from __future__ import annotations

import pytest

from tests.deaths.account import Account
from tests.deaths.judging import expected, judge
from tests.deaths.matrix import Death, deaths
from tests.deaths.scene import Scene

pytestmark = pytest.mark.deaths


@pytest.mark.parametrize("death", list(deaths()), ids=str)
def test_what_is_begun_is_done_once_whoever_dies(scene: Scene, account: Account, death: Death) -> None:
    ended = scene.play(death)
    found = death.story.effects(scene.service, ended.conf)
    verdict = judge(death.story, ended.state, found, ended.result, ended.log)
    account.note(death, ended, found, verdict)
    assert verdict in expected(death), f"{verdict}: {ended.state} with {found}, {ended.sent} sent\n{ended.log}"
