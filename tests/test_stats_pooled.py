"""A percentile of several trials: trials are clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import Percentile, Spread, pooled_percentile
from bench.stats.quantile import SLOW

KNOWN = Percentile(100.0, None, None, 90.0, 120.0)


def test_of_no_trials_nothing_is_known() -> None:
    """Not even why."""
    assert pooled_percentile([], None) == Percentile(None, None, None)


def test_of_one_trial_it_is_that_trials() -> None:
    """With its interval."""
    found = pooled_percentile([KNOWN], None)
    assert (found.value_ms, found.low_ms, found.high_ms) == pytest.approx((100, 90, 120))


def test_without_a_spread_the_trials_own_intervals_shrink_with_their_number() -> None:
    """By its square root, on the scale of logarithms."""
    found = pooled_percentile([KNOWN] * 4, None)
    assert found.low_ms == pytest.approx(100 * 0.9**0.5)
    assert found.high_ms == pytest.approx(100 * 1.2**0.5)


def test_what_lies_between_trials_counts_where_it_is_more() -> None:
    """The mean of the logarithms, Student's t: on each side the wider of the two."""
    far = Percentile(400.0, None, None, 399.0, 401.0)
    near = Percentile(300.0, None, None, 299.0, 301.0)
    found = pooled_percentile([near, far], Spread(0.2, 6.0))
    mean_ms = (300 * 400) ** 0.5
    chance = np.exp(2.447 * 0.2 / 2**0.5)
    assert found.value_ms == pytest.approx(mean_ms)
    assert found.low_ms == pytest.approx(mean_ms / chance / SLOW, rel=1e-3)
    assert found.high_ms == pytest.approx(mean_ms * chance * SLOW, rel=1e-3)


def test_trials_that_show_another_mode_have_moved_to_the_same_side() -> None:
    """Two of three show the slow mode, each as sure of it as of the fast one: so is the row."""
    fast = Percentile(10.0, None, None, 9.8, None)
    slow = Percentile(500.0, None, None, 9.9, None)
    found = pooled_percentile([slow, fast, slow], Spread(0.02, 9.0))
    assert found.low_ms == pytest.approx(9.8)
    assert found.high_ms is None


def test_an_open_end_is_closed_only_by_other_trials() -> None:
    """One trial, or no spread, leaves it open."""
    open_above = Percentile(100.0, None, None, 90.0, None)
    assert pooled_percentile([open_above], Spread(0.1, 9.0)).high_ms is None
    assert pooled_percentile([open_above, KNOWN], None).high_ms is None
    closed = pooled_percentile([open_above, KNOWN], Spread(0.1, 9.0))
    assert closed.high_ms == pytest.approx(100 * np.exp(2.262 * 0.1 / 2**0.5) * SLOW, rel=1e-3)
    untold = pooled_percentile([Percentile(100.0, None, None)], None)
    assert untold.value_ms == pytest.approx(100)
    assert (untold.low_ms, untold.high_ms) == (None, None)


def test_a_trial_without_a_value_makes_it_a_bound() -> None:
    """What each is surely above, in the mean; unknown where one has no such."""
    withheld = Percentile(None, 300.0, "too short")
    found = pooled_percentile([KNOWN, withheld], Spread(0.1, 9.0))
    assert found.over_ms == pytest.approx((90.0 * 300.0) ** 0.5)
    assert (found.value_ms, found.reason) == (None, "too short")
    sure_of_nothing = Percentile(100.0, None, None)
    assert pooled_percentile([sure_of_nothing, withheld], None).over_ms is None
    nothing = Percentile(None, None, "none succeeded")
    assert pooled_percentile([KNOWN, nothing], None) == Percentile(None, None, "none succeeded")


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(st.floats(0.001, 1e6), st.floats(1, 9), st.floats(1, 9)), min_size=1, max_size=6
    ),
    st.floats(0, 2),
    st.floats(0.01, 100),
)
def test_the_interval_holds_the_value_and_the_unit_does_not_matter(
    trials: list[tuple[float, float, float]], deviation: float, freedom: float
) -> None:
    """In seconds as in milliseconds."""
    spread = Spread(deviation, freedom)
    found, scaled = (
        pooled_percentile(
            [Percentile(v * k, None, None, v * k / a, v * k * b) for v, a, b in trials], spread
        )
        for k in (1.0, 1000.0)
    )
    assert found.value_ms is not None
    assert found.low_ms is not None
    assert found.high_ms is not None
    assert found.low_ms <= found.value_ms <= found.high_ms
    assert scaled.low_ms == pytest.approx(1000 * found.low_ms)


def test_pooled_intervals_hold_the_truth() -> None:
    """1,000 cells of three trials that differ by 8 %: 95 %, and what the 2 % for drift add."""
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(1_000):
        values = 100.0 * np.exp(rng.normal(0.0, 0.08, 3))
        ends = (1.03, 1.03, None)  # one trial in three can't tell its upper end
        trials = [
            Percentile(float(v), None, None, float(v) * 0.97, end and float(v) * end)
            for v, end in zip(values, ends, strict=True)
        ]
        spread = Spread(0.08 * float(np.sqrt(rng.chisquare(30) / 30)), 30.0)
        found = pooled_percentile(trials, spread)
        held += (found.low_ms or 0) <= 100.0 <= (found.high_ms or 0)
    assert 0.94 <= held / 1_000 <= 0.98


def test_an_end_that_most_trials_cannot_tell_stays_open() -> None:
    """What trials differ by says nothing of what none of them sees."""
    trials = [Percentile(100.0, None, None, 97.0, None)] * 2 + [
        Percentile(101.0, None, None, 97.0, 103.0)
    ]
    found = pooled_percentile(trials, Spread(0.02, 30.0))
    assert found.low_ms is not None
    assert found.high_ms is None
