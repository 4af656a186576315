"""What the starts of a cell say of B against A: judged once, when known well enough. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bench.stats import FIRST_STAGE, contrast, starts_needed
from bench.turns.model import METRICS, TWIN, A, B

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.stats import Contrast
    from bench.turns.model import Start


class Outcome(Enum):
    """Of B beside A, in a metric of which less is better."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"
    UNKNOWN = "not known yet"


@dataclass(frozen=True, slots=True)
class Judged:
    """One metric of a cell; ``a`` and ``b`` are geometric means over the starts, ms."""

    outcome: Outcome
    contrast: Contrast | None  # None: fewer than two starts
    a: float
    b: float


def judge(starts: Sequence[Start], threshold: float) -> dict[str, Judged]:
    """Each metric's; nothing of no starts.

    *Slower* and *faster*: the 95 % interval lies wholly beyond the threshold (0.05: 5 %);
    *same*: wholly within it.
    """
    if not starts:
        return {}
    found = {}
    for metric in METRICS:
        sides = _sides(starts, metric)
        seen = contrast(sides[A], sides[TWIN], sides[B])
        outcome = Outcome.UNKNOWN if seen is None else _outcome(seen, threshold)
        both = [math.sqrt(a * twin) for a, twin in zip(sides[A], sides[TWIN], strict=True)]
        found[metric] = Judged(outcome, seen, _mean(both), _mean(sides[B]))
    return found


def needed(starts: Sequence[Start], threshold: float) -> int:
    """How many starts a cell gets, known after its first stage; that many until then."""
    if len(starts) < FIRST_STAGE:
        return FIRST_STAGE
    return max(
        starts_needed(sides[A], sides[TWIN], sides[B], threshold / 2)
        for sides in (_sides(starts, metric) for metric in METRICS)
    )


def more_seconds(starts: Sequence[Start], threshold: float) -> float:
    """About how long a cell that is not known yet would take to be; from what it took so far.

    The interval must become as narrow as its middle's way to the threshold, on either side of it.
    """
    if not starts:
        return 0.0
    each_s = sum(start.took_s for start in starts) / len(starts)
    wanted = needed(starts, threshold)
    for one in judge(starts, threshold).values():
        if one.contrast is not None and one.outcome is Outcome.UNKNOWN:
            half = math.log(one.contrast.high / one.contrast.low) / 2
            away = abs(abs(math.log(one.contrast.ratio)) - math.log1p(threshold))
            # Nearer to the threshold than a fifth of it nothing tells in any time worth waiting.
            away = max(away, math.log1p(threshold) / 5)
            wanted = max(wanted, math.ceil(len(starts) * (half / away) ** 2))
    return each_s * max(1, wanted - len(starts))


def _outcome(found: Contrast, threshold: float) -> Outcome:
    most = 1.0 + threshold
    if found.low > most:
        return Outcome.SLOWER
    if found.high < 1.0 / most:
        return Outcome.FASTER
    if 1.0 / most <= found.low and found.high <= most:
        return Outcome.SAME
    return Outcome.UNKNOWN


def _sides(starts: Sequence[Start], metric: str) -> Mapping[str, list[float]]:
    return {side: [start.costs[side].of(metric) for start in starts] for side in (A, TWIN, B)}


def _mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))
