"""Latency percentiles of successful requests, from a window that cuts many of them off.

What finished in a window is no fair sample: the slow are cut off at its end, or started when
the load was another. Each request is instead followed for the ages at which the window saw it:

* subjects are the requests in progress at some instant of [t0, t1), one that ends at t0 included,
  that began when all users were there: those before found a shorter queue, and where a round takes
  longer than the warm-up they are most of what the window sees finish;
* one that already waited at t0 enters at the age it had then, one that began later at age 0;
* a success in [t0, t1) is the event; whoever is in flight at t1 is censored at the last
  nanosecond before;
* a failure is censored at its end: it lasted that long and was no success yet. So a refusal
  within 1 ms improves nothing, and a timeout counts as slow. It reads too slow where failures
  come as late as answers do (an app that works, then answers 500): so a percentile is withheld
  if leaving the failures out altogether would lower it by more than 10 %.

`survival` makes the curve of these, `quantile` says what can be read off it. All of it is of one
trial; what holds from trial to trial is told by `pooled`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.counted import counted
from bench.stats.dependence import watch
from bench.stats.quantile import (
    SWAY,
    Percentile,
    age_or_reason,
    read_percentile,
    surely_below,
    withheld,
)
from bench.stats.survival import product_limit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.stats.counted import Counted
    from bench.stats.survival import Curve

_NS_PER_MS = 1e6
# Among requests alike, hardly any that share 1 - q which outlasts the percentile outlasts it twice
# over, and none of them for the whole of a window that saw the others come and go.
STARVED = 2
_MEDIAN = 0.5
_TAILS = (_MEDIAN, 0.10, 0.01)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What percentiles are read from. Ages in nanoseconds, ascending."""

    curve: Curve
    spared: Curve  # the same without the failures
    finished: Counted
    stuck: NDArray[np.int64]
    users: int  # in flight at t0: in a closed loop, all

    def tells(self, tail: float) -> bool:
        """Whether the age that such a share of the requests outlasts can be told."""
        slow = age_or_reason(self.curve, self.finished, tail)
        if isinstance(slow, str) or _starving(self, slow / _NS_PER_MS, tail) is not None:
            return False
        if self.spared is self.curve:
            return True
        fast = age_or_reason(self.spared, self.finished, tail)
        return not isinstance(fast, str) and slow <= (1.0 + SWAY) * fast


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Requests alike told as one.

    Those with a weight over 1 began and ended in one and the same of the window's slices, and their
    ages are nearly the same.
    """

    weights: NDArray[np.int64]  # how many each stands for, shape (n,)
    slices: int  # of the window, equal ones (`dependence`)


@dataclass(frozen=True, slots=True)
class Latency:
    """The latencies of one window. The mean is of what finished: compare it with Little's."""

    p50: Percentile
    p90: Percentile
    p99: Percentile
    mean_measured_ms: float | None
    completions: int
    oldest_unfinished_ms: float | None
    window: Window = field(compare=False, repr=False)  # what the percentiles were read from


