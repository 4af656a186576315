"""Within one trial: how well its throughput is known, and whether the window saw it settled.

Three ways to say it, for three kinds of cell. Sub-windows of at least a round trip where users go
round several times (`batch_error`); gaps between completions where the server works without a
break, and a round trip takes longer than the window (`gap_error`); and whether the figure hangs on
where in the window one looks (`steadiness`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.throughput import hann_rate, plain_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NS_PER_S = 1e9
_FEWEST_BATCHES = 2
_MOST_BATCHES = (20, 10, 5)
_PLACES = 16  # of a sub-window, to each of its lengths
# A taper uses two thirds of its window: the mean square of 1 - cos is 3 / 2.
_TAPERED = 1.5**0.5
# The taper less the plain weight is -cos, of mean square 1 / 2.
_TAPER_ALONE = 0.5**0.5
_OFF = 0.05
_ERRORS = 2.0


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Rates of one window by several weights, completions per second.

    ``plain_rps`` and the halves are taken over whole round trips, so that a batch in lock-step
    that just makes it or just misses doesn't count as a swing. ``error``: relative standard error
    of the tapered rate, None where that can't be told. ``swings``: they differ by more than 5 % and
    two standard errors, so the cell changes more slowly than its window; never without an error.
    """

    tapered_rps: float
    plain_rps: float
    first_half_rps: float
    second_half_rps: float
    error: float | None
    swings: bool


