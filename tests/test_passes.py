"""Which trials a pass has: by how well cells are known, and never by what was found."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.analysis.standing import Standing
from bench.config import Profile
from bench.passes import GROUP, next_pass
from bench.plan import Cell, Plan, make_plan
from bench.records.model import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping

BUDGET = Profile("quick", users=50, delay_s=0.2, budget_s=720.0)
CELLS = tuple(Cell("sync", f"io{number:02}", "uvicorn", 1) for number in range(20))
IDS = tuple(cell.id for cell in CELLS)
KNOWN = Standing(clean=True, trials=2, half_width=0.05)


def plan(profile: Profile = BUDGET, seed: int = 1) -> Plan:
    """Of twenty cells."""
    return make_plan(CELLS, profile, seed=seed)


def standing(**changed: Standing) -> dict[str, Standing]:
    """All known, but for these: named by their io kind."""
    others = {f"sync_{name}-uvicorn-w1": found for name, found in changed.items()}
    return dict.fromkeys(IDS, KNOWN) | others


def passed(
    found: Mapping[str, Standing],
    *,
    open_cells: tuple[str, ...] = (),
    of: Plan | None = None,
    left_s: float = math.inf,
) -> list[tuple[str, Cause, float | None]]:
    """The third pass: which io kinds, and why."""
    trials = next_pass(of or plan(), 3, found, lambda: open_cells, left_s)
    assert {trial.round for trial in trials} <= {3}
    return [(t.cell.io, t.purpose.cause, t.purpose.half_width) for t in trials]


def test_nothing_is_measured_that_is_known() -> None:
    """Then the run is over."""
    assert passed(standing()) == []


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (Standing(clean=True, trials=2, half_width=0.11), Cause.REFINE),
        (Standing(clean=True, trials=2, half_width=None), Cause.REFINE),
        (Standing(clean=True, trials=1, half_width=0.05), Cause.REFINE),
        (Standing(clean=False, trials=2, half_width=0.05), Cause.AGAIN),
        (Standing(clean=True, trials=2, half_width=0.05, more=2), Cause.REGIME),
        (Standing(clean=True, trials=2, half_width=0.05, swings=True), Cause.SWING),
        (Standing(clean=True, trials=2, half_width=None, regimes=True), None),
        (Standing(clean=False, hopeless=True), None),
        (Standing(clean=True, trials=2, half_width=0.10), None),
    ],
)
def test_what_is_measured_again_and_why(found: Standing, cause: Cause | None) -> None:
    """Each with the width at which that was decided."""
    expected = [] if cause is None else [("io07", cause, found.half_width)]
    assert passed(standing(io07=found)) == expected


def test_a_cell_whose_records_were_lost_is_measured() -> None:
    """As in a first pass."""
    found = standing()
    del found["sync_io03-uvicorn-w1"]
    assert passed(found) == [("io03", Cause.FIRST, None)]


def test_the_least_known_come_first_in_groups_of_their_own_order() -> None:
    """The unknown, then the widest; within a group the seed says, so neighbours differ."""
    wide = {
        f"io{n:02}": Standing(clean=True, trials=2, half_width=0.2 + n / 100) for n in range(20)
    }
    wide["io00"] = Standing(clean=True, trials=2)
    order = [io for io, _, _ in passed(standing(**wide))]
    assert len(order) == len(set(order)) == 20
    assert set(order[:GROUP]) == {"io00", *(f"io{n:02}" for n in range(13, 20))}
    assert set(order[GROUP : 2 * GROUP]) == {f"io{n:02}" for n in range(5, 13)}
    assert order[:GROUP] != sorted(order[:GROUP])
    assert order == [io for io, _, _ in passed(standing(**wide))]
    assert order != [io for io, _, _ in passed(standing(**wide), of=plan(seed=2))]


def test_a_swinging_cell_gets_a_longer_window() -> None:
    """As its standing says."""
    found = standing(io01=Standing(clean=True, trials=2, half_width=0.05, swings=True, stretch=4))
    (trial,) = next_pass(plan(), 3, found, tuple)
    assert trial.stretch == 4


def test_open_answers_come_when_all_cells_are_known() -> None:
    """Not before; and no cell that nothing helps."""
    found = standing(
        io02=Standing(clean=True, trials=2, regimes=True), io04=Standing(hopeless=True)
    )
    cells = (IDS[1], IDS[2], IDS[4])
    assert passed(found, open_cells=cells) == [("io01", Cause.ANSWER, 0.05)]
    found = standing(io09=Standing(clean=True, trials=2, half_width=0.3))
    assert passed(found, open_cells=cells) == [("io09", Cause.REFINE, 0.3)]


def test_a_fixed_design_repeats_only_what_has_no_numbers_and_once() -> None:
    """In the pass after its rounds."""
    fixed = plan(replace(BUDGET, budget_s=None, rounds=2))
    found = standing(
        io01=Standing(clean=False),
        io02=Standing(clean=True, trials=2, half_width=0.5),
        io03=Standing(hopeless=True),
    )
    assert passed(found, of=fixed) == [("io01", Cause.AGAIN, None)]
    assert next_pass(fixed, 4, found, tuple) == ()


def test_a_cell_of_one_trial_comes_before_little_wider_ones() -> None:
    """It is known worse than its interval says."""
    some = Standing(clean=True, trials=2, half_width=0.15)
    wide = {f"io{number:02}": some for number in range(12)}
    alone = Standing(clean=True, trials=1, half_width=0.05)
    names = [name for name, _, _ in passed(standing(**wide, io19=alone))]
    assert "io19" in names[:GROUP]
    assert len(names) == 13


def test_what_is_left_goes_where_it_makes_cells_known() -> None:
    """Six that need one trial each, of 4 s; one that needs a dozen gets none before them."""
    near = Standing(clean=True, trials=2, half_width=0.11, trial_s=4.0)
    far = Standing(clean=True, trials=4, half_width=0.20, trial_s=4.0)
    names = [f"io0{number}" for number in range(6)]
    found = standing(**dict.fromkeys(names, near), io07=far)
    assert {io for io, _, _ in passed(found, left_s=100.0)} == {*names, "io07"}
    assert {io for io, _, _ in passed(found, left_s=30.0)} == {*names}
    assert len(passed(found, left_s=21.0)) == 5


def test_few_cells_get_company() -> None:
    """Trials of one cell in a row have the machine's weather in common."""
    near = Standing(clean=True, trials=2, half_width=0.11, trial_s=4.0)
    far = Standing(clean=True, trials=4, half_width=0.20, trial_s=4.0)
    found = standing(io03=near, io05=far, io06=far, io07=far, io08=replace(far, trial_s=9.0))
    assert {io for io, _, _ in passed(found, left_s=5.0)} == {"io03", "io05", "io06", "io07"}


