"""Latency percentiles of successful requests, from a window that cuts many of them off.

What finished in a window is no fair sample: the slow are cut off at its end, or started when
the load was another. Each request is instead followed for the ages at which the window saw it:

* subjects are the requests in progress at some instant of [t0, t1), one that ends at t0 included;
* one that already waited at t0 enters at the age it had then, one that began later at age 0;
* a success in [t0, t1) is the event; whoever is in flight at t1 is censored at the last
  nanosecond before;
* a failure is censored at its end: it lasted that long and was no success yet. So a refusal
  within 1 ms improves nothing, and a timeout counts as slow. It reads too slow where failures
  come as late as answers do (an app that works, then answers 500): so a percentile is withheld
  if leaving the failures out altogether would lower it by more than 10 %.

`survival` makes the curve of these, `quantile` says what can be read off it. All of it is of one
trial; what holds from trial to trial is told by `repeats`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.quantile import SWAY, Percentile, read_percentile, withheld
from bench.stats.survival import product_limit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.stats.survival import Curve

_NS_PER_MS = 1e6
# Among requests alike, hardly any that share 1 - q which outlasts the percentile outlasts it twice
# over, and none of them for the whole of a window that saw the others come and go.
STARVED = 2


@dataclass(frozen=True, slots=True)
class Latency:
    """The latencies of one window. The mean is of what finished: compare it with Little's."""

    p50: Percentile
    p90: Percentile
    p99: Percentile
    mean_measured_ms: float | None
    completions: int
    oldest_unfinished_ms: float | None


def latency(
    start_ns: NDArray[np.int64],
    end_ns: NDArray[np.int64],
    succeeded: NDArray[np.bool_],
    t0_ns: int,
    t1_ns: int,
) -> Latency:
    """Percentiles, mean and the oldest request in flight, over the window [t0, t1).

    Args:
        start_ns: when each request began, any order, shape (n,).
        end_ns: when it ended; -1, or t1 and later, if not within the window, shape (n,).
        succeeded: whether it ended well; of no meaning while unfinished, shape (n,).
        t0_ns: the window's first instant, not negative.
        t1_ns: the first instant after it.

    Raises:
        ValueError: the window is empty, shapes differ, or a request ended before it began.
    """
    _check(start_ns, end_ns, succeeded, t0_ns, t1_ns)
    # In integer nanoseconds the window's instants are t0 … t1 - 1: all ties come out exactly.
    seen = (start_ns < t1_ns) & ((end_ns == -1) | (end_ns >= t0_ns))
    start, end, good = start_ns[seen], end_ns[seen], succeeded[seen]
    in_flight = (end == -1) | (end >= t1_ns)
    event = good & ~in_flight
    entry = np.maximum(np.int64(t0_ns) - start, 0)
    last = np.where(in_flight, np.int64(t1_ns - 1), end) - start
    finished = np.sort(last[event])
    curve = product_limit(entry, last, event)
    # In flight throughout: the window saw neither their beginning nor their end.
    stuck = np.sort(last[in_flight & (start < t0_ns)])
    kept = event | in_flight
    spared = curve if kept.all() else product_limit(entry[kept], last[kept], event[kept])
    return Latency(
        p50=_percentile(curve, spared, finished, stuck, 0.50),
        p90=_percentile(curve, spared, finished, stuck, 0.10),
        p99=_percentile(curve, spared, finished, stuck, 0.01),
        mean_measured_ms=float(finished.mean()) / _NS_PER_MS if finished.size else None,
        completions=finished.size,
        oldest_unfinished_ms=_oldest_ms(start[in_flight], t1_ns),
    )


def _percentile(
    curve: Curve,
    spared: Curve,
    finished: NDArray[np.int64],
    stuck: NDArray[np.int64],
    tail: float,
) -> Percentile:
    """As the curve has it, unless starving users or the one spared the failures contradict it."""
    slow = read_percentile(curve, finished, tail)
    if slow.value_ms is not None:
        over = stuck.size - int(np.searchsorted(stuck, STARVED * slow.value_ms * _NS_PER_MS))
        if over > tail * curve.subjects:
            # Few are served again and again and most never: the young then tell
            # nothing of the old, however many of them come to the same age.
            told = f"{over} of {curve.subjects} requests outlasted twice what the finished suggest"
            # Not their age as a bound: a window sees the slow more often than they occur.
            return withheld(curve.surely_below(tail), told)
    if slow.value_ms is None or spared is curve:
        return slow
    fast = read_percentile(spared, finished, tail)
    if fast.value_ms is not None and slow.value_ms <= (1.0 + SWAY) * fast.value_ms:
        return slow
    failures = curve.subjects - spared.subjects
    return withheld(spared.surely_below(tail), f"hangs on how {failures} failures are counted")


def _oldest_ms(start_ns: NDArray[np.int64], t1_ns: int) -> float | None:
    return (t1_ns - int(start_ns.min())) / _NS_PER_MS if start_ns.size else None


def _check(
    start_ns: NDArray[np.int64],
    end_ns: NDArray[np.int64],
    succeeded: NDArray[np.bool_],
    t0_ns: int,
    t1_ns: int,
) -> None:
    if not 0 <= t0_ns < t1_ns:
        raise ValueError(f"no window: t0 is {t0_ns} ns, t1 is {t1_ns} ns")
    if not start_ns.shape == end_ns.shape == succeeded.shape:
        raise ValueError(f"shapes differ: {start_ns.shape}, {end_ns.shape}, {succeeded.shape}")
    backwards = np.flatnonzero((end_ns != -1) & (end_ns < start_ns))
    if backwards.size:
        at = int(backwards[0])
        raise ValueError(f"request {at} ended ({end_ns[at]}) before it began ({start_ns[at]})")
