"""Another machine's clock, from exchanges that take who knows how long each way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locustfiles.clocks import Offset, offset, rate, shift

WAYS = st.lists(st.tuples(st.integers(1, 10**8), st.integers(1, 10**8)), min_size=1, max_size=60)


@given(ways=WAYS, truth=st.integers(-(10**15), 10**15), gap=st.integers(1, 10**9))
def test_the_truth_is_within_the_bound(ways: list[tuple[int, int]], truth: int, gap: int) -> None:
    """However unlike the two ways are."""
    exchanges, now = [], 10**15
    for there, back in ways:
        exchanges.append((now, now + there + truth, now + there + back))
        now += there + back + gap
    found = offset(exchanges)
    assert abs(found.offset_ns - truth) <= found.bound_ns + 1
    assert found.bound_ns == (min(sum(both) for both in ways) + 1) // 2


def test_no_exchange_is_no_offset() -> None:
    """Nor one that goes backwards."""
    with pytest.raises(ValueError, match="no exchange"):
        offset([])
    with pytest.raises(ValueError, match="before its question"):
        offset([(5, 5, 4)])


@given(fast=st.floats(-0.05, 0.05), bounds=st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)))
def test_a_rate_is_known_to_what_its_two_looks_are(fast: float, bounds: tuple[int, int]) -> None:
    """2 s apart."""
    before = Offset(100 + bounds[0], bounds[0], 10**9)
    after = Offset(100 + int(fast * 2 * 10**9) - bounds[1], bounds[1], 3 * 10**9)
    found, error = rate(before, after)
    assert abs(found - fast) <= error + 1e-8
    with pytest.raises(ValueError, match="no time"):
        rate(after, before)


@given(
    first=st.integers(-(10**9), 10**9),
    last=st.integers(-(10**9), 10**9),
    at=st.floats(0, 1),
)
def test_one_shift_is_right_at_all_times_within_its_bound(first: int, last: int, at: float) -> None:
    """Of a clock whose rate differs, too."""
    moved, bound = shift(Offset(first, 5, 0), Offset(last, 7, 10))
    truth = first + (last - first) * at
    assert abs(truth - moved) <= bound + 1
