"""Comparisons on log ratios: paired, unpaired, many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from bench.stats import (
    LogRatio,
    Spread,
    benjamini_hochberg,
    log_ratio,
    pooled_log_ratio,
)

Compare = Callable[[Sequence[float], Sequence[float]], LogRatio]

positive = st.floats(1e-6, 1e9)
A = [110.0, 121.0, 99.0, 130.0, 111.0]
B = [100.0, 108.0, 93.0, 115.0, 104.0]


def significant(result: LogRatio) -> bool:
    """At 5 %, of a result that must have a p-value."""
    assert result.p_value is not None
    return result.p_value < 0.05


def bounds(result: LogRatio) -> tuple[float, float]:
    """The interval of a result that must have one."""
    assert result.low is not None
    assert result.high is not None
    return result.low, result.high


def test_paired_rounds_agree_with_scipys_t_test_on_the_logs() -> None:
    """Ratio, p-value and interval."""
    theirs = stats.ttest_rel(np.log(A), np.log(B))
    interval = theirs.confidence_interval(0.95)
    ours = log_ratio(A, B)
    assert ours.ratio == pytest.approx(stats.gmean(np.divide(A, B)))
    assert ours.p_value == pytest.approx(theirs.pvalue)
    assert (ours.low, ours.high) == pytest.approx((np.exp(interval.low), np.exp(interval.high)))
    assert ours.n == 5


def pooled(a: Sequence[float], b: Sequence[float]) -> LogRatio:
    """With each side's own deviation, as if it were pooled over many more trials."""
    sides = [Spread(float(np.log(side).std(ddof=1)), 50.0) for side in (a, b)]
    return pooled_log_ratio(a, b, (sides[0], sides[1]))


def test_unpaired_values_are_judged_by_the_spread_of_trials() -> None:
    """As a z-test on the logs, with Student's t of the spread's freedom; n is the smaller."""
    ours = pooled_log_ratio(A, B[:4], (Spread(0.1, 20.0), Spread(0.2, 10.0)))
    error = np.hypot(0.1 / 5**0.5, 0.2 / 4**0.5)
    mean = np.log(A).mean() - np.log(B[:4]).mean()
    reach = stats.t.ppf(0.975, 10.0) * error
    assert ours.ratio == pytest.approx(np.exp(mean))
    assert (ours.low, ours.high) == pytest.approx((np.exp(mean - reach), np.exp(mean + reach)))
    assert ours.p_value == pytest.approx(2 * stats.t.sf(abs(mean) / error, 10.0))
    assert ours.n == 4
    unknown = pooled_log_ratio(A, B, (Spread(0.1, 20.0), None))
    assert (unknown.low, unknown.high, unknown.p_value) == (None, None, None)


def test_pairing_finds_what_drift_hides_from_the_unpaired_test() -> None:
    """The rounds swing by a factor of 2, the ratio within a round does not."""
    drift = np.array([1.0, 2.0, 1.4, 0.9, 1.8, 1.1])
    a, b = (105.0 * drift).tolist(), (100.0 * drift * [1.01, 0.99, 1, 1, 0.99, 1.01]).tolist()
    paired, unpaired = log_ratio(a, b), pooled(a, b)
    assert paired.ratio == pytest.approx(unpaired.ratio)
    assert paired.p_value is not None
    assert unpaired.p_value is not None
    assert paired.p_value < 0.001
    assert unpaired.p_value > 0.5


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_than_four_pairs_give_the_ratio_alone(n: int) -> None:
    """No p-value and no interval: too few."""
    result = log_ratio([2.0] * n, [1.0] * n)
    assert result == LogRatio(result.ratio, None, None, None, n)
    assert result.ratio == pytest.approx(2.0)


@pytest.mark.parametrize("compare", [log_ratio, pooled])
def test_values_without_any_spread_are_judged_without_a_warning(compare: Compare) -> None:
    """Equal on both sides: no difference at all. Else: a difference beyond doubt."""
    assert compare([0.1 + 0.2] * 4, [0.3] * 4).p_value == 1.0
    sure = compare([3.0] * 4, [2.0] * 4)
    assert (sure.low, sure.high) == pytest.approx((1.5, 1.5))
    assert sure.p_value == 0.0


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_what_has_no_logarithm_is_named_and_refused(bad: float) -> None:
    """Which list, which position, which value."""
    with pytest.raises(ValueError, match=r"^b\[1\] is .*, must be positive and finite$"):
        log_ratio([1.0, 1.0], [1.0, bad])
    with pytest.raises(ValueError, match=r"^a\[0\] is"):
        pooled_log_ratio([bad], [1.0], (None, None))


