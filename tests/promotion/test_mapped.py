"""One promotion for each of several deployments: the group inside a mapped task group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.promotion.groups import champion, ill, promotion
from tests.tasks import GOVERNED, UNGOVERNED, V1, V2, V3, V4, Perform

if TYPE_CHECKING:
    from airflow_provider.emulator.door import EmulatorDoor

WANTED = [
    {"deployment_id": UNGOVERNED, "model_package_id": V3},
    {"deployment_id": GOVERNED, "model_package_id": V4},
]


def test_each_instance_takes_its_own_champion_back(service: EmulatorDoor, perform: Perform) -> None:
    """The templates of a mapped instance must see this instance only."""
    from airflow.sdk import task_group

    service.change("policies", "64f000000000000000000001", active=False)
    ill(service, GOVERNED)

    def make() -> None:
        @task_group
        def each(deployment_id: str, model_package_id: str) -> None:
            promotion(deployment_id=deployment_id, model_package_id=model_package_id, record=True)

        each.expand_kwargs(WANTED)

    done = perform(make)
    assert done.run.state == "failed"
    ended = {(one.task_id, one.map_index): str(one.state) for one in done.run.get_task_instances()}
    steps = ("before", "validate", "apply", "watch", "roll_back", "promoted", "record")
    found = [[ended[f"each.promotion.{step}", index] for step in steps] for index in (0, 1)]
    assert found == [
        ["success", "success", "success", "success", "skipped", "success", "success"],
        ["success", "success", "success", "failed", "success", "upstream_failed", "success"],
    ]
    assert (champion(service, UNGOVERNED), champion(service, GOVERNED)) == (V3, V1)
    back = done.read(done.run, "each.promotion.roll_back", map_index=1)
    assert (back["champion"]["model_package_id"], back["previous"]["model_package_id"]) == (V1, V4)
    records = [done.read(done.run, "each.promotion.record", map_index=index) for index in (0, 1)]
    assert [one["outcome"] for one in records] == ["promoted", "rolled_back"]
    assert [one["previous"]["model_package_id"] for one in records] == [V2, V1]
