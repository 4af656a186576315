"""Many requests as few: those that began and ended in one slice of the window, by their age.

What a curve of ages hangs on is exact but for the ages of these, which are told as the mean of all
within 0.1 % of each other. Whoever is in flight at an instant between two slices, or at one of the
window's ends, is told by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.stats import Counted, Grouped, counted, edges_of, slices_of
from locustfiles import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.digest.log import Log
    from bench.digest.read import RequestLog

WIDTH = 1e-3  # of a bin, as a share of its age
BINS = int(np.log(2.0**63) / WIDTH) + 1
INSTANTS = 2**20  # of the window, at which ends are counted


@dataclass(frozen=True, slots=True)
class Subjects:
    """Requests as `bench.stats.latency` takes them."""

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]  # -1: it had not ended
    succeeded: NDArray[np.bool_]
    grouped: Grouped


@dataclass(slots=True)
class Bins:
    """Of values that aren't negative: how many lie within 0.1 % of each other, and their mean."""

    groups: int = 1
    counts: NDArray[np.int64] = field(init=False)
    sums: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros(self.groups * BINS, dtype=np.int64)
        self.sums = np.zeros(self.groups * BINS)

    def add(self, values: NDArray[np.int64], group: NDArray[np.int64] | int = 0) -> None:
        """Some more, each of a group."""
        at = (np.log1p(values) / WIDTH).astype(np.int64) + np.int64(BINS) * group
        self.counts += np.bincount(at, minlength=self.counts.size)
        self.sums += np.bincount(at, values, minlength=self.sums.size)

    def told(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Of each that isn't empty: its group, the mean of its values, how many they are."""
        filled = np.flatnonzero(self.counts)
        counts = self.counts[filled]
        means = np.rint(self.sums[filled] / counts).astype(np.int64)
        return filled // BINS, means, counts

    def counted(self) -> Counted:
        """All groups together."""
        _, means, counts = self.told()
        return counted(means, counts)


def subjects(log: Log, t0_ns: int, t1_ns: int, since_ns: int) -> Subjects:
    """Of all that a window [t0, t1) saw; ``since_ns`` is when the last user began."""
    slices = _slices(log, t0_ns, t1_ns, since_ns)
    edges = np.array(edges_of(t0_ns, t1_ns, slices), dtype=np.int64)
    bins = Bins(groups=2 * slices)
    alone: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]] = []
    for part in log.parts():
        start, end, good = _seen(part, t0_ns, t1_ns)
        within = (end != -1) & (end < t1_ns) & (start >= max(t0_ns, since_ns))
        at = np.searchsorted(edges, start, side="right")
        one = within & (at == np.searchsorted(edges, end, side="right"))
        bins.add((end - start)[one], 2 * at[one] + good[one])
        alone.append((start[~one], end[~one], good[~one]))
    groups, ages, counts = bins.told()
    begin = np.concatenate([np.array([t0_ns]), edges])[groups // 2]
    begin = np.maximum(begin, np.int64(since_ns))
    starts, ends, goods = (np.concatenate(each) for each in zip(*alone, strict=True))
    return Subjects(
        start_ns=np.concatenate([starts, begin]),
        end_ns=np.concatenate([ends, begin + ages]),
        succeeded=np.concatenate([goods, (groups % 2).astype(np.bool_)]),
        grouped=Grouped(np.concatenate([np.ones_like(starts), counts]), slices),
    )


def _seen(
    part: RequestLog, t0_ns: int, t1_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Start, end and success of those that were in progress in the window."""
    end = np.where(part.outcome == layout.UNFINISHED, -1, part.end_ns)
    seen = (part.start_ns < t1_ns) & ((end == -1) | (end >= t0_ns))
    return part.start_ns[seen], end[seen], part.outcome[seen] == layout.SUCCEEDED


def _slices(log: Log, t0_ns: int, t1_ns: int, since_ns: int) -> int:
    """As many as `bench.stats` would make of all of them."""
    followed, events = 0.0, 0
    for part in log.parts():
        start, end, good = _seen(part, t0_ns, t1_ns)
        fair = start >= since_ns
        until = np.where((end == -1) | (end >= t1_ns), np.int64(t1_ns - 1), end)
        followed += float((until - np.maximum(start, np.int64(t0_ns)))[fair].sum())
        events += int(np.count_nonzero(good & fair & (end != -1) & (end < t1_ns)))
    return slices_of(t1_ns - t0_ns, followed, events)


def ends(log: Log, t0_ns: int, t1_ns: int) -> Counted:
    """When the good answers came in the window, to a millionth of it."""
    width = t1_ns - t0_ns
    counts = np.zeros(INSTANTS, dtype=np.int64)
    for part in log.parts():
        end = part.end_ns[part.outcome == layout.SUCCEEDED]
        inside = end[(end >= t0_ns) & (end < t1_ns)] - t0_ns
        at = (inside * (INSTANTS / width)).astype(np.int64)
        counts += np.bincount(np.minimum(at, INSTANTS - 1), minlength=INSTANTS)
    filled = np.flatnonzero(counts)
    middles = t0_ns + ((filled + 0.5) * (width / INSTANTS)).astype(np.int64)
    return counted(middles, counts[filled])


def percentile(found: Counted, q: float) -> float | None:
    """The least value that at least q per cent do not exceed; None of no values."""
    if found.upto is None or not found.size:
        return None
    rank = max(1, int(np.ceil(found.size * q / 100.0 - 1e-9)))
    return float(found.values[np.searchsorted(found.upto[1:], rank)])
