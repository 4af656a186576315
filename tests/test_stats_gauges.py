"""Averages of sampled gauges, counters between samples, percentiles of readings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import (
    hann_rate,
    interpolate_cumulative,
    percentile,
    tapered_growth,
    tapered_occupancy,
    time_average,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MS = 1_000_000
S = 1_000 * MS
T0 = 50_000 * S


def at_ms(*offsets: int) -> NDArray[np.int64]:
    """Instants, as offsets from T0 in ms."""
    return T0 + np.array(offsets, dtype=np.int64) * MS


def test_a_value_stands_until_the_next_sample() -> None:
    """Uneven samples weigh by the time that they stand for, not by their number."""
    t_ns = at_ms(-50, 900, 950)
    assert time_average(t_ns, [40, 0, 10], T0, T0 + S) == pytest.approx(0.9 * 40 + 0.05 * 10)


def test_samples_outside_the_window_have_no_part_in_it() -> None:
    """But for the last one before it, which stands when it begins."""
    t_ns = at_ms(-900, -100, 500, 1000, 1100)
    assert time_average(t_ns, [999, 1, 3, 999, 999], T0, T0 + S) == pytest.approx(2.0)


def test_a_sampler_a_little_late_leaves_the_start_out() -> None:
    """Nothing is made up for the time before its first sample."""
    assert time_average(at_ms(200, 600, 900), [1, 3, 3], T0, T0 + S) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "t_ns",
    [at_ms(), at_ms(251, 900), at_ms(-100, 749), at_ms(1000), at_ms(-500)],
    ids=["none", "late", "died early", "after it all", "before it all"],
)
def test_a_sampler_that_missed_an_end_of_the_window_gives_no_average(
    t_ns: NDArray[np.int64],
) -> None:
    """Unknown, not a part passed off as the whole."""
    assert time_average(t_ns, np.ones(t_ns.size), T0, T0 + S) is None


def test_a_counter_is_read_between_its_samples() -> None:
    """Linearly, at clock values that no float holds to the nanosecond."""
    late = np.array([2**60, 2**60 + 1000], dtype=np.int64)
    assert interpolate_cumulative(late, [1.0, 2.0], 2**60 + 250) == pytest.approx(1.25)
    assert interpolate_cumulative(at_ms(0, 100, 200), [0.0, 0.1, 0.1], T0 + 150 * MS) == 0.1


@pytest.mark.parametrize(
    ("offset_ms", "reading"), [(-251, None), (-250, 5.0), (450, 7.0), (451, None)]
)
def test_near_outside_the_samples_the_nearest_stands_and_further_nothing(
    offset_ms: int, reading: float | None
) -> None:
    """Within 250 ms."""
    assert interpolate_cumulative(at_ms(0, 200), [5.0, 7.0], T0 + offset_ms * MS) == reading


def test_a_counter_that_falls_is_none() -> None:
    """A process went and took its CPU seconds with it: no difference of it can be trusted."""
    assert interpolate_cumulative(at_ms(0, 100, 200), [1.0, 2.0, 0.5], T0 + 50 * MS) is None
    assert interpolate_cumulative(at_ms(), [], T0) is None


def test_percentiles_are_values_that_were_read() -> None:
    """Between two modes nothing is made up."""
    readings = [10.0] * 99 + [500.0]
    assert [percentile(readings, q) for q in (0, 50, 99, 99.5, 100)] == [10, 10, 10, 500, 500]
    assert percentile([], 50) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: time_average(at_ms(1, 0), [1, 1], T0, T0 + S),
        lambda: time_average(at_ms(0), [1, 1], T0, T0 + S),
        lambda: time_average(at_ms(0), [float("nan")], T0, T0 + S),
        lambda: time_average(at_ms(0), [1], T0, T0),
        lambda: interpolate_cumulative(at_ms(1, 0), [1, 1], T0),
        lambda: percentile([1.0], 101),
        lambda: percentile([float("inf")], 50),
    ],
    ids=["descending", "shapes", "nan", "no window", "descending counter", "q", "infinite"],
)
def test_what_makes_no_sense_is_refused(call: Callable[[], object]) -> None:
    """These are faults of the caller, not results."""
    with pytest.raises(ValueError, match=r"ascend|one value a time|finite|empty|must lie"):
        call()


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(-200, 1200), st.integers(0, 99)), min_size=1, max_size=30))
def test_the_average_is_that_of_every_millisecond(samples: list[tuple[int, int]]) -> None:
    """A direct, slow sum over the window's milliseconds, each with the last value before it."""
    samples.sort(key=lambda sample: sample[0])
    t_ns = at_ms(*[sample[0] for sample in samples])
    average = time_average(t_ns, [sample[1] for sample in samples], T0, T0 + S)
    if samples[0][0] > 250 or samples[-1][0] < 750:
        assert average is None
        return
    first = max(samples[0][0], 0)
    held = [next(v for t, v in reversed(samples) if t <= ms) for ms in range(first, 1000)]
    assert average == pytest.approx(np.mean(held))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50), st.integers(0, 100))
def test_a_percentile_is_not_exceeded_by_its_share(readings: list[float], q: int) -> None:
    """At least q per cent of the values are at or below it, fewer are below it."""
    value = percentile(readings, q)
    assert value in readings
    assert sum(r <= value for r in readings) >= q / 100 * len(readings) - 1e-9
    assert sum(r < value for r in readings) <= q / 100 * len(readings) + 1e-9


