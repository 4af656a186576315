"""The share of requests that outlast each age, from requests seen only in part.

The product-limit estimator for left-truncated, right-censored data: Kaplan and Meier,
J. Am. Stat. Assoc. 53 (1958); with delayed entry, Tsai, Jewell and Wang, Biometrika 74 (1987).

Its known weakness: where few are at risk, one event moves the curve a lot, and once all at risk
have left it is 0 for good, though older ones, that entered later, prove it is not. Here the curve
therefore *ends* at the first age with fewer than 5 at risk. Nothing is claimed from there on, and
who entered only after that end is counted as detached, for the caller to weigh: the curve cannot
say how many requests it stands for.

Its bounds are Greenwood's error on the scale of log(-log S), on which it is nearly normal and none
leaves 0 to 1 (Kalbfleisch and Prentice, "The Statistical Analysis of Failure Time Data", 1980).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.counted import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.stats.counted import Counted

FEWEST_AT_RISK = 5

_Z = 1.96  # the normal distribution's 97.5 % point
# How probable a run of none may be, to be called chance. One-sided: the other end is open then.
_CHANCE = 0.05

# Products of exact fractions miss a level such as 1/2 by a few rounding errors.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Survival by age, known for the ages below ``end_ns``.

    ``age_ns``: ages with an event, ascending, shape (k,). ``events``: how many at each, of how many
    ``at_risk``. ``terms``: each age's part of Greenwood's sum.
    ``survival``: the share that outlasts each. ``error``: its standard error, if subjects are
    independent (Greenwood, 1926). ``detached_ns``: the last age seen of each one that entered
    at ``end_ns`` or later, ascending. ``subjects``: all that were followed.
    """

    age_ns: NDArray[np.int64]
    events: NDArray[np.int64]
    at_risk: NDArray[np.int64]
    terms: NDArray[np.float64]
    survival: NDArray[np.float64]
    error: NDArray[np.float64]
    end_ns: int
    detached_ns: NDArray[np.int64]
    subjects: int

    def reaches(self, level: float) -> int | None:
        """Index of the first age that at most a share ``level`` outlasts; None if there is none."""
        # Survival never rises, so its negative is in order.
        at = int(np.searchsorted(-self.survival, -level * (1.0 + _ROUNDING) - 1e-15))
        return at if at < self.survival.size else None

    def surely_below(self, level: float, times: float = 1.0) -> int:
        """An age that more than a share ``level`` outlasts, 97.5 % sure; -1 if none is known.

        One side of the interval for a quantile of Brookmeyer and Crowley, Biometrics 38 (1982).

        Args:
            level: in (0, 1).
            times: how many times Greenwood's error the true one is (`dependence`).
        """
        if self.survival.size == 0:
            return self.end_ns - 1
        # None of n ended before the first age: with n near 1 that may be chance.
        if _CHANCE ** (times**2 / float(self.at_risk[0])) <= level:
            return -1
        unsure = np.flatnonzero(self._bound(times) <= level * (1.0 + _ROUNDING))
        # Survival keeps its last value until just before the next age.
        return (int(self.age_ns[unsure[0]]) if unsure.size else self.end_ns) - 1

    def surely_reached(self, level: float, times: float = 1.0) -> int | None:
        """An age that at most a share ``level`` outlasts, 97.5 % sure; None if none is known.

        The other side of that interval; arguments as in `surely_below`.
        """
        bound = self._bound(-times)
        if bound.size and self.survival[-1] == 0.0:
            # Of those at risk none stayed, which of a few proves little: Greenwood's error is 0.
            before = float(bound[-2]) if bound.size > 1 else 1.0
            bound[-1] = before * (1.0 - _CHANCE ** (times**2 / float(self.at_risk[-1])))
        sure = np.flatnonzero(bound <= level * (1.0 + _ROUNDING))
        return int(self.age_ns[sure[0]]) if sure.size else None

    def _bound(self, times: float) -> NDArray[np.float64]:
        """The lower bound of survival at each age; the upper one if times is negative."""
        share = self.survival
        inner = (share > 0.0) & (share < 1.0)
        logs = np.log(share, out=np.full(share.size, -1.0), where=inner)
        reach = np.divide(self.error, -share * logs, out=np.zeros(share.size), where=inner)
        # Beyond e^700 floats end.
        power = np.exp(np.clip(_Z * times * reach, -700.0, 700.0))
        return np.where(inner, np.exp(logs * power), share)


def product_limit(
    entry_ns: NDArray[np.int64],
    last_ns: NDArray[np.int64],
    event: NDArray[np.bool_],
    weights: NDArray[np.int64] | None = None,
) -> Curve:
    """The survival curve of subjects, each followed from age ``entry`` to age ``last`` inclusive.

    At an age a, those with entry <= a <= last are at risk; so one censored at the age of another's
    event still counts there, and so does one that enters then. n log n.

    Args:
        entry_ns: the age at which each came under observation, shape (n,).
        last_ns: the last age at which it was observed, shape (n,).
        event: whether its event happened at that last age, else it is censored, shape (n,).
        weights: how many subjects each of these stands for, shape (n,), one where it entered late;
            None: one.

    Raises:
        ValueError: shapes differ, or an entry is negative or after the last age.
    """
    if not entry_ns.shape == last_ns.shape == event.shape:
        raise ValueError(f"shapes differ: {entry_ns.shape}, {last_ns.shape}, {event.shape}")
    if (entry_ns < 0).any() or (entry_ns > last_ns).any():
        raise ValueError("each entry must lie between 0 and the last age")
    entries, lasts = counted(entry_ns, weights), counted(last_ns, weights)
    end_ns = _end(entries, lasts)
    ended = event & (last_ns < end_ns)
    ages, events = counted(last_ns[ended], None if weights is None else weights[ended]).distinct()
    at_risk = _at_risk(entries, lasts, ages)
    stay = at_risk - events
    survival = np.cumprod(stay / at_risk, dtype=np.float64)
    # Where none stays, survival is 0 and so is its error: any finite term will do.
    terms = events / (at_risk * np.maximum(stay, 1).astype(np.float64))
    error = survival * np.sqrt(np.cumsum(terms))
    detached = np.sort(last_ns[entry_ns >= end_ns])
    return Curve(ages, events, at_risk, terms, survival, error, end_ns, detached, entries.size)


def _end(entries: Counted, lasts: Counted) -> int:
    """The first age at which fewer than 5 are at risk."""
    # The number at risk falls only just after someone's last age.
    leaves = np.concatenate([np.zeros(1, dtype=np.int64), lasts.distinct()[0] + 1])
    return int(leaves[np.argmax(_at_risk(entries, lasts, leaves) < FEWEST_AT_RISK)])


def _at_risk(entries: Counted, lasts: Counted, ages: NDArray[np.int64]) -> NDArray[np.int64]:
    return entries.before(ages, "right") - lasts.before(ages)
