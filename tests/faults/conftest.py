"""The theatre on the emulator of the test run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.faults.theatre import theatre

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor
    from tests.faults.playing import Theatre


@pytest.fixture(scope="module")
def played(datarobot_emulator_server: EmulatorDoor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """One theatre for a module: what a good run asks for is found out once."""
    folder = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patches, theatre(datarobot_emulator_server, folder, patches) as found:
        yield found
