"""What a remedy did: throughput as a multiple, with its interval, and memory. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.stats import contrast
from bench.text import number
from bench.turns.model import TWIN, A, B

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.turns.model import Start

SAME = 0.05  # less is no help
NOTABLE_MB = 5.0


@dataclass(frozen=True, slots=True)
class Effect:
    """Of one remedy; ``ratio`` times the cell's throughput."""

    says: str
    ratio: float | None
    low: float | None
    high: float | None
    more_mb: float | None  # of memory
    why_not: str = ""

    @property
    def sentence(self) -> str:
        """``400 threads: 1.61× (1.52 to 1.70), and 53 MB more memory``."""
        if self.ratio is None or self.low is None or self.high is None:
            return f"{self.says}: not known: {self.why_not}"
        times = f"{number(self.ratio)}× ({number(self.low)} to {number(self.high)})"
        if self.low > 1.0 + SAME:
            return f"{self.says}: {times}{self._memory}"
        if self.high < 1.0 + SAME:
            word = "no help" if self.low > 1.0 / (1.0 + SAME) else "worse"
            return f"{self.says}: {word}: {times}{self._memory}"
        return f"{self.says}: not known yet: {times}{self._memory}"

    @property
    def _memory(self) -> str:
        if self.more_mb is None or abs(self.more_mb) < NOTABLE_MB:
            return ""
        more = "more" if self.more_mb > 0 else "less"
        return f", and {number(abs(self.more_mb))} MB {more} memory"


def effect(says: str, starts: Sequence[Start], users: tuple[int, int], why_not: str) -> Effect:
    """Of its starts; ``users`` are the cell's and those of the cell with the remedy."""
    rates = {
        side: [count / start.costs[side].latency_ms for start in starts]
        for side, count in ((A, users[0]), (TWIN, users[0]), (B, users[1]))
    }
    found = contrast(rates[A], rates[TWIN], rates[B])
    if found is None:
        return Effect(says, None, None, None, None, why_not or "it was not tried twice")
    return Effect(says, found.ratio, found.low, found.high, _memory(starts))


def _memory(starts: Sequence[Start]) -> float | None:
    known = [
        b - a
        for start in starts
        if (a := start.costs[A].rss_mb) is not None and (b := start.costs[B].rss_mb) is not None
    ]
    return float(median(known)) if known and all(map(math.isfinite, known)) else None
