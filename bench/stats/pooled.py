"""A latency percentile of one cell, from several trials: each trial is one observation."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.estimate import reach_of
from bench.stats.quantile import Percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stats.spread import Spread

_LEAST_MS = 1e-6  # a nanosecond: the logarithm of less is none


def pooled_percentile(found: Sequence[Percentile], spread: Spread | None) -> Percentile:
    """The mean of the trials' logarithms, with the wider of two 95 % intervals on each side.

    One is of the trials as clusters: whatever makes the requests of one trial alike is in what they
    differ by. The other is what the trials' own intervals leave for their mean: where few requests
    decide which of two modes a percentile shows, all trials may show the same one.

    Args:
        found: one a trial.
        spread: of one trial's logarithm of this percentile, from `spreads`; None if unknown.

    Returns:
        An end is None where neither tells it: a trial's own is unknown, and there is no spread or
        but one trial; the upper one too where most trials' own is open. A bound where any trial has
        no value, as median(x) >= median(bounds), with the first reason; nothing of no trials.
    """
    if not found:
        return Percentile(None, None, None)
    values = [p.value_ms for p in found if p.value_ms is not None]
    if len(values) < len(found):
        return _bound(found)
    logs = np.log(np.maximum(values, _LEAST_MS))
    mean = float(logs.mean())
    between = None if spread is None else _between(spread, len(found))
    down = _reach([_distance(p.low_ms, p.value_ms) for p in found], between)
    up = _reach([_distance(p.high_ms, p.value_ms) for p in found], between)
    if 2 * sum(p.low_ms is not None and p.high_ms is None for p in found) > len(found):
        up = None  # what most of the trials can't tell, the rest of them by chance can't either
    return Percentile(
        float(np.exp(mean)),
        None,
        None,
        None if down is None else float(np.exp(mean - down)),
        None if up is None else float(np.exp(mean + up)),
    )


def _bound(found: Sequence[Percentile]) -> Percentile:
    bounds = [p.value_ms if p.value_ms is not None else p.over_ms for p in found]
    known = [bound for bound in bounds if bound is not None]
    reason = next((p.reason for p in found if p.reason), None)
    return Percentile(None, median(known) if len(known) == len(found) else None, reason)


def _between(spread: Spread, trials: int) -> float:
    return reach_of(spread.deviation / float(np.sqrt(trials)), spread.freedom)


def _distance(end_ms: float | None, value_ms: float | None) -> float | None:
    """How far an end of a trial's interval is from its value, as a logarithm."""
    if end_ms is None or value_ms is None:
        return None
    return abs(float(np.log(max(end_ms, _LEAST_MS) / max(value_ms, _LEAST_MS))))


def _reach(within: Sequence[float | None], between: float | None) -> float | None:
    """The farther of two: of independent trials' own distances, and of what lies between them."""
    known = [distance for distance in within if distance is not None]
    if len(known) < len(within):
        return between if len(within) > 1 else None
    own = float(np.sqrt(np.square(known).sum())) / len(known)
    return own if between is None else max(own, between)
