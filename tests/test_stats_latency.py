"""Latency percentiles: right, or "> x", or withheld; never the survivors' alone."""

from __future__ import annotations

import heapq
import time
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import (
    Latency,
    Percentile,
    hann_rate,
    latency,
    little_disagrees,
    mean_by_little_ms,
)
from bench.stats.quantile import SLOW

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Loop = tuple[NDArray[np.int64], NDArray[np.int64]]

MS = 1_000_000
S = 1_000 * MS
USERS, SLOTS = 500, 40


@cache
def closed_loop(
    order: str,
    *,
    jitter: float = 0.1,
    users: int = USERS,
    slots: int = SLOTS,
    until_s: int = 120,
    spawn_rate: int | None = None,
) -> Loop:
    """Start and end (-1: never) of each request of a closed loop over slots that take 1 s each.

    ``order`` says who is served next: fifo, lifo or random. Users ask again at once.
    """
    rng = np.random.default_rng(7)
    start_s: list[float] = []
    end_s: list[float] = []
    waiting: list[int] = []
    arrivals = [0.0 if spawn_rate is None else user / spawn_rate for user in range(users)]
    happens = [(at_s, user, -1) for user, at_s in enumerate(arrivals)]
    heapq.heapify(happens)
    free, first = slots, 0
    while happens and happens[0][0] < until_s:
        now_s = happens[0][0]
        while happens and happens[0][0] == now_s:
            _, _, done = heapq.heappop(happens)
            if done >= 0:
                end_s[done] = now_s
                free += 1
            waiting.append(len(start_s))
            start_s.append(now_s)
            end_s.append(-1.0)
        while free and first < len(waiting):
            if order == "fifo":
                serve, first = waiting[first], first + 1
            else:
                at = -1 if order == "lifo" else int(rng.integers(len(waiting)))
                waiting[at], waiting[-1] = waiting[-1], waiting[at]
                serve = waiting.pop()
            free -= 1
            takes_s = 1.0 + jitter * (2 * rng.random() - 1)
            heapq.heappush(happens, (now_s + takes_s, users + serve, serve))
    end = np.array(end_s)
    end_ns = np.where(end < 0, -1, np.rint(end * S)).astype(np.int64)
    return np.rint(np.array(start_s) * S).astype(np.int64), end_ns


def seen(loop: Loop, t0_s: int, width_s: int) -> tuple[Latency, NDArray[np.float64], float]:
    """What we say of a window; the latencies of what finished in it, in ms; Little's mean."""
    start, end = loop
    t0, t1 = t0_s * S, (t0_s + width_s) * S
    inside = (end >= t0) & (end < t1)
    little_ms = mean_by_little_ms(USERS, hann_rate(end[end >= 0], t0, t1))
    assert little_ms is not None
    return latency(start, end, end >= 0, t0, t1), (end - start)[inside] / MS, little_ms


def over(percentile: Percentile) -> float:
    """The bound of a percentile that must have been withheld with one and a reason."""
    assert percentile.value_ms is None
    assert percentile.reason
    assert percentile.over_ms is not None
    return percentile.over_ms


@pytest.mark.parametrize("width_s", [6, 15, 60])
def test_first_in_first_out_every_request_takes_12_5_seconds(width_s: int) -> None:
    """Steady: percentiles and both means agree, in a window half as long as one request too."""
    ours, finished, little_ms = seen(closed_loop("fifo", spawn_rate=50), 30, width_s)
    assert ours.p50.value_ms == pytest.approx(12_500, rel=0.01)
    assert ours.p90.value_ms == pytest.approx(12_500, rel=0.02)
    assert ours.mean_measured_ms == pytest.approx(12_500, rel=0.01)
    assert ours.mean_measured_ms == pytest.approx(finished.mean())
    assert not little_disagrees(ours.mean_measured_ms, little_ms)
    if width_s == 60:
        assert ours.p99.value_ms == pytest.approx(12_500, rel=0.03)
    else:  # one per cent of 240, or of 600 with some cut off
        assert ours.p99.value_ms is None or width_s == 15