def test_even_growth_is_its_rate() -> None:
    """Whatever the samples: the weight's mean is 1."""
    t_ns = at_ms(-130, 40, 330, 333, 700, 1020)
    assert tapered_growth(t_ns, (t_ns - T0) / S * 2.5, T0, T0 + S) == pytest.approx(2.5)


def test_growth_counts_by_where_in_the_window_it_is() -> None:
    """Twice in the middle, hardly at the ends; none outside."""
    t_ns = at_ms(*range(-100, 1101, 10))
    for middle_ms, weight in ((500, 2.0), (250, 1.0), (0, 0.0), (-50, 0.0), (1000, 0.0)):
        values = np.where(t_ns >= T0 + middle_ms * MS, 1.0, 0.0)
        found = tapered_growth(t_ns, values, T0, T0 + S)
        assert found == pytest.approx(weight, abs=0.04)


@pytest.mark.parametrize(
    ("t_ns", "values"),
    [(at_ms(), []), (at_ms(300, 900), [0, 1]), (at_ms(0, 700), [0, 1]), (at_ms(0, 990), [1, 0])],
    ids=["none", "late", "died early", "a process went"],
)
def test_growth_that_was_not_seen_is_unknown(t_ns: NDArray[np.int64], values: list[float]) -> None:
    """As with a counter's reading."""
    assert tapered_growth(t_ns, values, T0, T0 + S) is None


@settings(max_examples=200, deadline=None)
@given(
    ends=st.lists(st.integers(-500, 1500), min_size=1, max_size=200).map(sorted),
    cost=st.floats(0.001, 5.0),
)
def test_what_a_completion_costs_is_found_wherever_it_falls(ends: list[int], cost: float) -> None:
    """A counter that grows by the same at each completion, over their rate: exactly that."""
    end_ns = at_ms(*ends)
    rate = hann_rate(end_ns, T0, T0 + S)
    # Sampled each millisecond, so the weight hardly changes within an interval.
    t_ns = at_ms(*range(-600, 1601))
    counter = np.searchsorted(end_ns, t_ns, side="right") * cost
    growth = tapered_growth(t_ns, counter, T0, T0 + S)
    assert growth == pytest.approx(rate * cost, rel=0.01, abs=0.02 * cost)


def test_an_interval_open_throughout_is_one() -> None:
    """Whether it ended after the window or never; one that began after it is none."""
    start = np.array([T0 - S, T0, T0 - 5, T0 + S, T0 + 2 * S], dtype=np.int64)
    end = np.array([-1, T0 + S, T0 + 3 * S, -1, T0 + 4 * S], dtype=np.int64)
    assert tapered_occupancy(start, end, T0, T0 + S) == pytest.approx(3.0)
    assert tapered_occupancy(start[:0], end[:0], T0, T0 + S) == 0.0


def test_the_middle_half_of_a_window_has_most_of_its_weight() -> None:
    """1 / 2 + 1 / pi of it."""
    start, end = at_ms(250), at_ms(750)
    assert tapered_occupancy(start, end, T0, T0 + S) == pytest.approx(0.5 + 1 / np.pi)


def test_littles_law_holds_under_one_weight() -> None:
    """40 at once each 1.03 s: in flight over tapered rate is what each took, at any phase."""
    for phase_ms in range(0, 1_030, 103):
        ends = np.repeat(at_ms(*range(phase_ms - 3_090, 10_000, 1_030)), 40)
        occupied = tapered_occupancy(ends - 1_030 * MS, ends, T0, T0 + 6 * S)
        assert occupied == pytest.approx(40.0)
        assert occupied / hann_rate(ends, T0, T0 + 6 * S) == pytest.approx(1.03, rel=0.0025)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(-200, 1_200), st.integers(0, 900)), max_size=20))
def test_occupancy_is_the_weighted_mean_of_every_millisecond(
    intervals: list[tuple[int, int]],
) -> None:
    """A direct, slow sum, with the weight in the middle of each; -1 is open at the end."""
    start = at_ms(*[begun for begun, _ in intervals])
    end = np.where(
        np.array([took for _, took in intervals]) > 800,
        -1,
        start + np.array([took for _, took in intervals], dtype=np.int64) * MS,
    ).astype(np.int64)
    middles = T0 + np.arange(1_000) * MS + MS // 2
    weights = 1.0 - np.cos(2 * np.pi * (middles - T0) / S)
    is_open = (start[:, None] <= middles) & ((end[:, None] > middles) | (end[:, None] == -1))
    by_hand = float((is_open.sum(axis=0) * weights).sum() / weights.sum())
    assert tapered_occupancy(start, end, T0, T0 + S) == pytest.approx(by_hand, abs=1e-4)


def test_occupancy_of_nonsense_is_refused() -> None:
    """An end before its start, an empty window, an end too few."""
    for start, end, t1 in (
        (at_ms(5), at_ms(4), T0 + S),
        (at_ms(5), at_ms(6), T0),
        (at_ms(5, 6), at_ms(6), T0 + S),
    ):
        with pytest.raises(ValueError, match=r"ends before|window is empty|one end a start"):
            tapered_occupancy(start, end, T0, t1)
