"""What several trials of one cell say of its throughput, and how well that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.student import LEAST_FREEDOM, reach_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stats.spread import Spread

# Degrees of freedom of one trial's own error: of five sub-windows, laid at every place, half as
# many more than of five side by side (Meketon and Schmeiser, 1984).
_WITHIN_A_TRIAL = 6.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A positive figure, with its 95 % confidence interval where that is known.

    The geometric mean of n trials, in their unit; low and high are both None or both known.
    ``common``: of its logarithm's standard error that part which other figures have alike, so that
    it doesn't matter to their ratio.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    common: float = 0.0

    @property
    def half_width(self) -> float | None:
        """Half of the interval, as a logarithm: 0.1 is ± 10 %, nearly. None if it isn't known."""
        if self.low is None or self.high is None:
            return None
        return float(np.log(self.high) - np.log(self.low)) / 2.0


def estimate(
    logs: Sequence[float],
    spread: Spread | None,
    *,
    within: float = 0.0,
    own: float = 0.0,
    common: float = 0.0,
) -> Estimate:
    """The mean of the logarithms and its interval, Student's t with the spread's freedom.

    Args:
        logs: natural logarithms of a cell's trials, shape (n,), n >= 1.
        spread: of one trial, from `spreads`; None if nothing is known of it.
        within: a floor for the standard error of the mean: what is known of it from within
            the trials, for n trials together. Counts where it is the larger.
        own: standard error of what these trials have in common, so that it doesn't show between
            them,
        common: and of what other figures have in common with them, too.

    Returns:
        Without interval if there is no spread, or one of less than a degree of freedom: an error
        from within the trials can't stand for what changes from one to the next.

    Raises:
        ValueError: no logs, one that is not finite, or an error that is negative.
    """
    trials = np.asarray(logs, dtype=np.float64)
    if trials.size == 0 or not np.isfinite(trials).all():
        raise ValueError(f"logs must be finite, and at least one, found {list(logs)}")
    if not min(within, own, common) >= 0.0:
        raise ValueError(f"errors are {within}, {own} and {common}, must be 0 or more")
    mean = float(trials.mean())
    value = float(np.exp(mean))
    if spread is None or spread.freedom < LEAST_FREEDOM:
        return Estimate(value, None, None, trials.size)
    error = float(np.linalg.norm([spread.deviation / np.sqrt(trials.size), own, common]))
    between = reach_of(error, spread.freedom)
    reach = max(between, reach_of(within, _WITHIN_A_TRIAL * trials.size))
    if reach > between:  # of what the trials know within themselves nothing is in common
        common = 0.0
    low, high = value * float(np.exp(-reach)), value * float(np.exp(reach))
    return Estimate(value, low, high, trials.size, common)
