"""Within a trial: the error of its rate, and whether the window saw it settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import batch_error, gap_error, hann_rate, steadiness

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Draw = Callable[[tuple[int, int]], NDArray[np.float64]]

S = 1_000_000_000
T0 = 1_000 * S


def ns(at_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Instants, as offsets from T0 in seconds."""
    return T0 + np.rint(at_s * S).astype(np.int64)


def ends(draw: Draw, users: int, until_s: float) -> NDArray[np.int64]:
    """Completions of independent users from T0 - 10 s, each asking again at once, ascending."""
    took = draw((users, int((until_s + 10) * 3)))
    return np.sort(ns(np.cumsum(took, axis=1) - 10.0).ravel())


def windows(
    completed: NDArray[np.int64], width_s: int, count: int
) -> list[tuple[NDArray[np.int64], int, int]]:
    """The completions of each window, its t0 and its t1."""
    edges = T0 + np.arange(count + 1) * width_s * S
    cuts = np.searchsorted(completed, edges)
    return [
        (completed[cuts[at] : cuts[at + 1]], int(edges[at]), int(edges[at + 1]))
        for at in range(count)
    ]


# Few sub-windows say little of their spread: at 4 round trips the error is a fifth too small. It is
# a floor for what trials differ by, no interval of its own.
@pytest.mark.parametrize(("width_s", "share", "least"), [(10, 1.0, 0.92), (4, 0.8, 0.82)])
def test_the_error_of_independent_users_is_that_of_the_rate(
    width_s: int, share: float, least: float
) -> None:
    """400 windows of 20 users that take 1 s in the mean: median error, and intervals that hold."""
    rng = np.random.default_rng(width_s)
    completed = ends(lambda shape: rng.exponential(1.0, shape), 20, 400.0 * width_s)
    rates, errors = [], []
    for end_ns, t0, t1 in windows(completed, width_s, 400):
        rates.append(hann_rate(end_ns, t0, t1))
        errors.append(batch_error(end_ns, t0, t1, 20 / rates[-1]) or 0.0)
    off = np.log(np.array(rates) / 20.0)
    assert np.median(errors) == pytest.approx(share * off.std(), rel=0.1)
    assert np.mean(np.abs(off) < 1.96 * np.array(errors)) >= least


def test_lock_step_is_no_error() -> None:
    """40 at once each 1.03 s: the batches that a window happens to hold are not chance."""
    for phase_s in np.linspace(0.0, 1.03, 13):
        end_ns = np.repeat(ns(phase_s + 1.03 * np.arange(-2, 9)), 40)
        error = batch_error(end_ns, T0, T0 + 5 * S, 1.03)
        assert error is not None
        assert error < 1e-9
        found = steadiness(end_ns, T0, T0 + 5 * S, 1.03)
        assert not found.swings
        assert found.plain_rps == pytest.approx(40 / 1.03, rel=1e-6)
        assert found.first_half_rps == pytest.approx(found.second_half_rps, rel=1e-6)


def test_under_two_round_trips_there_is_no_error() -> None:
    """Nor without completions."""
    end_ns = ns(np.arange(0.0, 4.0, 0.01))
    assert batch_error(end_ns, T0, T0 + 4 * S, 2.01) is None
    assert batch_error(end_ns, T0, T0 + 4 * S, 1.0) == pytest.approx(0.0, abs=1e-3)
    assert batch_error(end_ns[:0], T0, T0 + 4 * S, 1.0) is None
    found = steadiness(end_ns[:0], T0, T0 + 4 * S, 1.0)
    assert (found.tapered_rps, found.plain_rps, found.error, found.swings) == (0, 0, None, False)


@pytest.mark.parametrize("swing", [0.15, -0.15])
def test_a_rate_that_changes_at_half_time_swings(swing: float) -> None:
    """Which the taper alone would hide: it weighs both halves alike."""
    first = np.arange(0.0, 5.0, 0.002 / (1 + swing))
    second = np.arange(5.0, 10.0, 0.002 / (1 - swing))
    found = steadiness(ns(np.concatenate([first, second])), T0, T0 + 10 * S, 1.0)
    assert found.swings
    assert found.first_half_rps == pytest.approx(500 * (1 + swing), rel=0.01)
    assert found.second_half_rps == pytest.approx(500 * (1 - swing), rel=0.01)