def test_first_in_first_out_in_lock_step_is_exact() -> None:
    """All at once and no jitter: half wait 12 s, half 13 s; ties at every instant of the window."""
    ours, _, _ = seen(closed_loop("fifo", jitter=0.0), 30, 60)
    assert ours.completions == 2_400
    assert ours.p50.value_ms == 12_000
    assert (ours.p90.value_ms, ours.p99.value_ms) == (13_000, 13_000)


@pytest.mark.parametrize("jitter", [0.0, 0.1])
def test_a_warm_up_too_short_reads_a_bound_where_the_finished_read_3_5_seconds(
    jitter: float,
) -> None:
    """500 at once, measured from 1 s to 7 s: what finished was first in the queue."""
    ours, finished, little_ms = seen(closed_loop("fifo", jitter=jitter), 1, 6)
    assert np.median(finished) < 4_100
    for percentile in (ours.p50, ours.p90, ours.p99):
        assert 5_800 < over(percentile) <= 7_000  # the oldest age there was
    assert ours.oldest_unfinished_ms == 7_000
    assert little_disagrees(ours.mean_measured_ms, little_ms)


@pytest.mark.parametrize("jitter", [0.0, 0.1])
def test_last_in_first_out_the_finished_read_1_second_and_460_users_starve(jitter: float) -> None:
    """Survivor bias at its worst: in a short window nothing is claimed but the bound."""
    ours, finished, little_ms = seen(closed_loop("lifo", jitter=jitter), 15, 6)
    assert np.percentile(finished, 99) < 1_110
    for percentile in (ours.p50, ours.p90, ours.p99):
        assert over(percentile) == pytest.approx(21_000)  # they have waited since the start
        assert "460 of 74" in (percentile.reason or "")
    assert little_ms == pytest.approx(12_500, rel=0.01)
    assert little_disagrees(ours.mean_measured_ms, little_ms)


def test_last_in_first_out_over_a_minute_the_median_is_1_second_and_the_tail_unknown() -> None:
    """84 % of all requests then did take 1 s, the rest over 75 s; Little's law tells of them."""
    ours, finished, little_ms = seen(closed_loop("lifo"), 15, 60)
    assert ours.p50.value_ms == pytest.approx(1_000, rel=0.02)
    assert np.percentile(finished, 90) < 1_110
    assert over(ours.p90) == pytest.approx(75_000)
    assert over(ours.p99) == pytest.approx(75_000)
    assert ours.oldest_unfinished_ms == 75_000
    assert little_disagrees(ours.mean_measured_ms, little_ms)


def test_in_random_order_the_median_is_right_from_a_cold_start_where_the_finished_are_not() -> None:
    """Who waits has the same chance at any age: 1 s and about 11.5 ln 2, from 1 s to 16 s."""
    loop = closed_loop("random")
    start, end = loop
    steady = (start > 20 * S) & (start < 60 * S)  # all but a few of these have finished
    truth = np.quantile(np.where(end < 0, 120 * S, end - start)[steady], [0.5, 0.9]) / MS
    ours, finished, _ = seen(loop, 1, 15)
    assert np.median(finished) < 0.65 * truth[0]
    assert ours.p50.value_ms == pytest.approx(truth[0], rel=0.1)
    assert over(ours.p90) == pytest.approx(16_000, rel=0.02)  # less what drifts
    assert over(ours.p90) < truth[1]


