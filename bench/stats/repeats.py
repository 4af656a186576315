"""Several trials of one cell, said in three figures: the median and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.stats.lazy import scipy_stats

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONFIDENCE = 0.95
_FEWEST_FOR_INTERVAL = 6  # of 5 values, even the lowest to the highest covers only 93.75 %


@dataclass(frozen=True, slots=True)
class Summary:
    """The median of n trials with what surrounds it, in the unit of the values.

    ``kind`` says what low and high are: ``interval`` the 95 % confidence interval of the median,
    ``range`` the lowest and highest value, ``single`` nothing (both None).
    """

    median: float
    low: float | None
    high: float | None
    n: int
    kind: Literal["interval", "range", "single"]


def summarise(values: Sequence[float]) -> Summary:
    """The median of one value a trial, with an interval (n >= 6), a range (2 to 5) or neither.

    The interval runs between order statistics k and n + 1 - k, for the largest k that keeps
    P(k <= B <= n - k) >= 95 %, B binomial(n, 1/2): exact for any continuous distribution, at
    times wider than asked for (Conover, "Practical Nonparametric Statistics", 3rd ed., 3.2).

    Raises:
        ValueError: no values, or one that is not finite.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if ordered.size == 0:
        raise ValueError("no values to summarise")
    if not np.isfinite(ordered).all():
        raise ValueError(f"values must be finite, found {list(values)}")
    n = ordered.size
    median = float(np.median(ordered))
    if n == 1:
        return Summary(median, None, None, n, "single")
    if n < _FEWEST_FOR_INTERVAL:
        return Summary(median, float(ordered[0]), float(ordered[-1]), n, "range")
    k = _rank(n)
    return Summary(median, float(ordered[k - 1]), float(ordered[n - k]), n, "interval")


def _rank(n: int) -> int:
    # ppf is the least m with P(B <= m) >= 2.5 %, so P(B <= m - 1), which is the chance that
    # the median lies below the m-th value, stays under 2.5 %.
    return int(scipy_stats().binom.ppf((1.0 - _CONFIDENCE) / 2.0, n, 0.5))
