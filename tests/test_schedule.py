"""The order of things over a plan, with a fake for what measures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.plan import Cell, PlannedTrial
from bench.run.schedule import run_plan
from tests.support.records import trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.model import TrialRecord

CELL = Cell("sync", "http", "uvicorn", 1)
# Not in the order of their numbers: the plan's order counts.
PLAN = [PlannedTrial(index, index, CELL) for index in (3, 1, 4, 2)]


class Diary:
    """Writes down what is called, in order; measuring one trial may fail."""

    def __init__(self, *, fails_at: int | None = None, full_at: int | None = None) -> None:
        self.entries: list[str] = []
        self._fails_at = fails_at
        self._full_at = full_at

    def measure(self, planned: PlannedTrial) -> TrialRecord:
        """A record with the trial's number."""
        self.entries.append(f"measure {planned.index}")
        if planned.index == self._fails_at:
            raise KeyboardInterrupt
        return trial(index=planned.index, round=planned.round)

    def keep(self, record: TrialRecord) -> None:
        """Where the disk may be full."""
        if record.index == self._full_at:
            raise OSError("No space left on device")
        self.entries.append(f"keep {record.index}")

    def tell(self, record: TrialRecord, done: int) -> None:
        """With how many are done."""
        self.entries.append(f"tell {record.index} as {done}")


def run(diary: Diary, done: Sequence[int] = ()) -> int:
    """The plan, as far as it comes, when these are done."""
    recorded = [trial(index=index, round=index) for index in done]
    return run_plan(PLAN, recorded, measure=diary.measure, keep=diary.keep, tell=diary.tell)


def test_each_trial_is_measured_kept_and_told_before_the_next() -> None:
    """In the plan's order; what a person has seen is on disk."""
    diary = Diary()
    assert run(diary) == 4
    assert diary.entries == [
        *("measure 3", "keep 3", "tell 3 as 1"),
        *("measure 1", "keep 1", "tell 1 as 2"),
        *("measure 4", "keep 4", "tell 4 as 3"),
        *("measure 2", "keep 2", "tell 2 as 4"),
    ]


def test_what_is_done_is_not_measured_again() -> None:
    """It counts as done, though, whatever its order."""
    diary = Diary()
    assert run(diary, done=[4, 3]) == 2
    assert diary.entries == [
        *("measure 1", "keep 1", "tell 1 as 3"),
        *("measure 2", "keep 2", "tell 2 as 4"),
    ]


def test_a_finished_plan_measures_nothing() -> None:
    """Going on with it does no harm."""
    diary = Diary()
    assert run(diary, done=[1, 2, 3, 4]) == 0
    assert diary.entries == []


def test_an_interrupt_leaves_what_was_kept() -> None:
    """It comes out as it is; nothing more is started, kept or told."""
    diary = Diary(fails_at=4)
    with pytest.raises(KeyboardInterrupt):
        run(diary)
    assert diary.entries == [
        *("measure 3", "keep 3", "tell 3 as 1"),
        *("measure 1", "keep 1", "tell 1 as 2"),
        "measure 4",
    ]


def test_what_could_not_be_kept_is_not_told() -> None:
    """A full disk stops the run before anything is claimed."""
    diary = Diary(full_at=1)
    with pytest.raises(OSError, match="No space"):
        run(diary)
    assert diary.entries == ["measure 3", "keep 3", "tell 3 as 1", "measure 1"]


def test_a_trial_is_known_by_what_it_measures_and_not_by_its_number() -> None:
    """In a plan of other cells it has another number; twin and round are trials of their own."""
    other = replace(CELL, io="json")
    plan = [
        PlannedTrial(1, 1, other),
        PlannedTrial(2, 1, CELL),
        PlannedTrial(3, 1, CELL, twin=True),
        PlannedTrial(4, 2, CELL),
    ]
    done = [trial(index=1, round=1), trial(index=2, round=1, cell="of the plan before")]
    diary = Diary()
    assert run_plan(plan, done, measure=diary.measure, keep=diary.keep, tell=diary.tell) == 3
    assert diary.entries == [
        *("measure 1", "keep 1", "tell 1 as 2"),
        *("measure 3", "keep 3", "tell 3 as 3"),
        *("measure 4", "keep 4", "tell 4 as 4"),
    ]
