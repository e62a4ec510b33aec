"""The set of ids on disk is a set, and leaves nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.mlops.seen import SeenOnDisk
from tests.mlops.inputs import InMemory, numbered, packed

CALLS = st.lists(st.lists(st.sampled_from(["a", "b", "c", "é", "\ud800", "", "d" * 128]), unique=True), max_size=8)


@given(CALLS, st.sets(st.integers(0, 7)))
def test_it_knows_what_a_set_knows(calls: list[list[str]], forgotten: set[int]) -> None:
    model = InMemory()
    with tempfile.TemporaryDirectory() as folder, SeenOnDisk(Path(folder)) as seen:
        for number, names in enumerate(calls):
            assert seen.add(names) == model.add(names)
            if number in forgotten:
                seen.forget()
                model.forget()


def test_it_begins_empty_and_goes_away(tmp_path: Path) -> None:
    for _ in range(2):
        with SeenOnDisk(tmp_path) as seen:
            assert seen.add(["a"]) == [False]
        assert list(tmp_path.iterdir()) == []


def test_a_file_that_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "seen.sqlite").write_bytes(b"garbage")
    with SeenOnDisk(tmp_path) as seen:
        assert seen.add(["a", "b"]) == [False, False]


def test_chunks_are_the_same_as_with_a_set_in_memory(tmp_path: Path) -> None:
    pairs = [(str(n * n % 701), str(n)) for n in range(5_000)]
    with SeenOnDisk(tmp_path) as seen:
        assert packed(numbered(*pairs), seen=seen, size=90) == packed(numbered(*pairs), size=90)
