"""A latency percentile of one cell, from several trials: each trial is one observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.stats.quantile import SLOW, Percentile
from bench.stats.student import LEAST_FREEDOM, reach_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.stats.spread import Spread

_ANOTHER_MODE = float(np.log(1.5))
_LEAST_MS = 1e-6  # a nanosecond: the logarithm of less is none


def pooled_percentile(
    found: Sequence[Percentile], spread: Spread | None, shared: float = 0.0
) -> Percentile:
    """The mean of the trials' logarithms, with the wider of two 95 % intervals on each side.

    One is of the trials as clusters: whatever makes the requests of one trial alike is in what they
    differ by. The other is what the trials' own intervals leave for their mean: where few requests
    decide which of two modes a percentile shows, all trials may show the same one.

    Args:
        found: one a trial.
        spread: of one trial's logarithm of this percentile, from `spreads`; None if unknown.
        shared: standard error of what all trials have in common and so doesn't show between them.

    Returns:
        An end is None where neither tells it: a trial's own is unknown, and there is no spread or
        but one trial; the upper one too where most trials' own is open. A bound where any trial has
        no value, of what each is surely above, with the first reason; nothing of no trials.
    """
    if not found:
        return Percentile(None, None, None)
    values = [p.value_ms for p in found if p.value_ms is not None]
    if len(values) < len(found):
        return _bound(found)
    logs = np.log(np.maximum(values, _LEAST_MS))
    known = spread is not None and spread.freedom >= LEAST_FREEDOM
    between = _between(spread, len(found), shared) if spread is not None and known else None
    low = _end(logs, [p.low_ms for p in found], between, -1)
    high = _end(logs, [p.high_ms for p in found], between, 1)
    if 2 * sum(p.low_ms is not None and p.high_ms is None for p in found) > len(found):
        high = None  # what most of the trials can't tell, the rest of them by chance can't either
    return Percentile(float(np.exp(logs.mean())), None, None, low, high)


def _bound(found: Sequence[Percentile]) -> Percentile:
    bounds = [p.low_ms if p.value_ms is not None else p.over_ms for p in found]
    logs = [np.log(max(bound, _LEAST_MS)) for bound in bounds if bound is not None]
    reason = next((p.reason for p in found if p.reason), None)
    return Percentile(
        None, float(np.exp(np.mean(logs))) if len(logs) == len(found) else None, reason
    )


def _between(spread: Spread, trials: int, shared: float) -> float:
    """How far the mean of trials may be off; what drifts slowly is off alike in all of them."""
    error = float(np.hypot(spread.deviation / np.sqrt(trials), shared))
    chance = reach_of(error, spread.freedom)
    return chance + float(np.log(SLOW))


def _end(
    logs: NDArray[np.float64], ends_ms: Sequence[float | None], between: float | None, side: int
) -> float | None:
    """The lower (side -1) or upper (1) end: the farther of the trials' own and of ``between``.

    Independent distances grow with the square root of their number, and the mean's with one over
    it. But where one reaches from one mode to another its end stands: all trials that show the
    other mode have moved to the same side.
    """
    known = [
        (float(log), float(np.log(max(end, _LEAST_MS))))
        for log, end in zip(logs, ends_ms, strict=True)
        if end is not None
    ]
    if len(known) < len(logs) and (len(logs) == 1 or between is None):
        return None
    mean = float(logs.mean())
    off = [abs(end - log) for log, end in known]
    own = mean + side * float(np.sqrt(np.square(off).sum())) / len(logs)
    if max(off, default=0.0) > _ANOTHER_MODE:
        own = max((end for _, end in known), key=lambda end: side * end)
    return float(np.exp(side * max(side * own, side * mean + (between or 0.0))))
