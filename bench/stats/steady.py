"""Whether a window saw its cell settled: the throughput must not hang on where in it one looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.counted import counted
from bench.stats.rate_error import PLACES, batch_error, lengths, sliding
from bench.stats.throughput import hann_rate, plain_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.stats.counted import Counted

_NS_PER_S = 1e9
# The taper less the plain weight is -cos, of mean square 1 / 2.
_TAPER_ALONE = 0.5**0.5
_OFF = 0.05
_ERRORS = 2.0
_FEWEST_STEPPED = 4.5


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


def steadiness(
    end_ns: NDArray[np.int64] | Counted, t0_ns: int, t1_ns: int, round_trip_s: float
) -> Steadiness:
    """Whether the throughput hangs on where in the window one looks.

    Arguments and errors as in `batch_error`. The noise that a difference is held against is that
    of the steps from one sub-window to the next (half their mean square: von Neumann, Ann. Math.
    Stat. 12, 1941), in which a slow swing has little part; but at least that of completions by
    chance, and no other where under five sub-windows fit: their steps would be the swing itself.
    """
    sub_windows = lengths(t0_ns, t1_ns, round_trip_s)
    ordered = counted(end_ns)
    middle_ns = (t0_ns + t1_ns) // 2
    tapered = hann_rate(end_ns, t0_ns, t1_ns)
    plain = _whole_trips(ordered, t0_ns, t1_ns, round_trip_s)
    first = _whole_trips(ordered, t0_ns, middle_ns, round_trip_s)
    second = _whole_trips(ordered, middle_ns, t1_ns, round_trip_s)
    error = batch_error(ordered, t0_ns, t1_ns, round_trip_s)
    swings = False
    if error is not None and plain > 0.0:
        noise = max(
            _noise(ordered, t0_ns, t1_ns, int(trips * round_trip_s * _NS_PER_S))
            for trips in sub_windows
        )
        swings = _beyond(tapered / plain - 1.0, _TAPER_ALONE * noise) or _beyond(
            (first - second) / plain, 2.0 * noise
        )
    return Steadiness(tapered, plain, first, second, error, swings)


def _beyond(difference: float, error: float) -> bool:
    return abs(difference) > max(_OFF, _ERRORS * error)


def _noise(ordered: Counted, t0_ns: int, t1_ns: int, batch_ns: int) -> float:
    """Relative standard error of the plain rate, as far as it is no swing."""
    counts = sliding(ordered, t0_ns, t1_ns, batch_ns)
    mean = float(counts.mean())
    if mean <= 0.0:
        return float("inf")  # all of them at the window's very ends
    batches = (t1_ns - t0_ns) / batch_ns
    chance = 1.0 / (mean * batches)
    if batches < _FEWEST_STEPPED:
        return float(np.sqrt(chance))
    steps = (counts[PLACES:] - counts[:-PLACES]) / mean
    return float(np.sqrt(max(chance, np.square(steps).mean() / 2.0 / batches)))


def _whole_trips(ordered: Counted, t0_ns: int, t1_ns: int, round_trip_s: float) -> float:
    """The rate over whole round trips, at all their places in the stretch; plain if none fits."""
    trip_ns = round_trip_s * _NS_PER_S
    trips = int((t1_ns - t0_ns) / trip_ns)
    if trips == 0:
        return plain_rate(ordered, t0_ns, t1_ns)
    width_ns = int(trips * trip_ns)
    spare_ns = t1_ns - t0_ns - width_ns
    starts = t0_ns + np.unique(np.linspace(0, spare_ns, 4 * PLACES).astype(np.int64))
    counts = ordered.before(starts + width_ns) - ordered.before(starts)
    return float(counts.mean()) / (width_ns / _NS_PER_S)
