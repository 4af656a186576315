"""Cells with two steady states: one chance of the start, one throughput; another, another.

Measured: one shared client, 100 users: 35 or 99.5 requests/s. A mean of the two is what no trial
ever shows. A cell splits where its trials, in order of throughput, have a gap of at least 1.3 ×
that is also over three times the deviation of trials within groups. The gap, and not the distance
of the groups' means: the halves of any one heap of trials lie 1.6 deviations apart.

The deviation is pooled as in `spread`, but over groups rather than cells: a cell with such a gap
counts as two, whether or not it turns out to have regimes, so its own gap can't hide itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.spread import spreads
from bench.stats.student import reach_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.stats.spread import Spread

APART = 1.3  # times; less is a spread that an interval can say
_DEVIATIONS = 3.0
# Two trials of one heap lie three deviations apart once in thirty: no reason yet to keep a pair out
# of the pooled spread, which would lose its widest. Six: once in fifty thousand.
_CLEARLY = 6.0
_ENOUGH = 5  # trials, after which one that is still alone is no delay of the next one like it
_MORE_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Regimes:
    """The throughputs of a cell's trials in two groups, each ascending, in the unit of the trials.

    ``clear``: the gap is so many deviations wide that no noise explains it, of however few trials.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    clear: bool = False

    @property
    def more(self) -> int:
        """How many further trials to make before it is judged; 0 if it can be now.

        Two where one trial stands alone, and once more one, if it then still does: a lone one is
        judged against four others. Each regime seen twice needs none.
        """
        if min(len(self.low), len(self.high)) > 1:
            return 0
        return max(0, min(_MORE_AT_ONCE, _ENOUGH - len(self.low) - len(self.high)))

    @property
    def settled(self) -> bool:
        """Whether these are two regimes, as far as trials can tell: nothing more to wait for."""
        return self.more == 0


def find_regimes(
    logs: Mapping[str, Sequence[float]], group_of: Mapping[str, str]
) -> dict[str, Regimes]:
    """The cells whose trials fall into two groups.

    More than two groups are told as two, divided at the widest gap. Two or three trials may all
    be of one regime and hide the other.

    Args:
        logs: natural logarithms of the throughputs of each cell's trials.
        group_of: the group (experiment) of each cell, over which the deviation is pooled.

    Returns:
        By cell; cells that don't split are absent.

    Raises:
        ValueError: a log is not finite.
        KeyError: a cell has no group.
    """
    halves = {cell: _halves(values) for cell, values in logs.items()}
    parts: dict[tuple[str, bool], Sequence[float]] = {}
    for cell, (low, high) in halves.items():
        parts[cell, False], parts[cell, True] = low, high
    pooled = _pooled(parts, group_of)
    found = {}
    for cell, (low, high) in halves.items():
        if not high:
            continue
        wide = _deviations(high[0] - low[-1], pooled.get(group_of[cell]))
        if wide is None or wide > _DEVIATIONS:
            clear = wide is not None and wide > _CLEARLY
            found[cell] = Regimes(_values(low), _values(high), clear)
    return found


def without_regimes(
    logs: Mapping[str, Sequence[float]], regimes: Mapping[str, Regimes]
) -> dict[str, Sequence[float]]:
    """The cells whose trials differ by noise alone: those to pool a spread over.

    A cell that may yet turn out to be one wide heap stays in, unless its gap is clearly none
    of noise: to drop the widest cells of a noisy experiment would make it look quiet.
    """
    return {
        cell: values
        for cell, values in logs.items()
        if cell not in regimes or not (regimes[cell].settled or regimes[cell].clear)
    }


def _pooled(
    parts: Mapping[tuple[str, bool], Sequence[float]], group_of: Mapping[str, str]
) -> dict[str, Spread]:
    """The spread within groups of trials, by experiment."""
    named = {f"{cell} {high}": values for (cell, high), values in parts.items()}
    return spreads(named, {f"{cell} {high}": group_of[cell] for cell, high in parts})


def _deviations(gap: float, spread: Spread | None) -> float | None:
    """How many deviations a gap is wide; None if nothing is known of the deviation.

    Fewer where the deviation is itself a guess from a few trials: as many as leave 95 % of
    Student's t within what are 1.96 of the normal distribution.
    """
    if spread is None:
        return None
    known = reach_of(spread.deviation, spread.freedom) / reach_of(1.0, float("inf"))
    return gap / known if known > 0.0 else float("inf")


def _halves(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Ascending, divided at the widest gap; the second is empty if none is 1.3 × wide."""
    ordered = sorted(values)
    gaps = np.diff(ordered)
    if gaps.size == 0 or float(gaps.max()) < np.log(APART):
        return ordered, []
    at = int(np.argmax(gaps)) + 1
    return ordered[:at], ordered[at:]


def _values(logs: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(np.exp(log)) for log in logs)
