"""What a histogram gained between two readings, and percentiles of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import difference, histogram_percentile, percentile

# From exact values to hours in nanoseconds, each size as likely.
DURATIONS_NS = st.builds(lambda bits, part: part % 2**bits, st.integers(0, 44), st.integers(0))


def middle_of(ns: int) -> int:
    """The middle of the bucket that go_delay/histogram.go puts this in."""
    shift = max(0, ns.bit_length() - 8)
    return (ns >> shift << shift) + (1 << shift) // 2


def histogram(values: list[int]) -> list[tuple[int, int]]:
    """Its buckets."""
    return sorted(Counter(map(middle_of, values)).items())


def test_a_difference_has_what_came_in_between() -> None:
    """New buckets, and what old ones gained; those that gained nothing are left out."""
    first = [(5, 2), (9, 1)]
    assert difference(first, [(3, 4), (5, 2), (9, 3)]) == [(3, 4), (9, 2)]
    assert difference(first, first) == []
    assert difference([], first) == first


@pytest.mark.parametrize("last", [[], [(5, 1), (9, 1)], [(5, 3)]])
def test_a_histogram_that_lost_values_is_refused(last: list[tuple[int, int]]) -> None:
    """It was set to zero in between, or is another's."""
    with pytest.raises(ValueError, match="lost values"):
        difference([(5, 2), (9, 1)], last)


def test_percentiles_are_by_nearest_rank() -> None:
    """99 of 100 are enough for the 99th, and the 100th value is beyond it."""
    buckets = [(10, 99), (500, 1)]
    assert [histogram_percentile(buckets, q) for q in (0, 50, 99, 99.5, 100)] == [
        10, 10, 10, 500, 500,
    ]  # fmt: skip
    assert histogram_percentile([(7, 1)], 1) == 7
    assert histogram_percentile([], 50) is None


@pytest.mark.parametrize("q", [-1, 100.1, float("nan")])
def test_there_is_no_such_percentile(q: float) -> None:
    """Also where there are no values."""
    with pytest.raises(ValueError, match="must lie in 0 to 100"):
        histogram_percentile([], q)


@settings(max_examples=300)
@given(st.lists(DURATIONS_NS), st.lists(DURATIONS_NS, min_size=1), st.integers(0, 100))
def test_a_window_has_the_percentile_of_its_own_values(
    before: list[int], within: list[int], q: int
) -> None:
    """To the bucket, so within 0.4 %, whatever was counted before it."""
    window = difference(histogram(before), histogram(before + within))
    assert window == histogram(within)
    exact = percentile(within, q)
    assert exact is not None
    found = histogram_percentile(window, q)
    assert found == middle_of(int(exact))
    assert found == pytest.approx(exact, rel=1 / 256)
