"""How fast a simulated machine is, from moment to moment.

A server's work is told in seconds at speed 1. What it does in a stretch of time is the speed's
integral over it; so noise, a step and a stall are all one thing, and exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEP_S = 0.1  # how long a drawn speed holds, a tenth of the time over which it is remembered
_MEMORY_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Speed:
    """Constant between edges: ``rates[i]`` from ``edges_s[i]`` on, the last for ever.

    ``edges_s`` ascends from 0; ``done_s[i]``: the work that could be done until ``edges_s[i]``.
    All have the shape (n,). A rate may be 0, but not the last one.
    """

    edges_s: NDArray[np.float64]
    rates: NDArray[np.float64]
    done_s: NDArray[np.float64]

    def work(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The work that could be done until each moment, any shape."""
        part = np.searchsorted(self.edges_s, at_s, side="right") - 1
        done: NDArray[np.float64] = (
            self.done_s[part] + (at_s - self.edges_s[part]) * (self.rates[part])
        )
        return done

    def when(self, work_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The moment at which so much work could be done, any shape; infinite work: never."""
        # Of parts with equal work the last: those before it stand still.
        part = np.searchsorted(self.done_s, work_s, side="right") - 1
        at_s: NDArray[np.float64] = (
            self.edges_s[part] + (work_s - self.done_s[part]) / (self.rates[part])
        )
        return at_s

    def mean(self, from_s: float, to_s: float) -> float:
        """The mean speed between two moments."""
        done = self.work(np.array([from_s, to_s]))
        return float(done[1] - done[0]) / (to_s - from_s)


def steady(rate: float = 1.0) -> Speed:
    """Always the same."""
    return _speed(np.zeros(1), np.array([rate]))


def noisy(
    rng: np.random.Generator, horizon_s: float, *, between: float = 0.0, within: float = 0.0
) -> Speed:
    """A shared machine's: one draw for the trial, and one that wanders within it.

    The trial's is lognormal with geometric mean 1. Within it the logarithm is an autoregressive
    process of first order whose correlation falls to 1/e in 1 s, so that the time average of the
    speed is the trial's draw: throughput that is bound by the processor has the same mean as
    without noise.

    Args:
        rng: where the draws come from.
        horizon_s: how long the speed wanders.
        between: standard deviation of the trial's logarithm.
        within: standard deviation of the logarithm within the trial.
    """
    trial = float(np.exp(between * rng.standard_normal()))
    if within == 0.0:
        return steady(trial)
    count = int(np.ceil(horizon_s / _STEP_S))
    draws = rng.standard_normal(count)
    kept = float(np.exp(-_STEP_S / _MEMORY_S))
    fresh = float(np.sqrt(1.0 - kept**2))
    wander, level = np.empty(count), float(draws[0])
    for at in range(count):
        wander[at] = level
        level = kept * level + fresh * float(draws[(at + 1) % count])
    rates: NDArray[np.float64] = trial * np.exp(within * wander - within**2 / 2.0)
    return _speed(_STEP_S * np.arange(count, dtype=np.float64), rates)


def changed(speed: Speed, from_s: float, to_s: float, factor: float) -> Speed:
    """The same, but ``factor`` times as fast between two moments (``inf``: from there on)."""
    ends = [moment for moment in (from_s, to_s) if np.isfinite(moment)]
    edges_s = np.union1d(speed.edges_s, ends)
    rates = speed.rates[np.searchsorted(speed.edges_s, edges_s, side="right") - 1]
    inside = (edges_s >= from_s) & (edges_s < to_s)
    return _speed(edges_s.astype(np.float64), np.where(inside, rates * factor, rates))


def _speed(edges_s: NDArray[np.float64], rates: NDArray[np.float64]) -> Speed:
    done = np.concatenate([np.zeros(1), np.cumsum(np.diff(edges_s) * rates[:-1])])
    return Speed(edges_s, rates, done)
