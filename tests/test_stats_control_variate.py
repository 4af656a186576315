"""The control variate: what a clock beside the trials takes out of what they differ by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import Control, Pairs, estimate, fit_control, spreads
from bench.stats.control_variate import FEWEST

CONTROL = Control(
    slope=-0.9,
    slope_error=0.05,
    middle=0.1,
    usual=0.0,
    usual_error=0.01,
    middle_error=0.01,
    within=0.02,
    between=0.005,
)


def run(
    rng: np.random.Generator,
    *,
    cells: int = 30,
    trials: int = 3,
    machine: float = 0.15,
    offsets: float = 0.03,
    own: float = 0.03,
    clock: float = 0.02,
    slope: float = -1.0,
) -> dict[str, Pairs]:
    """A run whose cells' figures are 0 (a rate of 1) on a machine whose logarithm is 0."""
    found = {}
    for number in range(cells):
        speed = machine * rng.standard_normal(trials)
        beside = offsets * rng.standard_normal() + clock * rng.standard_normal(trials)
        figures = slope * speed + own * rng.standard_normal(trials)
        found[f"c{number}"] = Pairs(f"g{number // 6}", figures, speed + beside)
    return found


def test_the_slope_is_found_and_the_spread_falls_to_the_cells_own() -> None:
    """Of 20 % between trials the cell's own 3 % are left, and a little of the clock's."""
    found = run(np.random.default_rng(1), cells=60, machine=0.2)
    control = fit_control(found)
    assert control is not None
    assert control.slope == pytest.approx(-1.0, abs=0.05)
    assert control.slope_error < 0.03
    assert control.within == pytest.approx(0.2**2, rel=0.3)
    left = [
        (pair.figures + control.correct([*pair.clock]).shifts).std(ddof=1)
        for pair in found.values()
    ]
    assert np.sqrt(np.mean(np.square(left))) < 0.045


def test_a_clock_that_tells_little_corrects_little() -> None:
    """Its own noise would go into the figures: the slope is that of the best guess."""
    found = run(np.random.default_rng(2), cells=90, machine=0.03, clock=0.06)
    control = fit_control(found)
    assert control is not None
    assert control.slope == pytest.approx(-(0.03**2) / (0.03**2 + 0.06**2), abs=0.12)


@pytest.mark.parametrize(
    "found",
    [
        {},
        run(np.random.default_rng(3), cells=FEWEST // 2, trials=2),
        run(np.random.default_rng(3), cells=40, trials=1),
        run(np.random.default_rng(3), machine=0.0, offsets=0.1, clock=0.0),
        run(np.random.default_rng(3), slope=1.0),
    ],
    ids=["no cells", "few trials", "no repeats", "a clock that stands still", "faster when slower"],
)
def test_without_enough_to_tell_nothing_is_corrected(found: dict[str, Pairs]) -> None:
    """Nor where figures rise when the machine is slower: that is nothing of the machine's."""
    assert fit_control(found) is None


def test_a_cell_that_slows_the_clock_is_told_from_a_slow_machine() -> None:
    """Where clocks are alike from cell to cell, a cell's mean is the machine's; else its own."""
    clock = [0.3, 0.5]
    alike = replace(CONTROL, between=0.0).correct(clock)
    assert alike.shifts == pytest.approx([0.27, 0.45])
    apart = replace(CONTROL, between=1e6).correct(clock)
    # All of the cell's own: the machine was, as far as is known, as at other times.
    assert apart.shifts == pytest.approx([0.9 * (0.1 - 0.1), 0.9 * (0.1 + 0.1)], abs=1e-3)
    assert apart.own_error > alike.own_error
    assert apart.common_error == alike.common_error == pytest.approx(0.9 * 0.01)


@settings(max_examples=200)
@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=6),
    st.floats(1e-6, 0.1),
    st.floats(0, 0.1),
)
def test_a_trial_on_a_slower_machine_is_raised_more(
    clock: list[float], within: float, between: float
) -> None:
    """By the slope times what they lie apart."""
    found = replace(CONTROL, within=within, between=between).correct(clock)
    shifts, costs = np.asarray(found.shifts), np.asarray(clock)
    assert np.diff(shifts) == pytest.approx(0.9 * np.diff(costs), abs=1e-12)
    assert found.own_error >= 0.0


@pytest.mark.parametrize(
    ("machine", "offsets", "trials"),
    [
        (0.0, 0.03, 2),
        (0.05, 0.03, 2),
        (0.15, 0.0, 2),
        (0.15, 0.03, 3),
        (0.3, 0.1, 2),
        (0.15, 0.3, 3),
    ],
)
def test_intervals_hold_the_truth(machine: float, offsets: float, trials: int) -> None:
    """At least 93 of 100, of what a cell does when the machine is at its usual speed."""
    rng = np.random.default_rng(7)
    held = total = 0
    widths = []
    for _ in range(60):
        found = run(rng, trials=trials, machine=machine, offsets=offsets)
        control = fit_control(found)
        logs = {cell: pair.figures for cell, pair in found.items()}
        errors = dict.fromkeys(found, 0.0)
        if control is not None:
            right = {cell: control.correct([*pair.clock]) for cell, pair in found.items()}
            logs = {cell: logs[cell] + right[cell].shifts for cell in found}
            errors = {
                cell: float(np.hypot(one.own_error, one.common_error))
                for cell, one in right.items()
            }
        group_of = {cell: pair.group for cell, pair in found.items()}
        pooled = spreads({cell: [*each] for cell, each in logs.items()}, group_of)
        for cell, each in logs.items():
            known = estimate([*each], pooled[group_of[cell]], own=errors[cell])
            assert known.low is not None
            assert known.high is not None
            held += known.low <= 1.0 <= known.high
            widths.append(known.half_width or 0.0)
            total += 1
    assert held / total >= 0.93
    assert np.median(widths) < 1.96 * np.hypot(machine, 0.04) / np.sqrt(trials) * 1.2 + 0.02


def test_a_machine_that_is_slow_at_times_is_as_usual_at_other_times() -> None:
    """A third of slow trials hardly moves it."""
    rng = np.random.default_rng(5)
    found = {}
    for number in range(40):
        slow = np.array([0.0, 0.5, 0.0]) + 0.01 * rng.standard_normal(3)
        found[f"c{number}"] = Pairs("g", -slow, slow)
    control = fit_control(found)
    assert control is not None
    assert control.usual == pytest.approx(0.0, abs=0.02)
