"""The order of things over a run, with a fake for what measures."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.config import Profile
from bench.plan import Cell, Plan, PlannedTrial, make_plan
from bench.records.model import Cause
from bench.run.schedule import Hands, Progress, run_plan
from tests.support.records import measured, trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records.model import TrialRecord

CORES = 2
CELL = Cell("sync", "http", "uvicorn", 1)
FIXED = Profile("p", users=8, delay_s=1.0, rounds=1)
# Not in the order of their numbers: the plan's order counts.
PLAN = replace(
    make_plan([CELL], FIXED, seed=1),
    trials=tuple(PlannedTrial(index, index, CELL) for index in (3, 1, 4, 2)),
    profile=replace(FIXED, rounds=4),
)
CELLS = tuple(Cell("sync", f"io{number}", "uvicorn", 1) for number in range(6))


class Diary:
    """Writes down what is called, in order; measuring one trial may fail."""

    def __init__(
        self,
        rates: Callable[[PlannedTrial], float] = lambda _: 100.0,
        *,
        fails_at: int | None = None,
        full_at: int | None = None,
        wall_s: float = 10.0,
    ) -> None:
        self.entries: list[str] = []
        self.planned: list[PlannedTrial] = []
        self.records: list[TrialRecord] = []
        self._rates, self._wall_s = rates, wall_s
        self._fails_at, self._full_at = fails_at, full_at

    def measure(self, planned: PlannedTrial) -> TrialRecord:
        """A record with the trial's number."""
        self.entries.append(f"measure {planned.round}")
        if planned.round == self._fails_at:
            raise KeyboardInterrupt
        self.planned.append(planned)
        return trial(
            index=planned.index, round=planned.round, cell=planned.cell.id, twin=planned.twin,
            experiment=planned.cell.experiment, wall_s=self._wall_s, purpose=planned.purpose,
            measured=measured(throughput_rps=self._rates(planned)),
        )  # fmt: skip

    def keep(self, record: TrialRecord) -> None:
        """Where the disk may be full."""
        if record.round == self._full_at:
            raise OSError("No space left on device")
        self.entries.append(f"keep {record.round}")
        self.records.append(record)

    def tell(self, record: TrialRecord, progress: Progress) -> None:
        """With how many are done."""
        self.entries.append(f"tell {record.round} as {progress.done}")

    def run(self, plan: Plan, done: Sequence[TrialRecord] = ()) -> int:
        """The plan, as far as it comes, when these are done."""
        return run_plan(plan, done, CORES, Hands(self.measure, self.keep, self.tell))

    @property
    def passes(self) -> dict[int, list[str]]:
        """The io kinds of each pass, in order; a twin with a plus."""
        found: dict[int, list[str]] = {}
        for planned in self.planned:
            name = planned.cell.io + "+" * planned.twin
            found.setdefault(planned.round, []).append(name)
        return found


def done(*rounds: int) -> list[TrialRecord]:
    """Records of the one cell."""
    return [trial(index=number, round=number, cell=CELL.id) for number in rounds]


def test_each_trial_is_measured_kept_and_told_before_the_next() -> None:
    """Round after round; what a person has seen is on disk."""
    diary = Diary()
    assert diary.run(PLAN) == 4
    assert diary.entries == [
        *("measure 1", "keep 1", "tell 1 as 1"),
        *("measure 2", "keep 2", "tell 2 as 2"),
        *("measure 3", "keep 3", "tell 3 as 3"),
        *("measure 4", "keep 4", "tell 4 as 4"),
    ]


def test_what_is_done_is_not_measured_again() -> None:
    """It counts as done, though, whatever its order."""
    diary = Diary()
    assert diary.run(PLAN, done(4, 2)) == 2
    assert diary.entries == [
        *("measure 1", "keep 1", "tell 1 as 3"),
        *("measure 3", "keep 3", "tell 3 as 4"),
    ]


def test_a_finished_plan_measures_nothing() -> None:
    """Going on with it does no harm."""
    diary = Diary()
    assert diary.run(PLAN, done(1, 2, 3, 4)) == 0
    assert diary.entries == []


def test_an_interrupt_leaves_what_was_kept() -> None:
    """It comes out as it is; nothing more is started, kept or told."""
    diary = Diary(fails_at=3)
    with pytest.raises(KeyboardInterrupt):
        diary.run(PLAN)
    assert diary.entries[-3:] == ["keep 2", "tell 2 as 2", "measure 3"]


def test_what_could_not_be_kept_is_not_told() -> None:
    """A full disk stops the run before anything is claimed."""
    diary = Diary(full_at=2)
    with pytest.raises(OSError, match="No space"):
        diary.run(PLAN)
    assert diary.entries == ["measure 1", "keep 1", "tell 1 as 1", "measure 2"]


