"""The Universal Scalability Law: throughput against users, by two kinds of loss.

``X(N) = λN / (1 + σ(N − 1) + κN(N − 1))``: λ is what one user gets, σ the share of the work that is
done one at a time (contention), κ what each pair of users costs (coherence). With κ over 0
throughput falls again beyond its peak, ``√((1 − σ)/κ)`` users. N. J. Gunther, *Guerrilla Capacity
Planning*, 2007; "A General Theory of Computational Scalability Based on Rational Functions",
arXiv:0808.1431.

Rates are compared as logarithms, each by its own error. Intervals come from a parametric bootstrap
(Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, 6.5): a coefficient at its bound of
0 has no symmetric one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.lazy import scipy_optimize, scipy_special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST = 4  # steps: three coefficients go through any three
LEAST_ERROR = 0.01  # of a logarithm: nothing here is known better than to 1 %
UNLIKELY = 0.01  # that a law which holds would be missed by as much
DRAWS = 200
SEED = 20_070_101


@dataclass(frozen=True, slots=True)
class Coefficient:
    """With its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Law:
    """As it fits; ``misses`` is by which share it misses the worst step."""

    rate: Coefficient  # λ, of one user, requests/s
    contention: Coefficient  # σ
    coherence: Coefficient  # κ
    fits: bool
    misses: float

    def at(self, users: float) -> float:
        """Requests/s."""
        coefficients = (self.rate.value, self.contention.value, self.coherence.value)
        return float(_law(coefficients, np.array([users]))[0])

    @property
    def peak_users(self) -> float | None:
        """Users at which throughput is largest; None where it never falls again."""
        sigma, kappa = self.contention.value, self.coherence.value
        return math.sqrt((1.0 - sigma) / kappa) if kappa > 0 and sigma < 1 else None


def fit_law(
    users: Sequence[float],
    rates: Sequence[float],
    errors: Sequence[float],
    common: float = 0.0,
) -> Law | None:
    """The law through some steps; None of fewer than four.

    Args:
        users: of each step, at least 1, shape (n,).
        rates: requests/s of each, positive, shape (n,).
        errors: standard errors of the rates' logarithms, shape (n,); without what all have alike.
        common: that: it moves all steps together, so it is no reason to miss the law, but λ is
            known less well by it.

    Raises:
        ValueError: lengths differ, or a value is not positive and finite.
    """
    n = np.asarray(users, dtype=np.float64)
    logs = np.log(np.asarray(rates, dtype=np.float64))
    sigma = np.maximum(np.asarray(errors, dtype=np.float64), LEAST_ERROR)
    if not n.size == logs.size == sigma.size:
        raise ValueError(f"{n.size} users, {logs.size} rates and {sigma.size} errors")
    if not (np.isfinite(logs).all() and np.isfinite(sigma).all() and (n >= 1).all()):
        raise ValueError("users under 1, or a rate or an error that is not positive and finite")
    if np.unique(n).size < FEWEST:
        return None
    best = _fit(n, logs, sigma)
    off = logs - np.log(_law(best, n))
    p = float(scipy_special().chdtrc(n.size - 3, np.square(off / sigma).sum()))  # χ²'s tail
    rng = np.random.default_rng(SEED)
    draws = rng.normal(np.log(_law(best, n)), sigma, (DRAWS, n.size))
    draws += rng.normal(0.0, common, (DRAWS, 1))
    spread = np.array([_fit(n, drawn, sigma, best) for drawn in draws])
    low, high = np.quantile(spread, [0.025, 0.975], axis=0)
    rate, contention, coherence = (
        Coefficient(float(best[at]), min(float(low[at]), best[at]), max(float(high[at]), best[at]))
        for at in range(3)
    )
    misses = float(np.exp(np.abs(off).max()) - 1.0)
    return Law(rate, contention, coherence, p >= UNLIKELY, misses)


def _law(coefficients: Sequence[float], n: Floats) -> Floats:
    rate, sigma, kappa = coefficients
    return np.asarray(rate * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0)))


def _fit(
    n: Floats, logs: Floats, sigma: Floats, start: Sequence[float] | None = None
) -> tuple[float, float, float]:
    """λ is fitted as a logarithm, κ beside the square of the users: all of about the same size."""
    scale = float(n.max()) ** 2
    first = int(np.argmin(n))
    alone = math.exp(logs[first]) / n[first]  # what one user gets, about

    def off(x: Floats) -> Floats:
        return np.asarray((np.log(_law((math.exp(x[0]), x[1], x[2] / scale), n)) - logs) / sigma)

    starts = (
        [start]
        if start is not None
        else [(alone, s, k / scale) for s in (0.01, 0.3) for k in (0.01, 1.0)]
    )
    found = [
        scipy_optimize().least_squares(
            off,
            [math.log(rate), s, k * scale],
            bounds=([-np.inf, 0.0, 0.0], [np.inf, 1.0, np.inf]),
        )
        for rate, s, k in starts
    ]
    best = min(found, key=lambda one: float(one.cost)).x
    return math.exp(best[0]), float(best[1]), float(best[2] / scale)
