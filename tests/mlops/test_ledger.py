"""The ledger says after a restart what it said before, and counts what may have arrived."""

from __future__ import annotations

import copy
import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.mlops.actuals import Chunk
from airflow_provider.mlops.ledger import ChangedInput, Ledger, LedgerInUse, LedgerUnreadable, Outcome, account
from airflow_provider.mlops.row_check import Tally
from tests.mlops.folder import Folder

RUN, RETRY, OTHER = "dag/run/task/-1#1", "dag/run/task/-1#2", "dag/other/task/-1#1"


def chunk(number: int, rows: int = 10, digest: str = "d") -> Chunk:
    return Chunk(number, 0, rows, f"{digest}{number}", b"")


def state(ledger: Ledger) -> Any:
    return copy.deepcopy((ledger.entries, ledger.charges, ledger.began, ledger.unsure, ledger.latest))


STEPS = st.lists(
    st.tuples(st.sampled_from(["intend", "sent", "done", "failed", "lost", "refused"]), st.sets(st.integers(0, 3))),
    max_size=12,
)


@given(STEPS, st.sampled_from([RUN, RETRY, OTHER]))
def test_a_ledger_that_is_read_again_is_the_same(steps: list[tuple[str, set[int]]], by: str) -> None:
    folder, now = Folder(), 1000.0
    ledger = Ledger.read(folder, RUN)
    for step, numbers in steps:
        now += 1
        if step == "intend":
            ledger.intend([chunk(number) for number in numbers], 2, now)
        known = {number for number in numbers if number in ledger.entries and ledger.entries[number].unsure}
        if step == "sent":
            ledger.sent({number: f"status/{number}-{now}/" for number in known}, now)
        elif step != "intend":
            ledger.over(dict.fromkeys(known, (cast("Outcome", step), "why")))
    again = Ledger.read(folder, by)
    assert state(again) == state(ledger)
    assert [json.loads(raw)["v"] for raw in folder.files.values()] == [1] * len(folder.files)
    for entry in again.entries.values():
        assert entry.tries <= entry.sends


def test_the_order_of_files_is_that_of_their_numbers() -> None:
    folder = Folder()
    ledger = Ledger(folder, RUN, latest=999_998)
    for number in range(3):
        ledger.intend([chunk(number)], 1, float(number))
    assert list(folder.files) == ["999999.intended.json", "1000000.intended.json", "1000001.intended.json"]
    assert Ledger.read(folder, RUN).began == 0.0
    assert Ledger.read(folder, RUN).latest == 1_000_001


