"""What was sampled from outside, ten times a second: averages, counters, percentiles.

A sampler that started late or died early gives no number rather than a wrong one: what lies
more than 250 ms (two samples and a half) outside its samples is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_REACH_NS = 250_000_000
_NS_PER_S = 1e9


def interpolate_cumulative(t_ns: NDArray[np.int64], values: ArrayLike, at_ns: int) -> float | None:
    """A counter that only grows (CPU seconds, requests served), read between its samples.

    Linear between the two samples around the instant; up to 250 ms outside all samples the
    nearest one stands.

    Args:
        t_ns: when each sample was taken, ascending, shape (n,).
        values: the counter, shape (n,).
        at_ns: the instant wanted.

    Returns:
        In the values' unit; None if there are no samples, the instant is more than 250 ms
        outside them, or the counter ever falls (a process went and took its share with it).

    Raises:
        ValueError: times descend, shapes differ, or a value is not finite.
    """
    readings = _checked(t_ns, values)
    if t_ns.size == 0 or not _reaches(t_ns, at_ns, at_ns) or bool((np.diff(readings) < 0).any()):
        return None
    # Relative to the instant: a float holds 100 days of nanoseconds exactly, not the epoch's.
    return float(np.interp(0.0, t_ns - np.int64(at_ns), readings))


def tapered_growth(
    t_ns: NDArray[np.int64], values: ArrayLike, t0_ns: int, t1_ns: int
) -> float | None:
    """Mean growth per second of a counter over [t0, t1), with `hann_rate`'s weight.

    Between samples the counter is taken to grow evenly, so each interval's rate counts with the
    integral of 1 - cos(2 pi x) over it, x running from 0 to 1 over the window. Divided by a rate
    of completions under the same weight it is exact what a completion took: the parts of the
    window that count for little do so for both.

    Args:
        t_ns: when each sample was taken, ascending, shape (n,).
        values: the counter, shape (n,).
        t0_ns: the window's first instant.
        t1_ns: the first instant after it.

    Returns:
        In the values' unit per second; None as in `interpolate_cumulative`.

    Raises:
        ValueError: the window is empty, times descend, shapes differ, or a value is not finite.
    """
    readings = _checked(t_ns, values)
    _demand_window(t0_ns, t1_ns)
    if t_ns.size == 0 or not _reaches(t_ns, t0_ns, t1_ns) or bool((np.diff(readings) < 0).any()):
        return None
    return _tapered_slope(t_ns, readings, t0_ns, t1_ns)


def tapered_mean(
    t_ns: NDArray[np.int64], integral_ns: ArrayLike, t0_ns: int, t1_ns: int
) -> float | None:
    """Mean of a gauge over [t0, t1) with `hann_rate`'s weight, from readings of its time integral.

    As `tapered_growth`, but the integral may fall by the little that it was read too late, and
    what the readings leave out at the window's ends is taken to be like the rest.

    Args:
        t_ns: when the integral was read, ascending, shape (n,).
        integral_ns: the gauge's time integral since any instant, shape (n,).
        t0_ns: the window's first instant.
        t1_ns: the first instant after it.

    Returns:
        In the gauge's unit; None if there are no two readings, or they end over 250 ms short
        of either end of the window.

    Raises:
        ValueError: as in `tapered_growth`.
    """
    readings = _checked(t_ns, integral_ns)
    _demand_window(t0_ns, t1_ns)
    if t_ns.size == 0 or not _reaches(t_ns, t0_ns, t1_ns):
        return None
    first, last = _weight_until(t_ns[[0, -1]], t0_ns, t1_ns)
    if last <= first:
        return None
    slope = _tapered_slope(t_ns, readings / _NS_PER_S, t0_ns, t1_ns)
    return slope / float(last - first)


def tapered_average(
    t_ns: NDArray[np.int64], values: ArrayLike, t0_ns: int, t1_ns: int
) -> float | None:
    """Mean over [t0, t1) of a gauge that keeps each sampled value, with `hann_rate`'s weight.

    Before the first sample nothing is assumed: the mean is then of the rest of the window.

    Args:
        t_ns: when each sample was taken, ascending, shape (n,).
        values: what was read, shape (n,); each stands until the next sample.
        t0_ns: the window's first instant.
        t1_ns: the first instant after it.

    Returns:
        None if there are no samples, or the first comes more than 250 ms after t0, or the
        last more than 250 ms before t1.

    Raises:
        ValueError: as in `tapered_growth`.
    """
    readings = _checked(t_ns, values)
    _demand_window(t0_ns, t1_ns)
    if t_ns.size == 0 or t_ns[0] >= t1_ns or not _reaches(t_ns, t0_ns, t1_ns):
        return None
    weight = np.diff(_weight_until(np.append(t_ns, np.int64(t1_ns)), t0_ns, t1_ns))
    return float(np.dot(readings, weight) / weight.sum())


def tapered_occupancy(
    start_ns: NDArray[np.int64], end_ns: NDArray[np.int64], t0_ns: int, t1_ns: int
) -> float:
    """Mean number of intervals [start, end) that are open, over [t0, t1) with the same weight.

    Exact: each counts with the weight's integral over what it has of the window,
    F(end) - F(start) with F(x) = x - sin(2 pi x) / (2 pi), x from 0 to 1 over the window.

    Args:
        start_ns: when each began, any order, shape (n,).
        end_ns: when each ended, at or after its start, shape (n,).
        t0_ns: the window's first instant.
        t1_ns: the first instant after it.

    Raises:
        ValueError: the window is empty, shapes differ, or one ended before it began.
    """
    _demand_window(t0_ns, t1_ns)
    if start_ns.shape != end_ns.shape:
        raise ValueError(f"one end a start: {start_ns.shape} starts, {end_ns.shape} ends")
    if (end_ns < start_ns).any():
        raise ValueError("an interval ends before it starts")
    within = (start_ns < t1_ns) & (end_ns > t0_ns)
    ends = _weight_until(end_ns[within], t0_ns, t1_ns)
    return float((ends - _weight_until(start_ns[within], t0_ns, t1_ns)).sum())


def percentile(values: ArrayLike, q: float) -> float | None:
    """The least value that at least q per cent of the values do not exceed; None of no values.

    Always one of the values (numpy's ``inverted_cdf``): nothing is made up between two modes.

    Raises:
        ValueError: q is not in [0, 100], or a value is not finite.
    """
    readings = np.asarray(values, dtype=np.float64)
    if not 0.0 <= q <= 100.0:
        raise ValueError(f"q is {q}, must lie in 0 to 100")
    if not np.isfinite(readings).all():
        raise ValueError("values must be finite")
    if readings.size == 0:
        return None
    return float(np.percentile(readings, q, method="inverted_cdf"))


def _tapered_slope(
    t_ns: NDArray[np.int64], readings: NDArray[np.float64], t0_ns: int, t1_ns: int
) -> float:
    took_s = np.diff(t_ns) / _NS_PER_S
    known = took_s > 0  # two samples at one instant tell no rate
    weight = np.diff(_weight_until(t_ns, t0_ns, t1_ns))
    return float(np.dot(np.diff(readings)[known] / took_s[known], weight[known]))


def _weight_until(t_ns: NDArray[np.int64], t0_ns: int, t1_ns: int) -> NDArray[np.float64]:
    """Integral of 1 - cos(2 pi x) from the window's start to each instant: 0 before, 1 after it."""
    x = np.clip((t_ns - np.int64(t0_ns)) / (t1_ns - t0_ns), 0.0, 1.0)
    found: NDArray[np.float64] = x - np.sin(2.0 * np.pi * x) / (2.0 * np.pi)
    return found


def _demand_window(t0_ns: int, t1_ns: int) -> None:
    if t1_ns <= t0_ns:
        raise ValueError(f"the window is empty: t0 is {t0_ns} ns, t1 is {t1_ns} ns")


def _reaches(t_ns: NDArray[np.int64], from_ns: int, to_ns: int) -> bool:
    return bool(t_ns[0] <= from_ns + _REACH_NS and t_ns[-1] >= to_ns - _REACH_NS)


def _checked(t_ns: NDArray[np.int64], values: ArrayLike) -> NDArray[np.float64]:
    readings = np.asarray(values, dtype=np.float64)
    if readings.shape != t_ns.shape or t_ns.ndim != 1:
        raise ValueError(f"one value a time: {t_ns.shape} times, {readings.shape} values")
    if (np.diff(t_ns) < 0).any():
        raise ValueError("times must ascend")
    if not np.isfinite(readings).all():
        raise ValueError("values must be finite")
    return readings
