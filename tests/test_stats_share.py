"""A share of requests, and how much fewer they are than they look where they are slow together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import Share, share_of, together

S = 1_000_000_000


def test_the_interval_is_that_of_clopper_and_pearson() -> None:
    """R: binom.test(10, 1000), and the rule of three where none was found."""
    assert Share(10, 1000).interval() == pytest.approx((0.004805, 0.018314), abs=1e-5)
    low, high = Share(0, 3000).interval()
    assert low == 0.0
    assert high == pytest.approx(3.69 / 3000, rel=0.01)
    assert Share(5, 5).interval()[1] == 1.0
    assert Share(0, 0).interval() == (0.0, 1.0)


@given(st.integers(0, 400), st.integers(0, 400), st.floats(1, 50))
def test_a_design_effect_widens(found: int, rest: int, effect: float) -> None:
    """And the interval always holds the value."""
    plain, wide = Share(found, found + rest), Share(found, found + rest, effect)
    assert wide.interval()[0] <= plain.interval()[0] + 1e-12
    assert wide.interval()[1] >= plain.interval()[1] - 1e-12
    if plain.of:
        assert wide.interval()[0] <= plain.value <= wide.interval()[1]


def test_requests_that_are_slow_one_by_one_are_as_many_as_they_look() -> None:
    """A hundredth of them, by lot."""
    rng = np.random.default_rng(1)
    took = np.where(rng.random(20_000) < 0.01, 900, rng.integers(1, 100, 20_000)).astype(np.int64)
    start = np.sort(rng.integers(0, 10 * S, 20_000))
    found = share_of(took > 800, start, took, 0, 10 * S)
    assert found.value == pytest.approx(0.01, abs=0.003)
    assert found.effect < 3.0


def test_requests_that_are_slow_together_are_fewer() -> None:
    """In crowds of a hundred: two hundred slow ones are two."""
    took = np.full(20_000, 10, dtype=np.int64)
    took[3000:3100] = took[15_000:15_100] = 900
    start = np.linspace(0, 10 * S, 20_000, endpoint=False).astype(np.int64)
    found = share_of(took > 800, start, took, 0, 10 * S)
    assert found.found == 200
    assert found.effect > 50
    assert found.interval()[1] > 0.02


def test_trials_that_differ_tell_less_than_their_numbers() -> None:
    """One of none and one of many: what a third would be is open."""
    alike = together([Share(10, 1000), Share(12, 1000)])
    assert alike == Share(22, 2000, 1.0)
    apart = together([Share(0, 1000), Share(22, 1000)])
    assert apart.effect > 15
    assert apart.interval()[1] > alike.interval()[1]
    assert together([]).interval() == (0.0, 1.0)