def batch_error(
    end_ns: NDArray[np.int64], t0_ns: int, t1_ns: int, round_trip_s: float
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
    ordered = np.sort(end_ns)
    errors = [
        _batch_error(ordered, t0_ns, t1_ns, batch_ns)
        for batch_ns in _batches_ns(t0_ns, t1_ns, round_trip_s)
    ]
    known = [error for error in errors if error is not None]
    return _TAPERED * max(known) if known else None


def gap_error(end_ns: NDArray[np.int64], t0_ns: int, t1_ns: int) -> float | None:
    """Relative standard error of the rate of a server that works without a break, from its gaps.

    Between completions of one worker it is their coefficient of variation over the square root of
    their number. Several workers complete nearly together, and their gaps are long and short in
    turn, which isn't chance. So completions closer than half the mean gap are one cycle, with the
    gap after them; of k completions in d seconds, k - rate d is what is off in a cycle (regenerative
    method, Crane and Iglehart, Operations Research 23, 1975); and what neighbours have in
    common counts, as long cycles that take turns with short ones (Newey and West, 1987).

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
    if breaks.size < _FEWEST_CYCLES:
        return None
    # The first cycle began before the window: it is left out.
    counts = np.diff(breaks).astype(np.float64)
    took = np.add.reduceat(gaps, breaks[:-1] + 1)[: counts.size]
    took[-1] = gaps[breaks[-2] + 1 : breaks[-1] + 1].sum()
    off = counts - counts.sum() / took.sum() * took
    lags = int(np.cbrt(off.size))
    total = float(np.dot(off, off))
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(np.dot(off[lag:], off[:-lag]))
    # As many degrees of freedom are used up as figures were taken from the cycles.
    total *= off.size / (off.size - 1.0)
    return float(np.sqrt(max(total, 0.0)) / counts.sum())


_FEWEST_CYCLES = 5


def steadiness(
    end_ns: NDArray[np.int64], t0_ns: int, t1_ns: int, round_trip_s: float
) -> Steadiness:
    """Whether the throughput hangs on where in the window one looks.

    Arguments and errors as in `batch_error`. The noise that a difference is held against is that
    of the sub-windows about their own trend (half the mean square of the steps from one to the
    next: von Neumann, Ann. Math. Stat. 12, 1941), which a swing has little part in; but at least that
    of completions by chance, as a few sub-windows may lie close by luck.
    """
    ordered = np.sort(end_ns)
    middle_ns = (t0_ns + t1_ns) // 2
    tapered = hann_rate(end_ns, t0_ns, t1_ns)
    plain = _whole_trips(ordered, t0_ns, t1_ns, round_trip_s)
    first = _whole_trips(ordered, t0_ns, middle_ns, round_trip_s)
    second = _whole_trips(ordered, middle_ns, t1_ns, round_trip_s)
    error = batch_error(end_ns, t0_ns, t1_ns, round_trip_s)
    swings = False
    if error is not None and plain > 0.0:
        noise = max(
            _noise(ordered, t0_ns, t1_ns, batch_ns)
            for batch_ns in _batches_ns(t0_ns, t1_ns, round_trip_s)
        )
        swings = _beyond(tapered / plain - 1.0, _TAPER_ALONE * noise) or _beyond(
            (first - second) / plain, 2.0 * noise
        )
    return Steadiness(tapered, plain, first, second, error, swings)


def _beyond(difference: float, error: float) -> bool:
    return abs(difference) > max(_OFF, _ERRORS * error)


def _noise(ordered: NDArray[np.int64], t0_ns: int, t1_ns: int, batch_ns: int) -> float:
    """Relative standard error of the plain rate, as far as it isn't a trend."""
    counts = _sliding(ordered, t0_ns, t1_ns, batch_ns)
    mean = float(counts.mean())
    batches = (t1_ns - t0_ns) / batch_ns
    chance = 1.0 / (mean * batches)
    steps = counts[_PLACES:] - counts[:-_PLACES]
    moved = float(np.square(steps / mean).mean()) / 2.0 / batches if steps.size else 0.0
    return float(np.sqrt(max(chance, moved)))


def _batches_ns(t0_ns: int, t1_ns: int, round_trip_s: float) -> list[int]:
    """Lengths of sub-windows, ascending: whole round trips, so many that 20, 10 or 5 fit."""
    if t1_ns <= t0_ns:
        raise ValueError(f"the window is empty: t0 is {t0_ns} ns, t1 is {t1_ns} ns")
    if not round_trip_s > 0.0:
        raise ValueError(f"round_trip_s is {round_trip_s}, must be positive")
    trips = (t1_ns - t0_ns) / (round_trip_s * _NS_PER_S)
    if trips < _FEWEST_BATCHES:
        return []
    whole = {int(np.ceil(trips / most)) for most in _MOST_BATCHES}
    return [int(each * round_trip_s * _NS_PER_S) for each in sorted(whole) if 2 * each <= trips]


def _batch_error(ordered: NDArray[np.int64], t0_ns: int, t1_ns: int, batch_ns: int) -> float | None:
    """Relative standard error of the plain rate by batches of one length."""
    counts = _sliding(ordered, t0_ns, t1_ns, batch_ns)
    mean = float(counts.mean())
    if mean <= 0.0:
        return None
    batches = (t1_ns - t0_ns) / batch_ns
    return float(np.sqrt(np.square(counts / mean - 1.0).mean() / (batches - 1.0)))


def _sliding(
    ordered: NDArray[np.int64], t0_ns: int, t1_ns: int, width_ns: int
) -> NDArray[np.float64]:
    """Completions in sub-windows so wide, 16 places to a width, from the first to the last."""
    count = max(int((t1_ns - t0_ns - width_ns) * _PLACES / width_ns), 0) + 1
    starts = t0_ns + (np.arange(count) * width_ns) // _PLACES
    found = np.searchsorted(ordered, starts + width_ns) - np.searchsorted(ordered, starts)
    return found.astype(np.float64)


def _whole_trips(ordered: NDArray[np.int64], t0_ns: int, t1_ns: int, round_trip_s: float) -> float:
    """The rate over whole round trips at every place that they have in the stretch; plain if none."""
    trip_ns = round_trip_s * _NS_PER_S
    trips = int((t1_ns - t0_ns) / trip_ns)
    if trips == 0:
        return plain_rate(ordered, t0_ns, t1_ns)
    width_ns = int(trips * trip_ns)
    spare_ns = t1_ns - t0_ns - width_ns
    starts = t0_ns + np.unique(np.linspace(0, spare_ns, 4 * _PLACES).astype(np.int64))
    counts = np.searchsorted(ordered, starts + width_ns) - np.searchsorted(ordered, starts)
    return float(counts.mean()) / (width_ns / _NS_PER_S)
