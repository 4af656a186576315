"""Comparisons: how many times one thing is another, how sure that is, and what survives many.

All is done on logarithms: a ratio and its inverse are then equally far from "no difference",
and noise that scales with the value, as that of a machine does, becomes additive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.lazy import scipy_stats
from bench.stats.student import LEAST_FREEDOM, p_value_of, reach_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.stats.spread import Spread

_FEWEST = 4  # fewer say nothing of their spread: no interval, no p-value
_ROUNDING = 1e-12  # logs of equal ratios differ by less than this only by floating point


@dataclass(frozen=True, slots=True)
class LogRatio:
    """How many times: geometric mean of n ratios, 95 % confidence interval, p of "no difference".

    low, high and p_value are None where too little is known: under four pairs, or no spread. n
    counts the pairs; where nothing is paired, the values of the side that has fewer.
    """

    ratio: float
    low: float | None
    high: float | None
    p_value: float | None
    n: int


def log_ratio(a: Sequence[float], b: Sequence[float]) -> LogRatio:
    """The ratio a / b, paired by position (one pair a round): Student's t on log(a_i / b_i).

    Pairing takes out what moves both of a round alike, such as a machine that drifts.

    Raises:
        ValueError: lengths differ, are 0, or a value is not positive and finite (says which).
    """
    if len(a) != len(b):
        raise ValueError(f"pairs need equal lengths: a has {len(a)} values, b has {len(b)}")
    return _student(_logs("a", a) - _logs("b", b))


def pooled_log_ratio(
    a: Sequence[float], b: Sequence[float], spread: tuple[Spread | None, Spread | None]
) -> LogRatio:
    """The ratio a / b where no rounds are shared, as from two runs.

    Weaker than `log_ratio`: drift between the runs counts as difference.

    Args:
        a: one value a trial.
        b: of the other side.
        spread: of one trial's logarithm on each side, from `spreads`; None if unknown, and then
            there is no interval.

    Raises:
        ValueError: a side is empty, or a value is not positive and finite (says which).
    """
    log_a, log_b = _logs("a", a), _logs("b", b)
    mean = float(log_a.mean() - log_b.mean())
    n = min(log_a.size, log_b.size)
    of_a, of_b = spread
    if of_a is None or of_b is None or min(of_a.freedom, of_b.freedom) < LEAST_FREEDOM:
        return LogRatio(float(np.exp(mean)), None, None, None, n)
    error = float(
        np.hypot(of_a.deviation / np.sqrt(log_a.size), of_b.deviation / np.sqrt(log_b.size))
    )
    return _judged(mean, error, min(of_a.freedom, of_b.freedom), n)


def benjamini_hochberg(p_values: Sequence[float], alpha: float = 0.05) -> list[bool]:
    """Which of many tests hold when at most a share alpha of those that hold may be false.

    Benjamini and Hochberg, J. R. Statist. Soc. B 57 (1995), as scipy has it; in the order given.

    Raises:
        ValueError: a p-value is not in [0, 1], or alpha not in (0, 1).
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is {alpha}, must lie between 0 and 1")
    for at, p_value in enumerate(p_values):
        if not 0.0 <= p_value <= 1.0:
            raise ValueError(f"p_values[{at}] is {p_value}, must lie in 0 to 1")
    if not p_values:
        return []
    adjusted = scipy_stats().false_discovery_control(np.asarray(p_values, dtype=np.float64))
    return [bool(value <= alpha) for value in adjusted]


def _logs(name: str, values: Sequence[float]) -> NDArray[np.float64]:
    if len(values) == 0:
        raise ValueError(f"{name} is empty")
    for at, value in enumerate(values):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name}[{at}] is {value}, must be positive and finite")
    return np.log(np.asarray(values, dtype=np.float64))


def _student(logs: NDArray[np.float64]) -> LogRatio:
    n = logs.size
    mean = float(logs.mean())
    if n < _FEWEST:
        return LogRatio(float(np.exp(mean)), None, None, None, n)
    error = float(logs.std(ddof=1)) / float(np.sqrt(n))
    return _judged(mean, error, float(n - 1), n)


def _judged(mean: float, error: float, freedom: float, n: int) -> LogRatio:
    """The ratio with its interval and p-value, from the mean of the logs and its error."""
    ratio = float(np.exp(mean))
    if error < _ROUNDING:  # no spread at all: t would be 0 / 0 or infinite
        return LogRatio(ratio, ratio, ratio, 1.0 if abs(mean) < _ROUNDING else 0.0, n)
    reach = reach_of(error, freedom)
    p_value = p_value_of(abs(mean) / error, freedom)
    return LogRatio(ratio, float(np.exp(mean - reach)), float(np.exp(mean + reach)), p_value, n)