def test_pairs_that_do_not_match_and_empty_lists_are_refused() -> None:
    """Nothing compared is an error."""
    with pytest.raises(ValueError, match="a has 2 values, b has 1"):
        log_ratio([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="a is empty"):
        log_ratio([], [])
    with pytest.raises(ValueError, match="b is empty"):
        pooled_log_ratio([1.0], [], (None, None))


# The worked example of Benjamini and Hochberg (1995), section 3.2: 15 p-values, four rejected.
PAPER = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip


def test_the_example_of_the_paper_rejects_its_four() -> None:
    """Where Bonferroni would reject three; in whatever order they come."""
    assert benjamini_hochberg(PAPER, 0.05) == [True] * 4 + [False] * 11
    assert benjamini_hochberg(PAPER[::-1], 0.05) == [False] * 11 + [True] * 4
    assert benjamini_hochberg([], 0.05) == []


@pytest.mark.parametrize(
    ("p_values", "alpha", "named"),
    [([0.1, 1.1], 0.05, r"p_values\[1\]"), ([float("nan")], 0.05, "p_values"), ([], 1.0, "alpha")],
)
def test_what_is_no_probability_is_refused(p_values: list[float], alpha: float, named: str) -> None:
    """NaN too, which every comparison would let through."""
    with pytest.raises(ValueError, match=named):
        benjamini_hochberg(p_values, alpha)


@pytest.mark.parametrize("rounds", [4, 6])
def test_identical_cells_are_called_different_in_one_of_twenty(rounds: int) -> None:
    """2,000 A/A comparisons with 5 % noise; the interval misses 1 just as often."""
    rng = np.random.default_rng(rounds)
    noise = np.exp(rng.normal(0.0, 0.05, size=(2_000, 2, rounds)))
    results = [log_ratio(a.tolist(), b.tolist()) for a, b in noise]
    assert np.mean([significant(r) for r in results]) == pytest.approx(0.05, abs=0.015)
    assert np.mean([not bounds(r)[0] <= 1 <= bounds(r)[1] for r in results]) == pytest.approx(
        0.05, abs=0.015
    )
    known = (Spread(0.05, float("inf")),) * 2
    unpaired = [pooled_log_ratio(a.tolist(), b.tolist(), known) for a, b in noise]
    assert np.mean([significant(r) for r in unpaired]) == pytest.approx(0.05, abs=0.015)


def test_a_real_tenth_is_found_in_nine_of_ten_comparisons_of_six_rounds() -> None:
    """With 3 % noise a trial, after drift that moves both sides alike."""
    rng = np.random.default_rng(10)
    drift = rng.uniform(0.7, 1.4, size=(500, 1, 6))
    noise = drift * np.exp(rng.normal(0.0, 0.03, size=(500, 2, 6)))
    results = [log_ratio((1.1 * a).tolist(), b.tolist()) for a, b in noise]
    assert np.mean([significant(r) and r.ratio > 1.05 for r in results]) > 0.9


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=12), positive)
def test_swapping_inverts_and_units_do_not_matter(
    pairs: list[tuple[float, float]], unit: float
) -> None:
    """The ratio a / b is 1 / (b / a); the same in milliseconds and in hours."""
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    spread = (Spread(0.1, 8.0), Spread(0.2, 8.0))
    for compare in (log_ratio, lambda a, b: pooled_log_ratio(a, b, spread)):
        ours, swapped = compare(a, b), compare(b, a)
        scaled = compare([unit * value for value in a], [unit * value for value in b])
        assert swapped.ratio == pytest.approx(1 / ours.ratio)
        assert scaled.ratio == pytest.approx(ours.ratio)
        assert (ours.p_value is None) == (compare is log_ratio and ours.n < 4)
        if ours.p_value is not None:
            assert 0 <= ours.p_value <= 1
            assert bounds(ours)[0] * (1 - 1e-9) <= ours.ratio <= bounds(ours)[1] * (1 + 1e-9)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(0, 1), max_size=20))
def test_correction_never_adds_a_difference(p_values: list[float]) -> None:
    """What holds after correction held before it, and all below alpha / m always hold."""
    held = benjamini_hochberg(p_values, 0.05)
    for p_value, holds in zip(p_values, held, strict=True):
        assert not holds or p_value <= 0.05
        assert holds or p_value > 0.049 / len(p_values)