@pytest.mark.parametrize("name", [".000001.intended.json.part", "000002.what.json", "readme", "x.sent.json", "7"])
def test_other_files_are_passed_over(name: str) -> None:
    folder = Folder()
    folder.files[name] = b"?"
    assert Ledger.read(folder, RUN).latest == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "000001.intended.json is damaged"),
        (b'{"at": 1}', "is damaged"),
        (b"[]", "is damaged"),
        (b'{"v": 2}', r"written by another release \(version 2, this one reads 1\)"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(content: bytes, told: str) -> None:
    folder = Folder()
    folder.files["000001.intended.json"] = content
    with pytest.raises(LedgerUnreadable, match=told):
        Ledger.read(folder, RUN)


def test_two_who_write_at_the_same_time_are_told() -> None:
    folder = Folder()
    mine, theirs = Ledger.read(folder, RUN), Ledger.read(folder, OTHER)
    mine.intend([chunk(0)], 1, 0.0)
    with pytest.raises(LedgerInUse) as caught:
        theirs.intend([chunk(0)], 1, 0.0)
    assert caught.value.retryable


def test_a_changed_chunk_is_noticed() -> None:
    ledger = Ledger(Folder(), RUN)
    ledger.intend([chunk(0)], 1, 0.0)
    assert ledger.entry(chunk(0)) is not None
    assert ledger.entry(chunk(1)) is None
    with pytest.raises(ChangedInput, match=r"chunk 0 \(7 rows\) is not what it was.*on_changed_input='resend'"):
        ledger.entry(chunk(0, 7, "other"))
    assert ledger.entry(chunk(0, 7, "other"), resend_changed=True) is None
    ledger.intend([chunk(0, 7, "other")], 1, 1.0)
    entry = Ledger.read(ledger.store, RUN).entry(chunk(0, 7, "other"))
    assert entry is not None
    assert (entry.rows, entry.sends) == (7, 1)


def test_when_the_first_pass_began_is_kept() -> None:
    """What it refused as from the future stays refused in later passes."""
    ledger = Ledger(Folder(), RUN, began=90.0)
    ledger.intend([chunk(0)], 1, 100.0)
    later = Ledger.read(ledger.store, RETRY)
    later.intend([chunk(1)], 1, 200.0)
    assert later.began == Ledger.read(ledger.store, OTHER).began == 90.0


def test_charges_are_of_the_time_by_which_rows_have_arrived() -> None:
    """The service counts them at some time until then: only the latest is right for every hour."""
    ledger = Ledger(Folder(), RUN)
    ledger.intend([chunk(0), chunk(1), chunk(2)], 3, 100.0)
    assert sorted(ledger.spent()) == [(160.0, 30)] * 3
    ledger.sent({0: "status/a/", 1: "status/b/"}, 103.0)
    assert sorted(ledger.spent()) == [(103.0, 30), (103.0, 30), (160.0, 30)]
    ledger.over({2: ("refused", "429")})
    assert sorted(ledger.spent()) == [(103.0, 30), (103.0, 30)], "what was turned away costs nothing"
    ledger.intend([chunk(2)], 3, 200.0)
    ledger.intend([chunk(2)], 3, 201.0)
    assert sorted(ledger.spent())[2:] == [(260.0, 30), (261.0, 30)], "both may have arrived, and late"


def test_what_may_have_arrived_without_an_answer_is_remembered() -> None:
    ledger = Ledger(Folder(), RUN)
    ledger.intend([chunk(0), chunk(1)], 1, 100.0)
    ledger.over({1: ("refused", None)})
    ledger.intend([chunk(1)], 1, 150.0)
    assert ledger.unsure == 0.0
    ledger.sent({1: "status/b/"}, 155.0)
    ledger.intend([chunk(0)], 1, 160.0)
    assert ledger.unsure == 100.0
    ledger.over({0: ("failed", "504")})
    assert ledger.unsure == 160.0


def test_jobs_are_settled_by_their_path() -> None:
    """A wait that is older than a second sending of its chunk says nothing about it."""
    ledger = Ledger(Folder(), RUN)
    ledger.intend([chunk(0), chunk(1)], 1, 0.0)
    ledger.sent({0: "status/a/", 1: "status/b/"}, 0.0)
    ledger.settle({"status/b/": ("lost", "EXPIRED")})
    ledger.intend([chunk(1)], 1, 1.0)
    ledger.sent({1: "status/c/"}, 1.0)
    before = ledger.latest
    ledger.settle({"status/b/": ("failed", "ERROR"), "status/x/": ("done", None)})
    assert (ledger.latest, ledger.entries[1].outcome) == (before, None)
    ledger.settle({"status/a/": ("done", None), "status/c/": ("done", None)})
    assert [ledger.entries[number].outcome for number in (0, 1)] == ["done", "done"]


def test_the_account_tells_own_rows_others_and_repeats() -> None:
    folder = Folder()
    others = Ledger(folder, OTHER)
    others.intend([chunk(0, 5)], 1, 0.0)
    others.sent({0: "status/0/"}, 0.0)
    others.over({0: ("done", None)})
    first = Ledger.read(folder, RUN)
    first.intend([chunk(1, 7), chunk(2, 3)], 1, 0.0)
    first.sent({1: "status/1/"}, 0.0)
    first.over({1: ("done", None)})
    tally = Tally(read=20, rejected=2, duplicate=1, packed=16)
    assert account(tally, first, 4) == {
        "read": 20, "sent": 7, "rejected": 2, "skipped": 6, "pending": 5, "repeated": 0
    }  # fmt: skip
    retry = Ledger.read(folder, RETRY)
    retry.intend([chunk(2, 3)], 1, 0.0)
    retry.sent({2: "status/2/"}, 0.0)
    retry.over({2: ("done", None)})
    assert account(tally, retry, 4) == {
        "read": 20, "sent": 10, "rejected": 2, "skipped": 6, "pending": 2, "repeated": 3
    }  # fmt: skip
    assert account(tally, retry, 2)["sent"] == 7, "chunks that were not read yet are not counted"
