"""The short forms of what `nox -s selfcheck` survives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.selfcheck import endurance, kills
from bench.selfcheck.endurance import Footprint, judge

if TYPE_CHECKING:
    from pathlib import Path

    from bench.paths import Paths


@pytest.mark.real
@pytest.mark.timeout(300)
def test_a_killed_matrix_is_completed_by_the_next_start(prepared: Paths, tmp_path: Path) -> None:
    """Every trial exactly once in the records, reports as of an unbroken run, nothing left."""
    found = kills.measure(prepared, tmp_path, kills=1, seed=3)
    assert [one.faults for one in found] == [()]


@pytest.mark.real
@pytest.mark.timeout(120)
def test_trials_leave_nothing_behind_in_the_harness(prepared: Paths) -> None:
    """After the first few, no more open files or processes with each trial."""
    loads = endurance.measure(prepared, 8)
    assert len({one.open_files for one in loads[2:]}) == 1
    assert len({one.children for one in loads[2:]}) == 1
    assert len({one.temporary for one in loads[2:]}) == 1


def test_growth_is_from_the_settled_state_on() -> None:
    """What the first trials took does not count; a leak does."""
    steady = [Footprint(100 + min(at, 10), 9, 2, 1) for at in range(40)]
    assert all(outcome.met for outcome in judge(steady, settled=20, around=5))
    leaking = [Footprint(100 + at, 9, 2, 1) for at in range(40)]
    assert not judge(leaking, settled=20, around=5)[0].met
    files = [Footprint(100, 9 + at // 10, 2, 1) for at in range(40)]
    assert not judge(files, settled=20, around=5)[1].met