def latency(
    start_ns: NDArray[np.int64],
    end_ns: NDArray[np.int64],
    succeeded: NDArray[np.bool_],
    t0_ns: int,
    t1_ns: int,
    since_ns: int = 0,
    grouped: Grouped | None = None,
) -> Latency:
    """Percentiles, mean and the oldest request in flight, over the window [t0, t1).

    Args:
        start_ns: when each request began, any order, shape (n,).
        end_ns: when it ended; -1, or t1 and later, if not within the window, shape (n,).
        succeeded: whether it ended well; of no meaning while unfinished, shape (n,).
        t0_ns: the window's first instant, not negative.
        t1_ns: the first instant after it.
        since_ns: when the last user began; requests from before have no part in percentiles.
        grouped: where each of these stands for several (`bench.digest.grouped`).

    Raises:
        ValueError: the window is empty, shapes differ, or a request ended before it began.
    """
    _check(start_ns, end_ns, succeeded, t0_ns, t1_ns)
    # In integer nanoseconds the window's instants are t0 … t1 - 1: all ties come out exactly.
    seen = (start_ns < t1_ns) & ((end_ns == -1) | (end_ns >= t0_ns))
    start, end, good = start_ns[seen], end_ns[seen], succeeded[seen]
    in_flight = (end == -1) | (end >= t1_ns)
    entry = np.maximum(np.int64(t0_ns) - start, 0)
    last = np.where(in_flight, np.int64(t1_ns - 1), end) - start
    whole = good & ~in_flight
    fair = start >= since_ns
    event, kept = whole[fair], (whole | in_flight)[fair]
    weights = None if grouped is None else grouped.weights[seen]
    alike = None if weights is None else weights[fair]
    curve = product_limit(entry[fair], last[fair], event, alike)
    slices = None if grouped is None else grouped.slices
    dependence = watch(curve, start[fair], last[fair], event, t0_ns, t1_ns, alike, slices)
    # A percentile is as unsure as any below it. Beyond p99 there may be but one batch, whose own
    # requests alone are at risk there: they look independent of each other.
    widenings = np.maximum.accumulate([dependence.widening(tail) for tail in _TAILS])
    window = Window(
        curve=curve,
        spared=(
            curve
            if kept.all()
            else product_limit(
                *(entry[fair][kept], last[fair][kept], event[kept]),
                None if alike is None else alike[kept],
            )
        ),
        finished=counted(last[fair][event], None if alike is None else alike[event]),
        # In flight throughout: the window saw neither their beginning nor their end.
        stuck=np.sort(last[in_flight & (start < t0_ns)]),
        users=int(np.count_nonzero(start < t0_ns)),
    )
    p50, p90, p99 = (
        _percentile(window, tail, float(times))
        for tail, times in zip(_TAILS, widenings, strict=True)
    )
    return Latency(
        p50=p50,
        p90=p90,
        p99=p99,
        mean_measured_ms=_mean_ms(last[whole], None if weights is None else weights[whole]),
        completions=int(np.count_nonzero(whole) if weights is None else weights[whole].sum()),
        oldest_unfinished_ms=_oldest_ms(start[in_flight], t1_ns),
        window=window,
    )


def _percentile(window: Window, tail: float, times: float) -> Percentile:
    """As the curve has it, unless starving users or the one spared the failures contradict it."""
    curve, spared = window.curve, window.spared
    slow = read_percentile(curve, window.finished, tail, times)
    if slow.value_ms is None:
        return slow
    told = _starving(window, slow.value_ms, tail)
    if told is not None:
        # Not their age as a bound: a window sees the slow more often than they occur.
        return withheld(surely_below(curve, tail, times), told)
    if spared is curve:
        return slow
    fast = read_percentile(spared, window.finished, tail, times)
    if fast.value_ms is not None and slow.value_ms <= (1.0 + SWAY) * fast.value_ms:
        return slow
    failures = curve.subjects - spared.subjects
    return withheld(
        surely_below(spared, tail, times), f"hangs on how {failures} failures are counted"
    )


def _starving(window: Window, value_ms: float, tail: float) -> str | None:
    """Why a percentile says nothing of those who wait throughout; None where it may stand.

    Few are served again and again and most never: the young then tell nothing of the old, however
    many of them come to the same age.

    The median speaks of requests. p90 and p99 say how bad it gets, and that is a matter of users:
    nine of a hundred that are never answered are 0.5 % of the requests that the others make.
    """
    over = window.stuck.size - int(np.searchsorted(window.stuck, STARVED * value_ms * _NS_PER_MS))
    if over > tail * window.curve.subjects:
        return (
            f"{over} of {window.curve.subjects} requests outlasted twice what the finished suggest"
        )
    # From half of the share on: the users are a sample, and 9 of 100 may well be 10 %.
    if tail < _MEDIAN and 2 * over > tail * window.users:
        return f"{over} of {window.users} users waited throughout, twice that long or longer"
    return None


def _mean_ms(ages_ns: NDArray[np.int64], weights: NDArray[np.int64] | None) -> float | None:
    if not ages_ns.size:
        return None
    mean = ages_ns.mean() if weights is None else np.average(ages_ns, weights=weights)
    return float(mean) / _NS_PER_MS


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
