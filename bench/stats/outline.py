"""A survival curve as a few points that keep its shape, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from bench.stats.survival import Curve

POINTS = 34
LEVELS = (0.5, 0.1, 0.01)  # the percentiles that are told elsewhere lie on it
_NS_PER_MS = 1e6
_WITHIN = 1e-6  # of a share: on the step below it


@dataclass(frozen=True, slots=True)
class Outline:
    """The share of requests that took at most so long: a staircase that steps up at each point.

    ``ms`` ascends, and ``below`` has the share at each. ``known_to_ms``: the last point that some
    percentile can be told at, as at all before it; 0 where none can be told.
    """

    ms: tuple[float, ...]
    below: tuple[float, ...]
    known_to_ms: float


def outline(curve: Curve, tells: Callable[[float], bool]) -> Outline:
    """At most 37 points of a curve.

    Args:
        curve: ages in nanoseconds.
        tells: whether the age that such a share outlasts can be told.
    """
    chosen = _chosen(curve)
    ms = curve.age_ns[chosen] / _NS_PER_MS
    # A step down takes all shares from the one before it: the largest is the easiest to tell.
    before = np.concatenate([np.ones(1), curve.survival[:-1]])[chosen] if chosen.size else chosen
    known = _leading(tells(share * (1.0 - _WITHIN)) for share in before.tolist())
    return Outline(
        ms=tuple(ms.tolist()),
        below=tuple((1.0 - curve.survival[chosen]).tolist()),
        known_to_ms=float(ms[known - 1]) if known else 0.0,
    )


def _chosen(curve: Curve) -> NDArray[np.int64]:
    """Points at equal steps along the curve, of age and share each as a part of its whole.

    So two neighbours lie no further apart than a seventeenth of the curve's width and height
    together, unless the curve itself jumps.
    """
    count = curve.age_ns.size
    if count <= POINTS:
        return np.arange(count)
    width = float(curve.age_ns[-1] - curve.age_ns[0])
    height = float(curve.survival[0] - curve.survival[-1])
    along = (curve.age_ns - curve.age_ns[0]) / width
    if height > 0:
        along = along + (curve.survival[0] - curve.survival) / height
    steps = np.searchsorted(along, np.linspace(0.0, float(along[-1]), POINTS))
    told = [at for level in LEVELS if (at := curve.reaches(level)) is not None]
    return np.unique(np.concatenate([np.minimum(steps, count - 1), np.array(told, dtype=np.int64)]))


def _leading(holds: Iterable[bool]) -> int:
    """How many hold from the first on."""
    count = 0
    for one in holds:
        if not one:
            break
        count += 1
    return count