@pytest.mark.parametrize("order", ["fifo", "random"])
def test_over_35_windows_bounds_keep_below_the_truth_and_values_near_it(order: str) -> None:
    """Bounds at most a tenth above it; values, in random order, within a quarter of it."""
    loop = closed_loop(order)
    start, end = loop
    steady = (start > 20 * S) & (start < 60 * S)
    lasted = np.where(end < 0, 120 * S, end - start)[steady]
    truth = np.quantile(lasted, [0.5, 0.9, 0.99]) / MS
    for t0_s in (1, 2, 3, 5, 10, 15, 30):
        for width_s in (4, 6, 10, 20, 50):
            ours, _, _ = seen(loop, t0_s, width_s)
            for percentile, true_ms in zip((ours.p50, ours.p90, ours.p99), truth, strict=True):
                if percentile.over_ms is not None:
                    assert percentile.over_ms < 1.1 * true_ms
                elif order == "random":
                    assert percentile.value_ms == pytest.approx(true_ms, rel=0.25)


def test_a_server_that_answers_nothing_reads_over_the_age_of_all() -> None:
    """100 users, asked at 0, none answered: 3 s to 9 s."""
    start = np.zeros(100, dtype=np.int64)
    ours = latency(start, start - 1, np.zeros(100, dtype=np.bool_), 3 * S, 9 * S)
    assert over(ours.p50) == over(ours.p99) == pytest.approx(9_000)
    assert ours.p50.reason == "no request succeeded in the window"
    assert (ours.mean_measured_ms, ours.completions) == (None, 0)
    assert ours.oldest_unfinished_ms == 9_000


def test_a_blocked_loop_that_answers_one_a_second_reads_over_the_oldest_age() -> None:
    """100 users over one slot: true mean 100 s; what finished says 6 s."""
    loop = closed_loop("fifo", users=100, slots=1, until_s=30)
    ours, finished, _ = seen(loop, 3, 6)
    assert np.median(finished) < 6_500
    assert over(ours.p50) == over(ours.p99) == pytest.approx(9_000, rel=0.02)  # less what drifts


def test_a_window_shorter_than_the_period_leaves_out_what_it_did_not_see() -> None:
    """Half take 0.15 s, half 1 s, all asked each second; 0.9 s in which no 0.15 s ends."""
    asked = np.repeat(np.arange(6, dtype=np.int64) * S, 100)
    takes = np.tile(np.repeat(np.array([150, 1_000], dtype=np.int64) * MS, 50), 6)
    good = np.ones(600, dtype=np.bool_)
    ours = latency(asked, asked + takes, good, 3_200 * MS, 4_100 * MS)
    assert ours.p50.value_ms is None  # the finished, all of them, took 1 s
    assert ours.mean_measured_ms == 1_000
    whole = latency(asked, asked + takes, good, S, 5 * S)
    assert (whole.p50.value_ms, whole.p90.value_ms) == (150, 1_000)


def independent(lasts_ms: NDArray[np.float64], good: ArrayLike = True) -> Latency:  # noqa: FBT002
    """Requests that begin one a millisecond, all followed to their end, all good unless told."""
    start = np.arange(lasts_ms.size, dtype=np.int64) * MS
    end = start + np.rint(lasts_ms * MS).astype(np.int64)
    return latency(start, end, np.broadcast_to(good, start.shape), 0, int(end.max()) + 1)


def test_with_nothing_cut_off_percentiles_are_the_plain_ones() -> None:
    """Bimodal: 10 ms, and 2 per cent 500 ms."""
    lasts_ms = np.where(np.arange(1_000) % 50 == 0, 500.0, 10.0)
    ours = independent(lasts_ms)
    assert ours.p50 == ours.p90
    for found, plain in ((ours.p50, 10.0), (ours.p99, 500.0)):
        assert (found.value_ms, found.over_ms, found.reason) == (plain, None, None)
        assert (found.low_ms, found.high_ms) == pytest.approx((plain / SLOW, plain * SLOW))
    assert ours.mean_measured_ms == pytest.approx(lasts_ms.mean())
    assert ours.oldest_unfinished_ms is None


