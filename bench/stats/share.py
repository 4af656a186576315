"""A share of requests, such as those that took too long, with its interval.

Requests that wait for one another are slow together, so they tell less than as many independent
ones. By how much, the design effect (Kish, Survey Sampling, 1965, 8.2), is the variance of the
share over slices of the window against that of independent requests. Few are beyond a p99, and may
all be of one crowd or of none; so it is also taken where more are, at the slowest tenth, and the
larger of both holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.lazy import scipy_special
from bench.stats.student import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SLICES = 20
SLOWEST = 0.1


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, as if ``effect`` of them said no more than one."""

    found: int
    of: int
    effect: float = 1.0

    @property
    def value(self) -> float:
        """0 to 1."""
        return self.found / self.of if self.of else 0.0

    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval (Clopper and Pearson, Biometrika 26, 1934)."""
        if not self.of:
            return 0.0, 1.0
        special = scipy_special()
        found, of = self.found / self.effect, self.of / self.effect
        beyond = (1.0 - CONFIDENCE) / 2.0
        low = special.betaincinv(found, of - found + 1.0, beyond) if self.found else 0.0
        rest = of - found
        high = special.betaincinv(found + 1.0, rest, 1.0 - beyond) if self.found < self.of else 1.0
        return float(low), float(high)


def together(shares: Sequence[Share]) -> Share:
    """Of independent samples.

    Their design effect is the mean, weighted by what each found: those in which a crowd came show
    how large crowds are. Where they differ by more than that, it is so much larger.
    """
    known = [one for one in shares if one.of]
    found, of = sum(one.found for one in known), sum(one.of for one in known)
    if not known:
        return Share(0, 0)
    effect = sum(one.effect * (one.found + 1.0) for one in known) / (found + len(known))
    share = found / of
    if len(known) > 1 and 0.0 < share < 1.0:
        off = sum((one.found - share * one.of) ** 2 / one.of for one in known)
        effect = max(effect, off / (share * (1.0 - share)) / (len(known) - 1))
    return Share(found, of, effect)


def share_of(
    bad: NDArray[np.bool_],
    start_ns: NDArray[np.int64],
    took_ns: NDArray[np.int64] | None,
    t0_ns: int,
    t1_ns: int,
) -> Share:
    """The bad ones among the requests of a window.

    Args:
        bad: which are, shape (n,).
        start_ns: when each began, within [t0, t1), any order, shape (n,).
        took_ns: how long each took, at least, shape (n,); None where that isn't what makes one bad.
        t0_ns: the window's first instant.
        t1_ns: the first instant after it.
    """
    crowds = [bad]
    if took_ns is not None and took_ns.size:
        crowds.append(took_ns > np.quantile(took_ns, 1.0 - SLOWEST))
    effects = [_design_effect(one, start_ns, t0_ns, t1_ns) for one in crowds]
    return Share(int(np.count_nonzero(bad)), len(bad), max(effects))


def _design_effect(
    chosen: NDArray[np.bool_], start_ns: NDArray[np.int64], t0_ns: int, t1_ns: int
) -> float:
    """How many of these say no more than one independent one; at least 1."""
    share = float(chosen.mean()) if chosen.size else 0.0
    if not 0.0 < share < 1.0 or chosen.size < 2 * SLICES:
        return 1.0
    edges = np.linspace(t0_ns, t1_ns, SLICES + 1)
    where = np.clip(np.searchsorted(edges, start_ns, side="right") - 1, 0, SLICES - 1)
    counts = np.bincount(where, minlength=SLICES)
    found = np.bincount(where, weights=chosen.astype(np.float64), minlength=SLICES)
    off = found - share * counts  # of each slice; how many began in it is by chance
    variance = float(np.square(off).sum()) * SLICES / (SLICES - 1)
    return max(1.0, variance / (chosen.size * share * (1.0 - share)))
