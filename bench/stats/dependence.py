"""How many requests a window really saw: fifty in lock-step are one observation, not fifty.

Greenwood's error takes requests to be independent. Those that wait for the same lock, pool or
queue aren't. So the error is found once more, from sums over slices of the window, about one round
trip long, of what the requests did to the curve in that time: for clustered data after Williams,
Biometrics 51 (1995); with half of what neighbours have in common, after Newey and West,
Econometrica 55 (1987). Where that is the larger, it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.student import reach_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.stats.survival import Curve

_FEWEST_SLICES, _MOST_SLICES = 4, 20  # of three and fewer Student's t makes anything of anything
_FEWEST_SPREAD = 1.5  # slices that hold the completions; of one there is no variance


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """What each request met of the curve's ages, by slices of the window: what `watch` found.

    ``entered``, ``left``: how many of the curve's ages lie before the first age at which a request
    was seen, and up to its last, shape (n,). ``begun``, ``ended``: the slice where each was first
    and last seen. ``event``: whether the curve counts its end. ``standing``: of those in flight
    from one slice to the next, how many ages lie up to theirs, one array for each such instant.
    """

    curve: Curve
    entered: NDArray[np.int64]
    left: NDArray[np.int64]
    begun: NDArray[np.int64]
    ended: NDArray[np.int64]
    event: NDArray[np.bool_]
    standing: tuple[NDArray[np.int64], ...]
    weights: NDArray[np.int64] | None = None  # how many requests each stands for; None: one

    def widening(self, level: float) -> float:
        """How many times Greenwood's error the true one is, about the age a share outlasts; >= 1.

        Student's t for as many slices as had completions is in it. Infinite where all of them came
        in one slice: nothing can be said then.
        """
        curve = self.curve
        if curve.survival.size == 0:
            return 1.0
        reached = curve.reaches(level)
        at = curve.survival.size - 1 if reached is None else reached
        if curve.survival[at] <= 0.0:
            at -= 1  # where none stays there is no error to compare with
        if at < 0:
            return 1.0
        sums = self._sums(at)
        weights = None if self.weights is None else self.weights[self.event]
        ended = self.ended[self.event]
        counts = np.bincount(ended, weights, minlength=sums.size).astype(np.float64)
        slices = float(counts.sum() ** 2 / np.square(counts).sum())
        if slices < _FEWEST_SPREAD:
            return float("inf")
        found = float(np.dot(sums, sums)) + max(0.0, float(np.dot(sums[1:], sums[:-1])))
        found *= slices / (slices - 1.0)
        greenwood = float(curve.terms[: at + 1].sum())
        t = reach_of(1.0, slices - 1.0) / reach_of(1.0, float("inf"))
        return max(1.0, t * float(np.sqrt(found / greenwood)))

    def _sums(self, at: int) -> NDArray[np.float64]:
        """By slice: what was expected of log S up to an age, less what happened.

        An event at an age with d of Y at risk counts 1 / (Y - d), and each at risk there was
        to expect d / Y of it: squares of these add up to Greenwood's sum.
        """
        curve = self.curve
        count = curve.age_ns.size
        terms = np.where(np.arange(count) <= at, curve.terms, 0.0)
        expected = np.concatenate([np.zeros(1), np.cumsum(terms)])
        happened = np.concatenate([np.zeros(1), terms * curve.at_risk / curve.events])
        size = len(self.standing) + 1
        out = expected[self.left] - np.where(self.event, happened[self.left], 0.0)
        met = expected[self.entered]
        if self.weights is not None:
            out, met = out * self.weights, met * self.weights
        sums = np.bincount(self.ended, out, minlength=size).astype(np.float64)
        sums -= np.bincount(self.begun, met, minlength=size)
        between = np.array([expected[ages].sum() for ages in self.standing])
        # What one slice leaves to the next.
        sums[:-1] += between
        sums[1:] -= between
        return sums


def watch(
    curve: Curve,
    start_ns: NDArray[np.int64],
    last_ns: NDArray[np.int64],
    event: NDArray[np.bool_],
    t0_ns: int,
    t1_ns: int,
    weights: NDArray[np.int64] | None = None,
    slices: int | None = None,
) -> Dependence:
    """Lays a window into slices: as many as it has round trips, 4 to 20.

    Args:
        curve: of these requests.
        start_ns: when each began, shape (n,).
        last_ns: its last age within the window, shape (n,).
        event: whether it succeeded then, shape (n,).
        t0_ns: the window's first instant.
        t1_ns: the first instant after it.
        weights: how many requests each stands for, shape (n,); None: one.
        slices: how many; None: as its round trips have it.
    """
    entry = np.maximum(np.int64(t0_ns) - start_ns, 0)
    if slices is None:
        slices = slices_of(t1_ns - t0_ns, float((last_ns - entry).sum()), int(event.sum()))
    edges = edges_of(t0_ns, t1_ns, slices)
    ages, end_ns = curve.age_ns, start_ns + last_ns
    left = np.searchsorted(ages, last_ns, side="right")
    entered = np.zeros(start_ns.size, dtype=np.int64)
    late = np.flatnonzero(entry)
    entered[late] = np.minimum(np.searchsorted(ages, entry[late], side="left"), left[late])
    over = [np.flatnonzero((start_ns < edge) & (end_ns >= edge)) for edge in edges]
    return Dependence(
        curve=curve,
        entered=entered,
        left=left,
        begun=np.searchsorted(edges, start_ns, side="right"),
        ended=np.searchsorted(edges, end_ns, side="right"),
        event=event & (last_ns < curve.end_ns),
        standing=tuple(
            np.searchsorted(ages, edge - 1 - start_ns[which], side="right")
            for edge, which in zip(edges, over, strict=True)
        ),
        weights=weights,
    )


def slices_of(width_ns: int, followed_ns: float, events: int) -> int:
    """As many as a window has round trips, 4 to 20.

    Args:
        width_ns: of the window.
        followed_ns: for how long it saw all requests together,
        events: and how many of them succeed.
    """
    trip = followed_ns / max(events, 1)
    return int(np.clip(width_ns / max(trip, 1.0), _FEWEST_SLICES, _MOST_SLICES))


def edges_of(t0_ns: int, t1_ns: int, slices: int) -> list[int]:
    """The instants between the slices."""
    return [t0_ns + (t1_ns - t0_ns) * k // slices for k in range(1, slices)]