def test_60_by_the_taper_and_44_by_plain_count_swings() -> None:
    """As measured, at 3.6 round trips: fast in the middle of the window, slow at both ends."""
    x = np.linspace(0.0, 1.0, 4_001)
    density = 44.0 * (1.0 - 0.73 * np.cos(2 * np.pi * x))
    numbers = np.cumsum(density) * (8.0 / 4_001)
    at_s = np.interp(np.arange(1.0, numbers[-1]), numbers, 8.0 * x)
    found = steadiness(ns(at_s), T0, T0 + 8 * S, 8 / 3.6)
    assert found.tapered_rps == pytest.approx(60, rel=0.02)
    assert found.plain_rps < 50
    assert found.swings


def test_a_steady_cell_is_seldom_said_to_swing() -> None:
    """20 users, 1 s in the mean, by chance; 400 windows of 10 s: 3 %."""
    rng = np.random.default_rng(6)
    completed = ends(lambda shape: rng.exponential(1.0, shape), 20, 4_000.0)
    swings = [steadiness(*window, 1.0).swings for window in windows(completed, 10, 400)]
    assert np.mean(swings) < 0.06


@pytest.mark.parametrize(
    ("deviation", "count"), [(0.1, 20), (0.1, 100), (0.5, 100)], ids=["few", "many", "uneven"]
)
def test_gaps_of_one_worker_are_their_variation_over_the_root_of_their_number(
    deviation: float, count: int
) -> None:
    """A blocked loop: one answer after the other."""
    rng = np.random.default_rng(count)
    errors = []
    for _ in range(300):
        gaps = np.maximum(1.0 + deviation * rng.standard_normal(2 * count), 0.0)
        errors.append(gap_error(ns(np.cumsum(gaps) - 1.0), T0, T0 + count * S) or 0.0)
    assert np.median(errors) == pytest.approx(deviation / np.sqrt(count), rel=0.15)


def test_workers_that_answer_together_or_in_turn_are_no_chance() -> None:
    """The plain formula says 20 % of four at once (true: 2.2 %), 6.5 % of .3 s and .7 s in turn."""
    rng = np.random.default_rng(2)
    together, turns = [], []
    for _ in range(300):
        at_s = np.repeat(np.cumsum(1.0 + 0.1 * rng.standard_normal(40)) - 1.0, 4)
        at_s += 0.01 * rng.random(at_s.size)
        together.append(gap_error(ns(at_s), T0, T0 + 20 * S) or 0.0)
        pair = np.cumsum(1.0 + 0.02 * rng.standard_normal((2, 40)), axis=1) - 2.0
        pair[1] += 0.3
        turns.append(gap_error(ns(pair.ravel()), T0, T0 + 20 * S) or 0.0)
    assert np.median(together) == pytest.approx(0.1 / np.sqrt(20), rel=0.15)
    assert np.median(turns) < 0.02


@pytest.mark.parametrize(
    "at_s",
    [
        np.array([]),
        np.array([1.0]),
        np.arange(1.0, 5.0),
        np.arange(0.0, 7.0),
        np.concatenate([np.zeros(50), [1.0, 9.0]]),
    ],
    ids=["none", "one", "too few", "stopped", "one batch"],
)
def test_gaps_that_tell_nothing(at_s: NDArray[np.float64]) -> None:
    """Too few of them, or a server that stopped: 3 s without an answer, of one that takes 1 s."""
    assert gap_error(ns(at_s), T0, T0 + 10 * S) is None


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: batch_error(ns(np.zeros(1)), T0, T0, 1.0), "window is empty"),
        (lambda: batch_error(ns(np.zeros(1)), T0, T0 + S, 0.0), "must be positive"),
        (lambda: gap_error(ns(np.zeros(1)), T0, T0), "window is empty"),
        (lambda: steadiness(ns(np.zeros(1)), T0, T0 + S, -1.0), "must be positive"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Callable[[], object], named: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=named):
        call()


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.integers(-2_000, 12_000), max_size=80),
    st.integers(200, 30_000),
    st.integers(-1_000, 1_000),
)
def test_the_clock_does_not_matter_and_only_the_window_counts(
    offsets_ms: list[int], trip_ms: int, shift_s: int
) -> None:
    """No warnings, no negative errors; what is outside has no part in it."""
    end_ns = T0 + np.array(offsets_ms, dtype=np.int64) * 1_000_000
    inside = end_ns[(end_ns >= T0) & (end_ns < T0 + 10 * S)]
    found = steadiness(end_ns, T0, T0 + 10 * S, trip_ms / 1000)
    t0 = T0 + shift_s * S
    assert steadiness(inside + shift_s * S, t0, t0 + 10 * S, trip_ms / 1000) == found
    assert found.error is None or 0 <= found.error < float("inf")
    assert gap_error(end_ns, T0, T0 + 10 * S) == gap_error(inside, T0, T0 + 10 * S)
