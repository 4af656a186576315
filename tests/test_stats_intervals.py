"""Intervals of latency percentiles hold the truth, also where requests depend on each other."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.stats import latency, product_limit
from bench.stats.dependence import watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Times = NDArray[np.float64]
    Loop = tuple[Times, Times]  # start and end of each request, in seconds

S = 1_000_000_000
WINDOWS = 350


def independent(takes: Callable[[tuple[int, int]], Times], users: int, until_s: float) -> Loop:
    """Each user asks again at once, and is never kept by another."""
    rng = np.random.default_rng(1)
    mean = float(takes((1_000, 1)).mean())
    each = takes((users, int(1.3 * until_s / mean) + 60))
    ends = np.cumsum(each, axis=1) + rng.random((users, 1)) * mean
    return (ends - each).ravel(), ends.ravel()


def lock_step(users: int, until_s: float) -> Loop:
    """All are answered at once, after 1 s and what is drawn once for all, 50 ms in the mean."""
    rng = np.random.default_rng(2)
    takes = 1.0 + rng.exponential(0.05, int(until_s))
    ends = np.cumsum(takes) + np.sort(rng.random((users, 1))) * 0.001
    starts = np.concatenate([ends[:, :1] - takes[0], ends[:, :-1]], axis=1)
    return starts.ravel(), ends.ravel()


def queue(users: int, until_s: float) -> Loop:
    """One core, first come first served: 27 ms ± 5 %, a wait of 1 s, 3 ms more."""
    rng = np.random.default_rng(3)
    jobs = [(float(rng.random() * 3), user, -1.0) for user in range(users)]
    heapq.heapify(jobs)
    starts, ends, free = [], [], 0.0
    while jobs[0][0] < until_s:
        ready, user, began = heapq.heappop(jobs)
        if began < 0:  # it arrives
            free = max(free, ready) + 0.027 * (1 + 0.05 * rng.standard_normal())
            heapq.heappush(jobs, (free + 1.0, user, ready))
        else:  # it comes back from its wait
            free = max(free, ready) + 0.003
            starts.append(began)
            ends.append(free)
            heapq.heappush(jobs, (free, user, -1.0))
    return np.array(starts), np.array(ends)


@dataclass(frozen=True)
class Told:
    """Shares, for each percentile: of windows with a value; of values with an interval; of those
    the ones that hold the truth; of windows with a bound above it; of values with an upper end.
    """

    values: NDArray[np.float64]
    intervals: NDArray[np.float64]
    held: NDArray[np.float64]
    wrong_bounds: NDArray[np.float64]
    closed: NDArray[np.float64]


def told(loop: Loop, width_s: float, count: int = WINDOWS) -> Told:
    """Windows one after the other, of one long run; the truth is of all its requests."""
    order = np.argsort(loop[0], kind="stable")
    start, end = (np.rint(each[order] * S).astype(np.int64) for each in loop)
    steady = (start > 5 * S) & (start < start.max() - 20 * S)
    truth = np.quantile((end - start)[steady], [0.5, 0.9, 0.99], method="inverted_cdf") / 1e6
    latest = np.maximum.accumulate(end)
    values, intervals, held, wrong, closed = (np.zeros(3) for _ in range(5))
    for at in range(count):
        t0 = int((10 + at * width_s) * S)
        t1 = int(t0 + width_s * S)
        seen = slice(np.searchsorted(latest, t0), np.searchsorted(start, t1))
        good = np.ones(end[seen].size, dtype=np.bool_)
        found = latency(start[seen], end[seen], good, t0, t1)
        for q, (each, true) in enumerate(
            zip((found.p50, found.p90, found.p99), truth, strict=True)
        ):
            if each.value_ms is None:
                wrong[q] += (each.over_ms or 0.0) > true
                continue
            values[q] += 1
            if each.low_ms is None:
                continue
            intervals[q] += 1
            held[q] += each.low_ms <= true <= (each.high_ms or float("inf"))
            closed[q] += each.high_ms is not None
    some, judged = np.maximum(values, 1), np.maximum(intervals, 1)
    return Told(
        values / count,
        intervals / some,
        np.where(intervals > 0, held / judged, 1.0),
        wrong / count,
        closed / some,
    )


def drawn(seed: int, kind: str) -> Callable[[tuple[int, int]], Times]:
    """Times that a request takes, 0.2 s or so."""
    rng = np.random.default_rng(seed)
    draws: dict[str, Callable[[tuple[int, int]], Times]] = {
        "exponential": lambda shape: rng.exponential(0.2, shape),
        "lognormal": lambda shape: 0.2 * rng.lognormal(0.0, 1.0, shape),
        "constant": lambda shape: 0.2 + 0.002 * rng.random(shape),
        "two modes": lambda shape: np.where(rng.random(shape) < 0.009, 0.5, 0.01),
    }
    return draws[kind]


# Measured with 600 to 2,000 windows each: the share of intervals that hold the truth, where there
# is one. "open": the share without an upper end, where that is over 5 %.
#                       p50                  p90                             p99
# exponential, 2 s      98.5                 99.1                            all withheld
# lognormal, 2 s        98.9                 99.4 (36 % withheld, 40 open)   all withheld
# lognormal, 10 s       99.6                 99.4                            98.6 (44 open)
# constant              100                  100                             all withheld
# lock-step, 5 s        no interval          100 (21 % none, else open)      all withheld
# lock-step, 10 s       100 (2 % none)       100 (open)                      100 (47 withheld, open)
# queue, 15 s           100                  100 (85 open)                   100 (49 withheld, open)
# two modes             100                  100                             99.1
# Without the 2 % for what drifts: queue 94 and 96 %. With slices of a twentieth of the window
# instead of a round trip: queue 90 and 71 %.
@pytest.mark.parametrize(
    ("loop", "width_s"),
    [
        (lambda: independent(drawn(1, "exponential"), 20, 2 * WINDOWS + 40), 2),
        (lambda: independent(drawn(2, "lognormal"), 20, 2 * WINDOWS + 40), 2),
        (lambda: independent(drawn(3, "constant"), 20, 2 * WINDOWS + 40), 2),
        (lambda: independent(drawn(4, "two modes"), 20, 2 * WINDOWS + 40), 2),
        (lambda: lock_step(50, 5 * WINDOWS + 60), 5),
        (lambda: lock_step(50, 10 * WINDOWS + 60), 10),
        (lambda: queue(100, 15 * WINDOWS + 60), 15),
    ],
    ids=["exponential", "lognormal", "constant", "two modes", "lock-step", "ten steps", "queue"],
)
def test_intervals_hold_the_truth_in_93_of_100_windows(
    loop: Callable[[], Loop], width_s: float
) -> None:
    """350 windows each, 2,450 in all: and hardly one has a bound above the truth."""
    found = told(loop(), width_s)
    assert (found.held >= 0.93).all()
    assert (found.wrong_bounds <= 0.05).all()
    assert found.values[0] > 0.95  # the median is nearly always told


def test_with_enough_independent_requests_both_ends_are_known() -> None:
    """Lognormal, 20 users, 10 s: 1,200 requests; p99 has a value, half of them an upper end."""
    rng = np.random.default_rng(7)
    loop = independent(lambda shape: 0.1 * rng.lognormal(0.0, 1.0, shape), 20, 1_240)
    found = told(loop, 10, 120)
    assert (found.values > 0.9).all()
    assert (found.closed[:2] > 0.99).all()
    assert found.closed[2] > 0.35


def test_nine_in_a_thousand_of_500_ms_read_10_to_500() -> None:
    """p99 is 10 ms, and prints 500 in a fifth of the windows: the interval tells."""
    start, end = independent(drawn(5, "two modes"), 20, 140)
    start_ns, end_ns = (np.rint(each * S).astype(np.int64) for each in (start, end))
    values = []
    for at in range(60):
        t0 = (10 + 2 * at) * S
        good = np.ones(end_ns.size, dtype=np.bool_)
        p99 = latency(start_ns, end_ns, good, t0, t0 + 2 * S).p99
        values.append(p99.value_ms)
        assert p99.low_ms is not None
        assert p99.low_ms < 10.0
        if p99.value_ms == 500.0:
            assert (p99.high_ms or 1e9) > 500.0
    assert 0.05 < np.mean(np.array(values) == 500.0) < 0.5


def widening_of(loop: Loop, width_s: float) -> float:
    """About the median, in a window from 10 s on."""
    start, end = (np.rint(each * S).astype(np.int64) for each in loop)
    t0, t1 = 10 * S, int((10 + width_s) * S)
    seen = (start < t1) & (end >= t0)
    start, end = start[seen], end[seen]
    event, last = end < t1, np.minimum(end, t1 - 1) - start
    curve = product_limit(np.maximum(t0 - start, 0), last, event)
    return watch(curve, start, last, event, t0, t1).widening(0.5)


def test_fifty_in_lock_step_are_one() -> None:
    """The error is some seven times Greenwood's, the root of 50; of independent ones hardly so."""
    assert 5 < widening_of(lock_step(50, 80), 30) < 12
    assert widening_of(independent(drawn(1, "exponential"), 50, 60), 30) < 1.8


def test_of_five_batches_the_median_has_no_interval_and_of_ten_it_has() -> None:
    """All five are above the true median in one of 32 windows: nothing bounds it from below."""
    assert told(lock_step(50, 560), 5, 100).intervals[0] < 0.05
    ten = told(lock_step(50, 1_060), 10, 100)
    assert ten.intervals[0] > 0.9
    assert ten.closed[0] > 0.9


def test_one_batch_in_the_window_is_no_interval() -> None:
    """Answers, but all in one moment: how they vary can't be known."""
    start = np.full(50, S)
    end = start + S // 2 + np.arange(50)
    found = latency(start, end, np.ones(50, dtype=np.bool_), S, 2 * S)
    assert found.p50.value_ms == pytest.approx(500)
    assert (found.p50.low_ms, found.p50.high_ms) == (None, None)
