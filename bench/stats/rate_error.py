"""How well one trial's throughput is known, from within its window.

By sub-windows of at least a round trip where users go round several times (`batch_error`); by the
gaps between completions where the server works without a break, and a round trip takes longer than
the window (`gap_error`). Neither sees what changes from one trial to the next: `spread`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.stats.counted import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.stats.counted import Counted

PLACES = 16  # of a sub-window, to each of its lengths

_NS_PER_S = 1e9
_FEWEST_BREAKS = 5
_FEWEST_BATCHES = 2
_MOST_BATCHES = (20, 10, 5)
# A taper uses two thirds of its window: the mean square of 1 - cos is 3 / 2.
_TAPERED = 1.5**0.5
# The lowest divisor for the variance of sub-windows; 2.5 round trips have it.
_LEAST = 0.5


def batch_error(
    end_ns: NDArray[np.int64] | Counted, t0_ns: int, t1_ns: int, round_trip_s: float
) -> float | None:
    """Relative standard error of `hann_rate`, from sub-windows of whole round trips.

    Batch means, with batches laid at every place: Meketon and Schmeiser, "Overlapping batch means",
    Winter Simulation Conference (1984); as good as half as many batches more. A batch is a
    whole number of round trips long, so that completions in lock-step, which a batch of
    another length would count or miss by chance, come out even.

    Args:
        end_ns: when each request ended, any order, shape (n,).
        t0_ns: the window's first instant.
        t1_ns: the first instant after it.
        round_trip_s: users / throughput, positive.

    Returns:
        None if fewer than two round trips fit, or nothing was completed.

    Raises:
        ValueError: the window is empty, or the round trip not positive.
    """
    ordered = counted(end_ns)
    errors = [
        _batch_error(ordered, t0_ns, t1_ns, trips, round_trip_s * _NS_PER_S)
        for trips in lengths(t0_ns, t1_ns, round_trip_s)
    ]
    known = [error for error in errors if error is not None]
    return _TAPERED * max(known) if known else None


def gap_error(end_ns: NDArray[np.int64], t0_ns: int, t1_ns: int) -> float | None:
    """Relative standard error of the rate of a server that works without a break, from its gaps.

    Between completions of one worker it is their coefficient of variation over the square root of
    their number. Several workers complete nearly together, and their gaps are long and short in
    turn, which isn't chance. So completions closer than half the mean gap are one cycle, with the
    gap after them; of k completions in d seconds, k - rate d is what is off in a cycle
    (regenerative method, Crane and Iglehart, Operations Research 23, 1975); and what neighbours
    have in common counts, as long cycles that take turns with short ones (Newey and West, 1987).

    Args:
        end_ns: when each request ended, any order, shape (n,).
        t0_ns: the window's first instant.
        t1_ns: the first instant after it.

    Returns:
        None of fewer than four cycles, or where the window begins or ends with a break over twice
        as long as any between completions: such a server doesn't work without a break.

    Raises:
        ValueError: the window is empty.
    """
    if t1_ns <= t0_ns:
        raise ValueError(f"the window is empty: t0 is {t0_ns} ns, t1 is {t1_ns} ns")
    ends = np.sort(end_ns[(end_ns >= t0_ns) & (end_ns < t1_ns)])
    gaps = np.diff(ends).astype(np.float64)
    if gaps.size == 0 or max(ends[0] - t0_ns, t1_ns - ends[-1]) > 2.0 * gaps.max():
        return None
    breaks = np.flatnonzero(gaps >= gaps.mean() / 2.0)
    if breaks.size < _FEWEST_BREAKS:
        return None
    # The first cycle began before the window: it is left out.
    counts = np.diff(breaks).astype(np.float64)
    elapsed = np.cumsum(gaps)[breaks]
    took = np.diff(elapsed)
    off = counts - counts.sum() / took.sum() * took
    lags = int(np.cbrt(off.size))
    total = float(np.dot(off, off))
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(np.dot(off[lag:], off[:-lag]))
    # As many degrees of freedom are used up as figures were taken from the cycles.
    total *= off.size / (off.size - 1.0)
    return float(np.sqrt(max(total, 0.0)) / counts.sum())


def lengths(t0_ns: int, t1_ns: int, round_trip_s: float) -> list[int]:
    """Of sub-windows, in round trips, ascending: so many that at most 20, 10 or 5 fit."""
    if t1_ns <= t0_ns:
        raise ValueError(f"the window is empty: t0 is {t0_ns} ns, t1 is {t1_ns} ns")
    if not round_trip_s > 0.0:
        raise ValueError(f"round_trip_s is {round_trip_s}, must be positive")
    fit = (t1_ns - t0_ns) / (round_trip_s * _NS_PER_S)
    found = {int(np.ceil(fit / most)) for most in _MOST_BATCHES}
    return [trips for trips in sorted(found) if trips * _FEWEST_BATCHES <= fit]


def _batch_error(
    ordered: Counted, t0_ns: int, t1_ns: int, trips: int, trip_ns: float
) -> float | None:
    """Relative standard error of the plain rate, by sub-windows of so many round trips."""
    counts = sliding(ordered, t0_ns, t1_ns, int(trips * trip_ns))
    # Averaged over one more round trip: a batch in lock-step comes and goes at a slope. Such a
    # trapezoid varies as a plain one of this length does, one over the integral of its square:
    length_ns = trips * trip_ns / (1.0 - 1.0 / (3.0 * trips))
    slope = max(PLACES // trips, 1)
    if counts.size < 1.5 * slope:
        return None
    smooth = np.convolve(counts, np.full(slope, 1.0 / slope), mode="valid")
    mean = float(smooth.mean())
    if mean <= 0.0:
        return None
    # Less one for their mean, and half for what few sub-windows don't show of slow noise (found
    # by simulation: independent users, 4 to 60 round trips).
    batches = max((t1_ns - t0_ns) / length_ns - 1.5, _LEAST)
    return float(np.sqrt(np.square(smooth / mean - 1.0).mean() / batches))


def sliding(ordered: Counted, t0_ns: int, t1_ns: int, width_ns: int) -> NDArray[np.float64]:
    """Completions in sub-windows so wide, 16 places to a width, from the first to the last."""
    count = max(int((t1_ns - t0_ns - width_ns) * PLACES / width_ns), 0) + 1
    starts = t0_ns + (np.arange(count) * width_ns) // PLACES
    found = ordered.before(starts + width_ns) - ordered.before(starts)
    return found.astype(np.float64)
