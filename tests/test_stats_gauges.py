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
    tapered_average,
    tapered_growth,
    tapered_mean,
    tapered_occupancy,
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


def test_samples_outside_the_window_have_no_part_in_it() -> None:
    """But for the last one before it, which stands when it begins."""
    t_ns = at_ms(-900, -100, 500, 1000, 1100)
    assert tapered_average(t_ns, [999, 1, 3, 999, 999], T0, T0 + S) == pytest.approx(2.0)


def test_a_sampler_a_little_late_leaves_the_start_out() -> None:
    """Nothing is made up for the time before its first sample."""
    assert tapered_average(at_ms(200, 600, 900), [3, 3, 3], T0, T0 + S) == pytest.approx(3.0)


@pytest.mark.parametrize(
    "t_ns",
    [at_ms(), at_ms(251, 900), at_ms(-100, 749), at_ms(1000), at_ms(-500)],
    ids=["none", "late", "died early", "after it all", "before it all"],
)
def test_a_sampler_that_missed_an_end_of_the_window_gives_no_average(
    t_ns: NDArray[np.int64],
) -> None:
    """Unknown, not a part passed off as the whole."""
    assert tapered_average(t_ns, np.ones(t_ns.size), T0, T0 + S) is None


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
        lambda: tapered_average(at_ms(1, 0), [1, 1], T0, T0 + S),
        lambda: tapered_average(at_ms(0), [float("nan")], T0, T0 + S),
        lambda: interpolate_cumulative(at_ms(1, 0), [1, 1], T0),
        lambda: tapered_average(at_ms(0), [1, 2], T0, T0 + S),
        lambda: tapered_average(at_ms(0), [1], T0, T0),
        lambda: tapered_mean(at_ms(0), [1], T0, T0),
        lambda: tapered_mean(at_ms(1, 0), [1, 1], T0, T0 + S),
        lambda: tapered_occupancy(at_ms(0), at_ms(1), T0, T0),
        lambda: tapered_occupancy(at_ms(0), at_ms(1, 2), T0, T0 + S),
        lambda: tapered_occupancy(at_ms(1), at_ms(0), T0, T0 + S),
        lambda: percentile([1.0], 101),
        lambda: percentile([float("inf")], 50),
    ],
    ids=[
        "descending",
        "nan",
        "descending counter",
        "shapes",
        "no window",
        "no window for a mean",
        "descending integral",
        "no window for intervals",
        "shapes of intervals",
        "an interval that runs backwards",
        "q",
        "infinite",
    ],
)
def test_what_makes_no_sense_is_refused(call: Callable[[], object]) -> None:
    """These are faults of the caller, not results."""
    with pytest.raises(
        ValueError,
        match=r"ascend|one value a time|one end a start|finite|empty|must lie|before it starts",
    ):
        call()


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


def hann(t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """`hann_rate`'s weight, 0 outside of the window."""
    x = (t_ns - T0) / S
    found: NDArray[np.float64] = np.where((x >= 0) & (x < 1), 1.0 - np.cos(2.0 * np.pi * x), 0.0)
    return found


MILLISECONDS = at_ms(*range(1000)) + MS // 2  # the middles of the window's

SPANS = st.lists(st.tuples(st.integers(-1500, 1500), st.integers(0, 2500)), max_size=40)


@settings(deadline=None, max_examples=100)
@given(SPANS)
def test_occupancy_is_the_weighted_number_open(spans: list[tuple[int, int]]) -> None:
    """A direct, slow sum over the window's milliseconds."""
    start_ns = at_ms(*[start for start, _ in spans])
    end_ns = at_ms(*[start + took for start, took in spans])
    open_now = [
        np.count_nonzero((start_ns <= at) & (at < end_ns)) for at in MILLISECONDS
    ]  # whole milliseconds: the middle of one stands for all of it
    slow = float((np.array(open_now) * hann(MILLISECONDS)).mean())
    assert tapered_occupancy(start_ns, end_ns, T0, T0 + S) == pytest.approx(slow, abs=1e-4)


def test_occupancy_of_all_the_window_is_one() -> None:
    """Whatever there is of it outside; none of what only touches the window."""
    start_ns, end_ns = at_ms(-5000, 1000, -9), at_ms(5000, 1100, 0)
    assert tapered_occupancy(start_ns, end_ns, T0, T0 + S) == pytest.approx(1.0)


@settings(deadline=None, max_examples=100)
@given(SPANS, st.lists(st.integers(-200, 1200), max_size=30, unique=True))
def test_a_mean_from_an_integral_is_exact_but_for_the_weight(
    spans: list[tuple[int, int]], looks: list[int]
) -> None:
    """Looks every 2 ms give the occupancy; with looks at any time more, it stays."""
    start_ns = at_ms(*[start for start, _ in spans])
    end_ns = at_ms(*[start + took for start, took in spans])
    t_ns = at_ms(*sorted({*range(-100, 1101, 2), *looks}))
    integral = [(np.maximum(at - start_ns, 0) - np.maximum(at - end_ns, 0)).sum() for at in t_ns]
    found = tapered_mean(t_ns, integral, T0, T0 + S)
    exact = tapered_occupancy(start_ns, end_ns, T0, T0 + S)
    assert found == pytest.approx(exact, abs=1e-3 * len(spans) + 1e-9)


def test_a_mean_needs_readings_at_both_ends() -> None:
    """Within 250 ms; what they leave out there is taken to be like the rest."""
    level = 3.0
    for offsets, known in (((200, 500, 800), True), ((251, 1000), False), ((0, 749), False)):
        t_ns = at_ms(*offsets)
        found = tapered_mean(t_ns, (t_ns - T0) * level, T0, T0 + S)
        assert found == (pytest.approx(level) if known else None)
    assert tapered_mean(at_ms(), [], T0, T0 + S) is None
    assert tapered_mean(at_ms(500), [1], T0, T0 + 600 * MS) is None


def test_a_mean_bears_an_integral_that_was_read_too_late() -> None:
    """It falls by a little then; a counter that falls is none, an integral is what it is."""
    integral = [0, 30, 29, 50]
    assert tapered_mean(at_ms(0, 300, 600, 1000), integral, T0, T0 + S) is not None


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(-200, 1200), st.integers(0, 99)), min_size=1, max_size=30))
def test_the_tapered_average_is_that_of_every_millisecond(
    samples: list[tuple[int, int]],
) -> None:
    """A direct, slow sum over the window's milliseconds, each with its weight."""
    samples.sort(key=lambda sample: sample[0])
    t_ns = at_ms(*[sample[0] for sample in samples])
    average = tapered_average(t_ns, [sample[1] for sample in samples], T0, T0 + S)
    if samples[0][0] > 250 or samples[-1][0] < 750:
        assert average is None
        return
    first = max(samples[0][0], 0)
    held = [next(v for t, v in reversed(samples) if t <= ms) for ms in range(first, 1000)]
    weight = hann(MILLISECONDS)[first:]
    assert average == pytest.approx(np.dot(held, weight) / weight.sum(), abs=0.01)
