"""The Universal Scalability Law: found where it holds, and not claimed where it doesn't."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import fit_law

USERS = (1, 2, 5, 10, 20, 50, 100, 200)


def law(n: float, rate: float, sigma: float, kappa: float) -> float:
    """As the paper has it."""
    return rate * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))


def curve(
    rate: float, sigma: float, kappa: float, noise: float = 0.0, seed: int = 1
) -> list[float]:
    """Of all steps, each off by so much."""
    draw = np.random.default_rng(seed).normal(0.0, noise or 1e-12, len(USERS))
    return [law(n, rate, sigma, kappa) * math.exp(d) for n, d in zip(USERS, draw, strict=True)]


@settings(max_examples=10)
@given(
    rate=st.floats(5.0, 500.0),
    sigma=st.floats(0.0, 0.3),
    kappa=st.sampled_from([0.0, 1e-5, 1e-4, 1e-3]),
)
def test_a_law_without_noise_is_found(rate: float, sigma: float, kappa: float) -> None:
    """Its coefficients, and with them every step."""
    found = fit_law(USERS, curve(rate, sigma, kappa), [0.01] * len(USERS))
    assert found is not None
    assert found.fits
    assert found.misses < 1e-3
    assert found.rate.value == pytest.approx(rate, rel=1e-3)
    assert found.contention.value == pytest.approx(sigma, abs=1e-3)
    assert found.coherence.value == pytest.approx(kappa, rel=0.02, abs=1e-7)
    for one in (found.rate, found.contention, found.coherence):
        assert one.low <= one.value <= one.high


def test_intervals_hold_what_they_are_about() -> None:
    """Of ten noisy curves, each coefficient in nine at least: 95 % of them, and few draws."""
    truth = (80.0, 0.05, 2e-4)
    hits = [0, 0, 0]
    for seed in range(10):
        found = fit_law(USERS, curve(*truth, noise=0.03, seed=seed), [0.03] * len(USERS))
        assert found is not None
        for at, one in enumerate((found.rate, found.contention, found.coherence)):
            hits[at] += one.low <= truth[at] <= one.high
    assert min(hits) >= 8


def test_what_all_steps_have_alike_moves_the_rate_alone() -> None:
    """λ is known less well by it; whether the law fits, and the losses, are as without."""
    rates = curve(80.0, 0.05, 1e-4, noise=0.02, seed=3)
    alone, shared = (fit_law(USERS, rates, [0.02] * len(USERS), common) for common in (0.0, 0.1))
    assert alone is not None
    assert shared is not None
    assert (alone.fits, alone.misses) == (shared.fits, shared.misses)
    width = [math.log(one.rate.high / one.rate.low) for one in (alone, shared)]
    assert width[1] == pytest.approx(math.hypot(width[0], 2 * 1.96 * 0.1), rel=0.2)
    ours, theirs = (one.contention.high - one.contention.low for one in (alone, shared))
    assert theirs == pytest.approx(ours, rel=0.15)


def test_the_peak_is_where_it_falls_again() -> None:
    """And nowhere without coherence."""
    found = fit_law(USERS, curve(80.0, 0.05, 1e-3), [0.01] * len(USERS))
    assert found is not None
    assert found.peak_users is not None
    assert found.peak_users == pytest.approx(math.sqrt(0.95 / 1e-3), rel=0.01)
    assert found.at(found.peak_users) > max(found.at(10), found.at(100))
    level = fit_law(USERS, curve(80.0, 0.05, 0.0), [0.01] * len(USERS))
    assert level is not None
    assert level.peak_users is None or level.peak_users > 10 * USERS[-1]


def test_a_pool_is_no_law() -> None:
    """As many at a time as it has threads, and a corner: it doesn't fit, and says by how much."""
    rates = [min(n, 40) / 0.2 for n in USERS]
    found = fit_law(USERS, rates, [0.01] * len(USERS))
    assert found is not None
    assert not found.fits
    assert found.misses > 0.05


@pytest.mark.parametrize("count", [1, 3])
def test_few_steps_fit_anything(count: int) -> None:
    """So there is no law of them."""
    assert fit_law(USERS[:count], curve(80.0, 0.05, 0.0)[:count], [0.01] * count) is None
    assert fit_law([5, 5, 5, 5], [1.0] * 4, [0.01] * 4) is None


@pytest.mark.parametrize(
    ("users", "rates", "errors"),
    [
        ([1, 2, 3], [1.0] * 4, [0.1] * 4),
        ([0, 1, 2, 3], [1.0] * 4, [0.1] * 4),
        ([1, 2, 3, 4], [1.0, 2.0, 3.0, 0.0], [0.1] * 4),
        ([1, 2, 3, 4], [1.0] * 4, [0.1, 0.1, 0.1, math.inf]),
    ],
)
def test_no_numbers(users: list[float], rates: list[float], errors: list[float]) -> None:
    """Are refused."""
    with np.errstate(divide="ignore"), pytest.raises(ValueError, match="users"):
        fit_law(users, rates, errors)
