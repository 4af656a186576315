"""What went on in each of equal parts of a trial: rates, and averages over each part.

Nothing is smoothed, and nothing made up: what a part doesn't know is not a number (NaN) there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_NS_PER_S = 1e9
LEAST_KNOWN = 0.5  # of a bin, for its average to be told


def bin_edges(start_ns: int, stop_ns: int, count: int) -> NDArray[np.int64]:
    """The ends of ``count`` equal bins over [start, stop), to the nanosecond, shape (count + 1,).

    Raises:
        ValueError: there is no room for so many.
    """
    if count < 1 or stop_ns - start_ns < count:
        raise ValueError(f"no room for {count} bins in {stop_ns - start_ns} ns")
    return start_ns + np.arange(count + 1, dtype=np.int64) * (stop_ns - start_ns) // count


def binned_rate(instants_ns: NDArray[np.int64], edges_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Instants a second in each bin, from any order; one that lies on an edge is in the later bin.

    Times the bins' widths they add up to all instants within the edges.
    """
    until = np.searchsorted(np.sort(instants_ns), edges_ns, side="left")
    found: NDArray[np.float64] = np.diff(until) / (np.diff(edges_ns) / _NS_PER_S)
    return found


def binned_occupancy(
    start_ns: NDArray[np.int64], end_ns: NDArray[np.int64], edges_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean number of intervals [start, end) that are open, in each bin: exact time averages.

    Args:
        start_ns: when each began, any order, shape (n,).
        end_ns: when each ended, at or after its start, shape (n,).
        edges_ns: as `bin_edges` gives them.
    """
    open_ns = _counted_ns(start_ns, edges_ns) - _counted_ns(end_ns, edges_ns)
    found: NDArray[np.float64] = np.diff(open_ns) / np.diff(edges_ns)
    return found


def binned_mean(
    t_ns: NDArray[np.int64],
    values: ArrayLike,
    edges_ns: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Average in each bin of what has one value from each reading to the next, NaN: not known.

    A bin of which less than half is known is not known; else the average is of what is.

    Args:
        t_ns: when each reading was made, ascending, shape (n,).
        values: from each to the next, NaN where that isn't known, shape (n - 1,).
        edges_ns: as `bin_edges` gives them.

    Raises:
        ValueError: shapes don't fit, or times descend.
    """
    pieces = np.asarray(values, dtype=np.float64)
    if pieces.shape != (max(t_ns.size - 1, 0),):
        raise ValueError(f"a value between two readings: {t_ns.shape}, {pieces.shape}")
    took_ns = np.diff(t_ns).astype(np.float64)
    if (took_ns < 0).any():
        raise ValueError("times must ascend")
    nowhere = np.full(edges_ns.size - 1, np.nan)
    if pieces.size == 0:
        return nowhere
    known = np.isfinite(pieces)
    # Both grow evenly within a piece, so between two readings they are on a straight line.
    known_ns = _integral(t_ns, np.where(known, took_ns, 0.0), edges_ns)
    whole_ns = _integral(t_ns, np.where(known, pieces, 0.0) * took_ns, edges_ns)
    enough = known_ns >= LEAST_KNOWN * np.diff(edges_ns)
    found: NDArray[np.float64] = np.divide(whole_ns, known_ns, out=nowhere, where=enough)
    return found


def _integral(
    t_ns: NDArray[np.int64], grown: NDArray[np.float64], edges_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """In each bin, of what grows by so much from each reading to the next."""
    since = edges_ns[0]  # a float holds a trial's nanoseconds exactly, not the machine's
    reached = np.concatenate([np.zeros(1), np.cumsum(grown)])
    found: NDArray[np.float64] = np.diff(np.interp(edges_ns - since, t_ns - since, reached))
    return found


def _counted_ns(instants_ns: NDArray[np.int64], at_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Integral up to each of ``at_ns`` of how many instants have been."""
    since = at_ns[0]
    ascending = np.sort(instants_ns - since)
    count = np.searchsorted(ascending, at_ns - since, side="right")
    sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(ascending)])
    found: NDArray[np.int64] = count * (at_ns - since) - sums[count]
    return found
