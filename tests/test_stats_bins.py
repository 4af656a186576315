"""What went on in each part of a trial: the parts add up to the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import bin_edges, binned_mean, binned_occupancy, binned_rate

S = 1_000_000_000
# A machine that has been up for a while, and trials of a minute at most.
starts = st.integers(0, 10**17)
lengths = st.integers(10**6, 60 * S)
moments = st.lists(st.integers(-S, 61 * S), max_size=50)


def array(values: Any) -> Any:
    """Of nanoseconds."""
    return np.array(values, dtype=np.int64)


@given(starts, lengths, st.integers(1, 40))
def test_bins_fill_the_whole_and_are_alike(start: int, length: int, count: int) -> None:
    """To the nanosecond."""
    edges = bin_edges(start, start + length, count)
    assert (edges[0], edges[-1], edges.size) == (start, start + length, count + 1)
    assert np.ptp(np.diff(edges)) <= 1


def test_bins_need_room() -> None:
    """A nanosecond each."""
    with pytest.raises(ValueError, match="no room for 40 bins in 39 ns"):
        bin_edges(0, 39, 40)


def test_a_rate_is_what_came_in_the_bin_by_its_width() -> None:
    """What lies on an edge belongs to the bin that it begins, on the last edge to none."""
    edges = bin_edges(0, 2 * S, 4)
    assert binned_rate(array([0, S // 2, S // 2, S - 1, 2 * S]), edges).tolist() == [2, 6, 0, 0]


@given(starts, lengths, moments)
def test_rates_by_width_add_up_to_all_that_came(start: int, length: int, came: list[int]) -> None:
    """Exactly those from the first edge to the last."""
    edges = bin_edges(start, start + length, 40)
    found = binned_rate(array(came) + start, edges)
    inside = sum(0 <= at < length for at in came)
    assert float(np.dot(found, np.diff(edges) / S)) == pytest.approx(inside)


def test_occupancy_by_an_example() -> None:
    """One that is open for all of the first bin and half of the second, one that stays open."""
    edges = bin_edges(0, 2 * S, 2)
    found = binned_occupancy(array([-5 * S, S]), array([S + S // 2, 9 * S]), edges)
    assert found.tolist() == [1.0, 1.5]


@given(
    starts, lengths, st.lists(st.tuples(st.integers(-S, 61 * S), st.integers(0, S)), max_size=40)
)
def test_occupancy_by_width_is_the_time_they_were_open(
    start: int, length: int, spans: list[tuple[int, int]]
) -> None:
    """The sum over the bins is the sum over the intervals, as far as they lie within."""
    edges = bin_edges(start, start + length, 40)
    began = array([at for at, _ in spans]) + start
    ended = began + array([took for _, took in spans])
    found = binned_occupancy(began, ended, edges)
    open_ns = sum(max(0, min(at + took, length) - max(at, 0)) for at, took in spans)
    assert float(np.dot(found, np.diff(edges))) == pytest.approx(open_ns, rel=1e-9, abs=1e-3)
    assert (found >= 0).all()


@given(
    starts,
    lengths,
    st.lists(st.tuples(st.integers(1, 2 * S), st.floats(0, 1e6)), min_size=1, max_size=50),
)
def test_means_by_width_are_the_whole_integral(
    start: int, length: int, pieces: list[tuple[int, float]]
) -> None:
    """Where the readings reach over both ends nothing is lost, wherever they were made."""
    took = [took for took, _ in pieces]
    edges = bin_edges(start, start + length, 40)
    t_ns = start - S + np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(array(took))])
    t_ns[0], t_ns[-1] = min(t_ns[0], start), max(t_ns[-1], start + length)
    values = [value for _, value in pieces]
    found = binned_mean(t_ns, values, edges)
    overlap = np.minimum(t_ns[1:], start + length) - np.maximum(t_ns[:-1], start)
    whole = float(np.dot(np.maximum(overlap, 0), values))
    assert float(np.dot(found, np.diff(edges))) == pytest.approx(whole, rel=1e-6, abs=1e-3)
    near = 1e-6 * max(values) + 1e-9
    assert min(values) - near <= found.min() <= found.max() <= max(values) + near


def test_what_is_not_read_is_not_known() -> None:
    """Before the first reading, after the last, and where half a bin has no value."""
    edges = bin_edges(0, 6 * S, 6)
    t_ns = array([S + S // 2, 2 * S, 3 * S, 4 * S, 4 * S + S // 4])
    found = binned_mean(t_ns, [8.0, 2.0, np.nan, 5.0], edges)
    assert np.array_equal(found, [np.nan, 8, 2, np.nan, np.nan, np.nan], equal_nan=True)


@pytest.mark.parametrize("read", [[], [S]])
def test_of_one_reading_nothing_is_known(read: list[int]) -> None:
    """It takes two."""
    assert np.isnan(binned_mean(array(read), [], bin_edges(0, 6 * S, 6))).all()


def test_readings_must_fit() -> None:
    """A value between two, in order of time."""
    edges = bin_edges(0, 6 * S, 6)
    with pytest.raises(ValueError, match="a value between two readings"):
        binned_mean(array([0, S]), [1.0, 2.0], edges)
    with pytest.raises(ValueError, match="times must ascend"):
        binned_mean(array([S, 0]), [1.0], edges)
