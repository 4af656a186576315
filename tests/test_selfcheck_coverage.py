"""What the harness says of simulated trials and runs holds as often as it claims."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pytest

from bench.selfcheck.simulated import rows
from bench.selfcheck.simulated.cells import EXPERIMENTS, REGIMES_APART, Cell, Drawn, Pools, cells
from bench.selfcheck.simulated.coverage import Coverage, coverage
from bench.selfcheck.simulated.percentiles import percentiles
from bench.selfcheck.simulated.runs import Found, run
from bench.selfcheck.simulated.throughput import throughput
from bench.selfcheck.simulated.trial import QUIET
from bench.stats import Estimate, Percentile

CLAIMED = 0.93


@dataclass(frozen=True, slots=True)
class Normal:
    """Trials of 5 s that differ by chance alone, by so much: each experiment by its own."""

    spreads: tuple[float, ...]

    def of(self, name: str, stretch: int) -> tuple[Drawn, ...]:
        """However long the window."""
        return drawn(self.spreads[EXPERIMENTS.index(name)], stretch)


@lru_cache
def drawn(spread: float, stretch: int) -> tuple[Drawn, ...]:
    """Of one experiment."""
    logs = spread * np.random.default_rng(1).standard_normal(2000)
    return tuple(
        Drawn(float(log), 0.0, swings=False, window_s=2.0 * stretch, took_s=5.0)
        for log in logs - logs.mean()
    )


@pytest.fixture(scope="module")
def covered() -> Coverage:
    """Runs until all is known to 10 %; windows that are off by 0 to 8 % by themselves."""
    spreads = np.linspace(0.0, 0.08, len(EXPERIMENTS)).tolist()
    return coverage(24, 1500.0, Normal(tuple(spreads)))


def test_intervals_of_whole_runs_hold_the_truth(covered: Coverage) -> None:
    """Scheduler, pooling and stopping together.

    Some run out of budget: those on machines whose speed spreads by up to 20 %.
    """
    assert covered.held >= CLAIMED
    assert covered.precise > 0.95


def test_one_regime_is_hardly_ever_called_two(covered: Coverage) -> None:
    """And two that came twice each nearly always are; two alike in a row hide the other."""
    assert covered.wrongly < 0.01
    assert covered.seen > 5
    assert covered.told_of_seen > 0.95


def test_a_run_goes_on_where_least_is_known() -> None:
    """Cells that spread more get more trials; a budget that is used up ends it."""
    rng = np.random.default_rng(4)
    wide, narrow = (
        Cell("CPU 10 ms", 0.2, regimes=False),
        Cell("constant 200 ms", 0.01, regimes=False),
    )
    plan = {f"{number}": wide if number < 4 else narrow for number in range(8)}
    pools = Normal((0.001,) * len(EXPERIMENTS))
    found = run(plan, pools, 3600.0, rng)
    assert min(len(one.logs) for one in found[:4]) > max(len(one.logs) for one in found[4:])
    assert all(one.half_width is not None and one.half_width < 0.1 for one in found)
    short = run(plan, pools, 60.0, rng)
    assert len(short) == 8
    assert max(len(one.logs) for one in short) <= 2


def test_a_found_cell_says_what_it_holds() -> None:
    """The truth is a ratio of 1."""
    one = Found(Cell("", 0.1, regimes=False), (0.0, 0.1), Estimate(1.05, 0.9, 1.2, 2), None)
    assert one.held
    assert not replace(one, estimate=Estimate(1.1, 1.05, 1.2, 2)).held
    assert not replace(one, estimate=Estimate(1.1, None, None, 1)).held
    assert not one.seen_twice
    twice = (0.0, 0.1, REGIMES_APART, REGIMES_APART - 0.1)
    assert replace(one, logs=twice).seen_twice


def test_the_cells_of_a_run_are_of_nine_experiments() -> None:
    """Six each; one has two regimes."""
    found = cells(np.random.default_rng(1))
    assert len(found) == 54
    assert {one.experiment for one in found.values()} == set(EXPERIMENTS)
    assert sum(one.regimes for one in found.values()) == 1
    assert len(Pools(3).of("constant 200 ms", 1)) == 3


@pytest.mark.parametrize(
    "name", ["lognormal, 20 users", "10 ms, 0.9 % 500 ms, 20 users", "loop 27 + 3 ms around 200 ms"]
)
def test_intervals_of_percentiles_hold_the_truth(name: str) -> None:
    """In 93 % of trials at least, and hardly any is withheld that could be told."""
    for one in percentiles(name, 50, QUIET, 60, rounds=3.0):
        assert one.held >= CLAIMED
        assert one.withheld_wrongly <= 0.05
        assert one.far <= 0.05


def test_the_latency_of_those_who_starve_is_not_told() -> None:
    """A median of requests is; p90 and p99 are theirs, where they are so many."""
    for name, starved in {"9 % starve": 0.09, "90 % starve": 0.9}.items():
        p50, p90, p99 = percentiles(name, 100, QUIET, 30, rounds=3.0)
        assert p50.told > 0.9
        assert p50.typical < 0.02
        assert p90.told == 0.0 or starved < 0.1
        assert p99.told == 0.0
        assert [one.told_wrongly for one in (p50, p90, p99)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("event", ["step of 20 %", "stall of 0.5 s"])
def test_what_happens_in_a_window_does_not_pass_as_known(event: str) -> None:
    """The trial swings, or its own error is as large as what it is off by."""
    assert throughput(f"CPU 10 ms, {event}", 50, QUIET, 20).missed == 0.0


def test_rows_pool_the_percentiles_of_their_trials() -> None:
    """With trials that differ by chance alone the intervals hold; what is withheld stays so."""
    sharp = Percentile(1.0, None, None, 0.99, 1.01)
    none = Percentile(None, 0.5, "too few", None, None)
    pools: dict[str, rows.Pool] = dict.fromkeys(EXPERIMENTS, ((sharp, sharp, none),))
    for one in rows.rows(30, pools):
        assert one.told == (0.0 if one.level > 0.9 else 1.0)
        assert one.held >= 0.9
    assert np.mean([one.held for one in rows.rows(30, pools)]) >= CLAIMED


def test_a_pool_is_told_as_shares_of_the_truth() -> None:
    """Of a constant, on a machine that varies by 4 %."""
    p50 = rows.pool("constant 200 ms", 3)[0][0]
    assert p50.value_ms == pytest.approx(1.0, abs=0.15)