def test_a_trial_is_known_by_what_it_measures_and_not_by_its_number() -> None:
    """In a plan of other cells it has another number; twin and round are trials of their own."""
    plan = make_plan([CELL, replace(CELL, io="json")], replace(FIXED, rounds=2), seed=1)
    before = [trial(index=9, round=1, cell=CELL.id), trial(round=1, cell="of the plan before")]
    diary = Diary()
    assert diary.run(plan, before) == 5
    assert sorted(diary.passes[1]) == ["http+", "json"]
    assert sorted(diary.passes[2]) == ["http", "http+", "json"]
    assert [planned.index for planned in diary.planned] == [2, 3, 4, 5, 6]


def budget(minutes: float, cells: Sequence[Cell] = CELLS, precision: float = 0.1) -> Plan:
    """A plan that has so long."""
    profile = Profile("p", users=8, delay_s=1.0, budget_s=60 * minutes, precision=precision)
    return make_plan(cells, profile, seed=1)


NOISE = (-1.0, 1.0, 0.2, -0.6, 0.6, -0.2, 0.9, -0.9, 0.4, -0.4)  # of a cell's trials, by pass


def noisy(deviation: float) -> Callable[[PlannedTrial], float]:
    """Trials of one cell lie apart, in one heap."""
    return lambda planned: 100.0 * math.exp(deviation * NOISE[planned.round % len(NOISE)])


def test_steady_cells_are_measured_twice_and_then_answers() -> None:
    """No pass of refinement where all is known; nothing to answer with one experiment alone."""
    diary = Diary(noisy(0.001))
    diary.run(budget(60, CELLS[:1]))
    assert sorted(diary.passes) == [1, 2]
    assert {planned.purpose.cause for planned in diary.planned} == {Cause.FIRST}


def test_cells_that_are_not_known_come_again_until_they_are() -> None:
    """With the reason; each pass is decided on the ones before."""
    diary = Diary(noisy(0.15))
    diary.run(budget(600))
    causes = [planned.purpose.cause for planned in diary.planned]
    assert causes.count(Cause.FIRST) == 2 * (len(CELLS) + 1)
    assert Cause.REFINE in causes
    widths = [p.purpose.half_width for p in diary.planned if p.purpose.cause is Cause.REFINE]
    assert all(width is not None and width > 0.1 for width in widths)
    # And then no more: the run ends of itself, long before its ten hours.
    assert len(diary.planned) < 100


@pytest.mark.parametrize("minutes", [0.1, 1, 2.5, 5, 7])
def test_a_budget_is_overdrawn_by_one_trial_at_most(minutes: float) -> None:
    """Whatever is known by then; also within the first passes."""
    diary = Diary(noisy(0.25), wall_s=10.0)
    diary.run(budget(minutes))
    spent_s = sum(record.wall_s for record in diary.records)
    assert minutes * 60 <= spent_s < minutes * 60 + 10.0


def test_a_larger_budget_goes_on_where_a_smaller_one_ended() -> None:
    """Nothing is measured twice; what is worth its time is decided by what is left of it."""
    whole = Diary(noisy(0.25))
    whole.run(budget(6))
    first, then = Diary(noisy(0.25)), Diary(noisy(0.25))
    first.run(budget(2.7))
    then.run(budget(6), first.records)
    made = [(p.cell.id, p.round, p.twin) for p in first.planned + then.planned]
    assert len({*made}) == len(made) == len(whole.planned)
    declared = [p for p in whole.planned if p.round <= 2]
    assert (first.planned + then.planned)[: len(declared)] == declared


def test_an_interrupted_pass_goes_on_as_it_was_decided() -> None:
    """Although some of its trials tell more by now."""
    whole = Diary(noisy(0.25))
    whole.run(budget(5))
    for kept in range(len(whole.records)):
        rest = Diary(noisy(0.25))
        rest.run(budget(5), whole.records[:kept])
        assert rest.planned == whole.planned[kept:]


def test_what_is_found_does_not_matter_only_how_well() -> None:
    """Rates of cells exchanged, with the same spread: the same trials in the same order."""

    def scaled(factor: Callable[[str], float]) -> Callable[[PlannedTrial], float]:
        return lambda planned: noisy(0.12)(planned) * factor(planned.cell.io)

    level, uneven = Diary(scaled(lambda _: 1.0)), Diary(scaled(lambda io: 1 + 3 * int(io[-1])))
    level.run(budget(8))
    uneven.run(budget(8))
    assert [p.cell.id for p in level.planned] == [p.cell.id for p in uneven.planned]


def test_neighbours_in_time_are_different_cells() -> None:
    """In any pass: a disturbance of seconds hits no cell twice in a row."""
    diary = Diary(noisy(0.25))
    diary.run(budget(10))
    for cells in diary.passes.values():
        plain = [name.rstrip("+") for name in cells]
        assert len(set(plain)) >= len(plain) - 1
