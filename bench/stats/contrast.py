"""B over A from starts of A, of a twin of A and of B: how many times, how sure, how many more.

Each start begins all three anew, so what is of one process alone (where its memory lies, how its
hashes fall) is drawn again, and enters the interval as it must: within one start even two twins
differ, and no number of requests shows it. (Batches within a start would also say too much: 1.6 to
3.9 % for a start of 4 s, where starts differ by 0.8 to 1.8 %: slow moments of a shared machine come
in bunches.)

How many starts there are is decided once, from the first few, by Stein's two stages ("A two-sample
test for a linear hypothesis whose power is independent of the variance", Ann. Math. Statist. 16,
1945): the interval of the mean with the first stage's variance and Student's t of its degrees of
freedom holds exactly. To look after each start whether the interval is narrow enough, or the
ratio clear, would stop where the variance happens to look small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.student import reach_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FIRST_STAGE = 4  # starts
MOST_STARTS = 200
# Of B over the mean of A and its twin, and of the twin over A, in variances of one process.
_OF_EFFECT, _OF_TWINS = 1.5, 2.0


@dataclass(frozen=True, slots=True)
class Contrast:
    """Ratios with 95 % confidence intervals: B over A (its twin is a second A), and twin over A."""

    ratio: float
    low: float
    high: float
    twin: float
    twin_low: float
    twin_high: float
    starts: int

    @property
    def half_width(self) -> float:
        """Of the interval, as a share: 0.02 for ± 2 %."""
        return math.sqrt(self.high / self.low) - 1.0


def contrast(a: Sequence[float], twin: Sequence[float], b: Sequence[float]) -> Contrast | None:
    """B over A; None of fewer than two starts.

    Args:
        a: one value a start, positive, shape (n,).
        twin: of the second A, in the same starts.
        b: of B.

    Raises:
        ValueError: lengths differ, or a value is not positive and finite.
    """
    effect, twins = _logs(a, twin, b)
    n = effect.size
    if n < 2:
        return None
    deviation, freedom = _deviation(effect, twins)
    reach = reach_of(deviation * math.sqrt(_OF_EFFECT / n), freedom)
    reach_twin = reach_of(deviation * math.sqrt(_OF_TWINS / n), freedom)
    middle, middle_twin = float(effect.mean()), float(twins.mean())
    return Contrast(
        ratio=math.exp(middle),
        low=math.exp(middle - reach),
        high=math.exp(middle + reach),
        twin=math.exp(middle_twin),
        twin_low=math.exp(middle_twin - reach_twin),
        twin_high=math.exp(middle_twin + reach_twin),
        starts=n,
    )


def starts_needed(
    a: Sequence[float], twin: Sequence[float], b: Sequence[float], half_width: float
) -> int:
    """Starts for an interval of at most ± half_width (0.025: 2.5 %), from the first stage alone.

    Raises:
        ValueError: fewer than two starts, lengths differ, or a value is not positive and finite.
    """
    effect, twins = (logs[:FIRST_STAGE] for logs in _logs(a, twin, b))
    if effect.size < 2:
        raise ValueError(f"{effect.size} starts tell nothing of their spread")
    deviation, freedom = _deviation(effect, twins)
    reach = reach_of(deviation * math.sqrt(_OF_EFFECT), freedom)
    wanted = math.ceil((reach / math.log1p(half_width)) ** 2)
    return min(max(wanted, FIRST_STAGE), MOST_STARTS)


def _deviation(effect: NDArray[np.float64], twins: NDArray[np.float64]) -> tuple[float, float]:
    """Of one process's logarithm, with its degrees of freedom.

    Both contrasts tell it, independently of each other. The first stage's, unless all starts
    together show a larger one: that keeps the interval honest where the machine gets worse.
    """
    stage = min(effect.size, FIRST_STAGE)
    freedom = 2.0 * (stage - 1)
    first = _variance(effect[:stage], twins[:stage])
    return math.sqrt(max(first, _variance(effect, twins))), freedom


def _variance(effect: NDArray[np.float64], twins: NDArray[np.float64]) -> float:
    squares = float(np.square(effect - effect.mean()).sum()) / _OF_EFFECT
    squares += float(np.square(twins - twins.mean()).sum()) / _OF_TWINS
    return squares / (2.0 * (effect.size - 1))


def _logs(
    a: Sequence[float], twin: Sequence[float], b: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = np.asarray([a, twin, b], dtype=np.float64)
    if not (np.isfinite(found).all() and (found > 0).all()):
        raise ValueError("values must be positive and finite")
    log_a, log_twin, log_b = np.log(found)
    return log_b - (log_a + log_twin) / 2.0, log_twin - log_a
