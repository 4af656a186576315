"""Histograms of a counter that is read twice: how many values each bucket has, told by its middle.

The delay server keeps one (go_delay/histogram.go); a middle is at most 0.4 % off any value in its
bucket. Buckets are (middle, count), ascending; empty ones are left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def difference(
    first: Iterable[tuple[int, int]], last: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The values that came between two readings.

    Args:
        first: the earlier one's buckets.
        last: the later one's.

    Raises:
        ValueError: a bucket lost values: these are no two readings of one histogram.
    """
    counts = dict(last)
    for middle, count in first:
        counts[middle] = counts.get(middle, 0) - count
    if any(count < 0 for count in counts.values()):
        raise ValueError("a bucket lost values between two readings")
    return sorted((middle, count) for middle, count in counts.items() if count)


def histogram_percentile(buckets: Sequence[tuple[int, int]], q: float) -> int | None:
    """The middle of the bucket that has the q-th percentile of the values; None of no values.

    By nearest rank, as the delay server and ``percentile`` have it: the least value that at least
    q per cent of the values do not exceed.

    Raises:
        ValueError: q is not in [0, 100].
    """
    if not 0.0 <= q <= 100.0:
        raise ValueError(f"q is {q}, must lie in 0 to 100")
    rank = math.ceil(q / 100.0 * sum(count for _, count in buckets))
    for middle, count in buckets:
        rank -= count
        if rank <= 0:
            return middle
    return None