@pytest.mark.parametrize(("n", "known"), [(499, False), (500, True)])
@pytest.mark.parametrize("tied", [False, True])
def test_a_percentile_needs_five_completions_beyond_it(n: int, *, known: bool, tied: bool) -> None:
    """p99 of 500 has five, of 499 four; those equal to it count by their rank."""
    ours = independent(np.full(n, 7.0) if tied else np.arange(1.0, n + 1))
    if known:
        assert ours.p99.value_ms == (7.0 if tied else 495.0)
    else:
        assert ours.p99.reason == "4 of the 5 completions needed beyond it"
        assert over(ours.p99) < (7.0 if tied else 495.0)
    assert ours.p90.value_ms is not None


def test_a_failure_is_no_latency_and_hides_none() -> None:
    """Refusals within 1 ms would improve the percentiles of all that ended; not ours."""
    good = np.arange(2_000) % 4 == 0
    lasts_ms = np.where(good, 100.0, 1.0)
    ours = independent(lasts_ms, good=good)
    assert np.median(lasts_ms) == 1.0
    assert ours.p50.value_ms == ours.p90.value_ms == 100.0
    assert ours.completions == 500


def test_failures_as_late_as_answers_withhold_what_they_would_change() -> None:
    """Half answer 500 after the same work: counting them as slow would read 75 % for 50 %."""
    lasts_ms = np.random.default_rng(3).permutation(np.arange(1.0, 2_001.0))
    ours = independent(lasts_ms, good=np.arange(2_000) % 2 == 0)
    assert ours.p50.reason == "hangs on how 1000 failures are counted"
    assert 900 < over(ours.p50) < 1_000
    few = independent(lasts_ms, good=np.arange(2_000) % 50 != 0)
    assert few.p50.value_ms == pytest.approx(1_000, rel=0.03)
    assert few.p99.value_ms == pytest.approx(1_980, rel=0.01)


def test_starvation_of_a_few_does_not_cost_the_median() -> None:
    """11 of 1,011 requests have waited for ever: p50 stands. They are 11 of 16 users in flight."""
    young = np.arange(1_000, dtype=np.int64) * 10 * MS + 100 * S
    start = np.concatenate([np.zeros(11, dtype=np.int64), young])
    end = np.concatenate([np.full(11, -1), young + np.arange(1_000) % 100 * MS + MS])
    ours = latency(start, end, end >= 0, 100 * S, 120 * S)
    assert ours.p50.value_ms == pytest.approx(50, abs=1)
    assert 80 < over(ours.p90) < 90
    assert "11 of 11 users waited throughout" in (ours.p90.reason or "")
    assert 90 < over(ours.p99) < 100  # 11 where 10 are one per cent: not surely 120 s
    assert "11 of 1011 requests were older" in (ours.p99.reason or "")


def test_nine_of_100_users_never_answered_are_seen_in_p90_and_p99() -> None:
    """They are 0.5 % of the requests that the other 91 make at 100 to 123 ms each."""
    rng = np.random.default_rng(9)
    takes = rng.uniform(0.100, 0.123, (91, 60))
    ends = np.cumsum(takes, axis=1) + rng.uniform(-0.1, 0.0, (91, 1))
    start = np.concatenate([((ends - takes) * S).ravel(), np.full(9, -S)]).astype(np.int64) + 9 * S
    end = np.concatenate([(ends * S).ravel(), np.full(9, -9 * S - 1)]).astype(np.int64) + 9 * S
    ours = latency(start, end, end >= 0, 10 * S, 12 * S)
    assert ours.p50.value_ms == pytest.approx(111, rel=0.03)
    for percentile in (ours.p90, ours.p99):
        assert 100 < over(percentile) < 123
        assert percentile.reason == "9 of 100 users waited throughout, twice that long or longer"


