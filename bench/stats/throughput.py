"""Requests per second over a window, right even when completions come in lock-step batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.stats.counted import Counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NS_PER_S = 1e9


def hann_rate(end_ns: NDArray[np.int64] | Counted, t0_ns: int, t1_ns: int) -> float:
    """Completions per second in [t0, t1), each weighted 1 - cos(2 pi (t - t0) / W).

    A plain count over W jumps by a whole batch with the phase of the batches. The weight, a Hann
    window of mean 1 (Harris, "On the use of windows for harmonic analysis with the DFT",
    Proc. IEEE 66, 1978), is 0 at both ends, so a batch that just makes it or just misses counts
    for nothing; what is left of a period P is the window's side lobe at the frequency W / P.

    Args:
        end_ns: when each request ended, any order, shape (n,).
        t0_ns: the window's first instant.
        t1_ns: the first instant after it.

    Raises:
        ValueError: the window is empty.
    """
    offset_ns, counts = _offsets(end_ns, t0_ns, t1_ns)
    weights = 1.0 - np.cos(offset_ns * (2.0 * np.pi / (t1_ns - t0_ns)))
    found = weights.sum() if counts is None else np.dot(weights, counts)
    return float(found) / ((t1_ns - t0_ns) / _NS_PER_S)


def plain_rate(end_ns: NDArray[np.int64] | Counted, t0_ns: int, t1_ns: int) -> float:
    """Completions per second in [t0, t1), each counted once; arguments as in `hann_rate`."""
    offset_ns, counts = _offsets(end_ns, t0_ns, t1_ns)
    found = offset_ns.size if counts is None else int(counts.sum())
    return found / ((t1_ns - t0_ns) / _NS_PER_S)


def _offsets(
    end_ns: NDArray[np.int64] | Counted, t0_ns: int, t1_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Of those in the window: how long after its beginning, and how many of each (None: one)."""
    if t1_ns <= t0_ns:
        raise ValueError(f"the window is empty: t0 is {t0_ns} ns, t1 is {t1_ns} ns")
    if isinstance(end_ns, Counted):
        inside, counts = end_ns.within(t0_ns, t1_ns)
        return inside - np.int64(t0_ns), counts
    return end_ns[(end_ns >= t0_ns) & (end_ns < t1_ns)] - np.int64(t0_ns), None
