"""Median, interval, range: what several trials of one cell say together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from bench.stats import Summary, summarise

if TYPE_CHECKING:
    import random

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_one_trial_shows_no_spread() -> None:
    """And says that it is single."""
    assert summarise([3.0]) == Summary(3.0, None, None, 1, "single")


def test_two_to_five_trials_show_their_range() -> None:
    """Lowest and highest: no claim of confidence."""
    assert summarise([5.0, 1.0]) == Summary(3.0, 1.0, 5.0, 2, "range")
    assert summarise([5.0, 1.0, 2.0, 9.0, 4.0]) == Summary(4.0, 1.0, 9.0, 5, "range")


# Ranks of the 95 % confidence interval of the median as printed in tables (Conover, table A3;
# Dixon and Massey, table A-25), and the coverage that they have.
@pytest.mark.parametrize(
    ("n", "rank", "coverage"),
    [
        (6, 1, 0.96875),
        (7, 1, 0.984375),
        (8, 1, 0.9921875),
        (9, 2, 0.9609375),
        (10, 2, 0.978515625),
        (11, 2, 0.98828125),
        (12, 3, 0.96142578125),
        (15, 4, 0.96484375),
        (20, 6, 0.958610534667969),
        (25, 8, 0.9567147493362427),
    ],
)
def test_from_six_trials_on_the_interval_is_that_of_the_tables(
    n: int, rank: int, coverage: float
) -> None:
    """The narrowest pair of order statistics that still covers 95 %."""
    summary = summarise([float(value) for value in range(n, 0, -1)])
    assert summary == Summary((n + 1) / 2, rank, n + 1 - rank, n, "interval")
    assert 1 - 2 * stats.binom.cdf(rank - 1, n, 0.5) == pytest.approx(coverage, abs=1e-12)
    assert coverage >= 0.95 > 1 - 2 * stats.binom.cdf(rank, n, 0.5)


@pytest.mark.parametrize("n", [6, 9, 12, 20])
def test_the_interval_covers_the_median_as_often_as_it_promises(n: int) -> None:
    """2,000 samples of a skewed distribution: the share covered is the exact one, within noise."""
    rng = np.random.default_rng(n)
    samples = rng.lognormal(0.0, 1.0, size=(2_000, n))
    rank = {6: 1, 9: 2, 12: 3, 20: 6}[n]
    promised = 1 - 2 * stats.binom.cdf(rank - 1, n, 0.5)
    summaries = [summarise(sample.tolist()) for sample in samples]
    covered = np.mean([(s.low or 0.0) <= 1.0 <= (s.high or 0.0) for s in summaries])
    assert promised >= 0.95
    assert covered == pytest.approx(promised, abs=0.015)  # three standard errors


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_no_values_or_no_numbers_are_refused(values: list[float]) -> None:
    """A median of those would be made up."""
    with pytest.raises(ValueError, match="values"):
        summarise(values)


@settings(deadline=None, max_examples=200)
@given(st.lists(finite, min_size=2, max_size=40), st.randoms())
def test_the_order_of_trials_does_not_matter_and_bounds_hold_the_median(
    values: list[float], order: random.Random
) -> None:
    """Ordered: low <= median <= high, both from among the values."""
    summary = summarise(values)
    assert summary.low is not None
    assert summary.high is not None
    assert summary.low <= summary.median <= summary.high
    assert {summary.low, summary.high} <= set(values)
    order.shuffle(values)
    assert summarise(values) == summary