def test_the_cells_of_an_experiment_come_together() -> None:
    """They have one spread; so none is known much before the others."""
    cells = [Cell("sync", "json", server, 1) for server in ("uvicorn", "gunicorn", "hypercorn")]
    cells += [Cell("sync", f"io{number}", "uvicorn", 1) for number in range(3)]
    near = Standing(clean=True, trials=2, half_width=0.11, trial_s=4.0)
    found = {cell.id: near for cell in cells}
    trials = next_pass(make_plan(cells, BUDGET, seed=1), 3, found, list, 15.0)
    assert {trial.cell.io for trial in trials} == {"io0", "io1", "io2", "json"}
    trials = next_pass(make_plan(cells[:3], BUDGET, seed=1), 3, found, list, 5.0)
    assert len(trials) == 3


def test_a_budget_that_makes_nothing_known_goes_to_all() -> None:
    """As far as it goes."""
    far = Standing(clean=True, trials=4, half_width=0.20, trial_s=4.0)
    found = standing(io05=far, io06=replace(far, half_width=0.3))
    assert {io for io, _, _ in passed(found, left_s=3.0)} == {"io06", "io05"}


def test_a_lone_trial_and_a_gap_need_what_they_lack() -> None:
    """One more of a lone one, however wide; of a gap as many as it takes to judge it."""
    lone = Standing(clean=True, trials=1, half_width=0.5, trial_s=4.0)
    gap = Standing(clean=True, trials=3, half_width=0.05, more=2, trial_s=4.0)
    names = [f"io0{number}" for number in range(4)]
    found = standing(**dict.fromkeys(names, lone), io07=gap)
    assert {io for io, _, _ in passed(found, left_s=23.0)} == {*names}
    assert len(passed(found, left_s=24.0)) == 5
