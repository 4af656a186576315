"""How long a plan will take, held against what was recorded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import pytest

from bench.config import Profile
from bench.estimate import declared_s, expected, trial_s
from bench.paths import ROOT
from bench.plan import Cell, make_plan
from bench.records import journal

if TYPE_CHECKING:
    from bench.records.model import TrialRecord

CORES = 2
FIXED = Profile(
    "p", users=101, delay_s=1.0, spawn_rate=100.0, warmup_s=3.0, duration_s=6.0, rounds=3
)
CELLS = tuple(Cell(endpoint, "json", "uvicorn", 1) for endpoint in ("sync", "async"))
PUBLISHED = journal.read_run(ROOT / "reports/latest.run.json")
TRIALS = journal.read_trials(ROOT / "reports/latest.trials.jsonl").records


def cell(record: TrialRecord) -> Cell:
    """The one that a record is of."""
    return Cell(record.endpoint, record.io, record.server, record.workers, record.python)


def seconds(iso: str) -> float:
    """Of the day."""
    hours, minutes, rest = iso[11:23].split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def test_it_is_near_what_each_cell_took() -> None:
    """In the published run: each within 30 %, half of them within 8 %."""
    took: dict[Cell, list[float]] = defaultdict(list)
    for record in TRIALS:
        if record.measured is not None and record.measured.load.stretch == 1:
            took[cell(record)].append(record.wall_s)
    assert len(took) == len(PUBLISHED.cells)
    cores = PUBLISHED.host.cores
    off = [trial_s(one, PUBLISHED.profile, cores) / median(each) - 1 for one, each in took.items()]
    assert max(map(abs, off)) < 0.30
    assert median(map(abs, off)) < 0.08


def test_it_is_near_what_a_fixed_design_takes() -> None:
    """Two rounds of the published cells, each as long as it needs: within 15 %, as recorded."""
    profile = replace(PUBLISHED.profile, budget_s=None, rounds=2)
    plan = make_plan(tuple({cell(record): None for record in TRIALS}), profile, seed=1)
    recorded = [record for record in TRIALS if record.round <= 2]
    took_s = sum(record.wall_s for record in recorded)
    assert len(plan.trials) == len(recorded)
    assert declared_s(plan, PUBLISHED.host.cores) == pytest.approx(took_s, rel=0.15)


def test_a_budget_that_is_used_takes_itself_and_what_is_around_it() -> None:
    """The published run, from its first second to its last: within 3 %."""
    plan = make_plan(
        tuple({cell(record): None for record in TRIALS}), PUBLISHED.profile, seed=PUBLISHED.seed
    )
    takes = expected(plan, cores=PUBLISHED.host.cores, controls=True)
    assert PUBLISHED.finished is not None
    took_s = seconds(PUBLISHED.finished) - seconds(PUBLISHED.started)
    assert takes.most_s == pytest.approx(took_s, rel=0.03)
    assert takes.least_s < takes.most_s


def test_what_is_fixed_is_taken_as_it_is() -> None:
    """Ramp, warm-up and window, with about a second around each."""
    plan = make_plan(CELLS, FIXED, seed=1)
    assert len(plan.trials) == 9
    assert declared_s(plan, CORES) == pytest.approx(9 * (1 + 3 + 6 + 0.98), rel=0.03)


def test_controls_are_of_a_matrix_alone() -> None:
    """`single` has none."""
    plan = make_plan(CELLS, FIXED, seed=1)
    with_them, without = (expected(plan, cores=CORES, controls=one) for one in (True, False))
    assert with_them.most_s - without.most_s == pytest.approx(15.5)


def test_a_budget_larger_than_needed_is_an_upper_bound() -> None:
    """The first passes are the lower one."""
    plan = make_plan(CELLS[:1], Profile("p", users=50, delay_s=0.2, budget_s=60.0), seed=1)
    takes = expected(plan, cores=CORES, controls=False)
    assert takes.most_s == pytest.approx(61.5)
    assert takes.least_s < 20


@pytest.mark.parametrize("endpoint", ["sync", "async", "async_sync"])
def test_a_cell_that_waits_long_takes_no_longer_than_its_limits(endpoint: str) -> None:
    """A minute's delay: ramp, warm-up and window each have a longest."""
    profile = Profile("p", users=500, delay_s=60.0, rounds=1, longest_s=240.0)
    took_s = trial_s(Cell(endpoint, "http_pooled", "uvicorn", 1), profile, CORES)
    assert 240 < took_s < 5 + 240 + 240 + 65