def test_who_ends_at_t0_counts_and_who_ends_at_t1_is_in_flight() -> None:
    """As in the throughput: the window is half-open."""
    start = np.array([0, 0, 5 * S, 9 * S, 10 * S], dtype=np.int64)
    end = np.array([3 * S - 1, 3 * S, 9 * S, -1, -1], dtype=np.int64)
    ours = latency(start, end, np.ones(5, dtype=np.bool_), 3 * S, 9 * S)
    assert (ours.completions, ours.mean_measured_ms) == (1, 3_000)
    assert ours.oldest_unfinished_ms == 4_000


@pytest.mark.parametrize(
    ("start", "end", "t0_ns", "named"),
    [([5], [4], 0, "request 0 ended"), ([5], [6, 7], 0, "shapes"), ([5], [6], 100, "no window")],
)
def test_records_that_cannot_be_are_refused(
    start: list[int], end: list[int], t0_ns: int, named: str
) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=named):
        latency(np.array(start), np.array(end), np.ones(1, dtype=np.bool_), t0_ns, 100)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.integers(1, 200), st.integers(0, 10**15))
def test_order_and_clock_do_not_matter_and_every_percentile_is_told(
    seed: int, n: int, width: int, shift: int
) -> None:
    """Each has a value, or a reason; values rise with the percentile and were really measured."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 300, n)
    end = np.where(rng.random(n) < 0.1, -1, start + rng.integers(0, 100, n))
    good = rng.random(n) < 0.9
    ours = latency(start, end, good, 50, 50 + width)
    mixed = rng.permutation(n)
    moved = np.where(end == -1, -1, end + shift)[mixed]
    assert latency(start[mixed] + shift, moved, good[mixed], 50 + shift, 50 + width + shift) == ours
    values = [p.value_ms for p in (ours.p50, ours.p90, ours.p99) if p.value_ms is not None]
    assert values == sorted(values)
    assert set(np.rint(np.array(values) * MS)) <= set((end - start)[good & (end >= 50)])
    for percentile in (ours.p50, ours.p90, ours.p99):
        assert (percentile.value_ms is None) == (percentile.reason is not None)
        assert percentile.value_ms is None or percentile.over_ms is None
        low, value, high = percentile.low_ms, percentile.value_ms, percentile.high_ms
        assert low is None or (value is not None and low <= value)
        assert high is None or (value is not None and low is not None and value <= high)


def test_a_million_requests_take_well_under_a_second() -> None:
    """CPU time, as the machine may be busy."""
    rng = np.random.default_rng(1)
    start = rng.integers(0, 60 * S, 1_000_000)
    end = start + (rng.lognormal(0, 1, start.size) * S).astype(np.int64)
    began = time.process_time()
    ours = latency(start, end, np.ones(start.size, dtype=np.bool_), 10 * S, 50 * S)
    assert time.process_time() - began < 1.0
    assert ours.p99.value_ms == pytest.approx(1_000 * np.exp(2.326), rel=0.03)


def test_starving_users_withhold_the_median() -> None:
    """One request a second is served, after 10 s or 30 s; 440 users wait all through the window.

    The curve of those who come and go says 10 s, and some of them grow as old as the starving
    were at the start; but most of the window's requests outlasted twice that.
    """
    t0, t1 = 300 * S, 360 * S
    ends = np.arange(270, 400, dtype=np.int64) * S
    start = ends - np.where(np.arange(ends.size) % 3 == 0, 30, 10) * S
    starving = np.full(440, t0 - 20 * S)
    found = latency(
        np.concatenate([start, starving]),
        np.concatenate([ends, np.full(440, -1)]),
        np.ones(ends.size + 440, dtype=np.bool_),
        t0,
        t1,
    )
    assert found.p50.value_ms is None
    assert found.p50.reason is not None
    assert "outlasted twice what the finished suggest" in found.p50.reason
    # Their age is no bound: a window sees the slow more often than they occur.
    assert found.p50.over_ms is not None
    assert found.p50.over_ms <= 10_000
    alone = latency(start, ends, np.ones(ends.size, dtype=np.bool_), t0, t1)
    assert alone.p50.value_ms == 10_000
