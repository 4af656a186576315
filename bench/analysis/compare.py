"""Two sides against each other, cell by cell: what is faster, what is slower, what can't be told.

The sides are two published documents (``reports/latest.json``), or two parts
of one, so whatever is compared can be compared again by anyone who has the files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from bench.analysis.metrics import METRICS, Metric
from bench.stats import LogRatio, benjamini_hochberg, log_ratio, pooled_log_ratio, spreads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from bench.stats import Spread

FEWEST = 4  # pairs

Values = Mapping[int, float]  # by round


@dataclass(frozen=True, slots=True)
class Side:
    """One side: a run, or the part of it whose cells are compared."""

    title: str
    run: str
    facts: Mapping[str, Any]  # what should be the same on both sides, by what it is called
    cells: Mapping[str, Mapping[str, Values]]  # by what both sides call the cell, and metric
    experiments: Mapping[str, str]  # of each cell
    unstable: frozenset[str] = frozenset()  # cells with two regimes


class Judgement(Enum):
    """What can be said of b's figure beside a's."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNKNOWN = "not known yet"  # neither beyond the threshold nor within it, as far as is known
    TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Judged:
    """One metric of one cell: b's figure as a multiple of a's."""

    metric: Metric
    ratio: LogRatio
    word: Judgement
    paired: bool  # by round; else weaker


@dataclass(frozen=True, slots=True)
class CellComparison:
    """One cell on all metrics that both sides know."""

    cell: str
    judged: tuple[Judged, ...]

    @property
    def steadiest(self) -> Judged | None:
        """The metric with the narrowest interval; None where none has one."""
        known = [j for j in self.judged if j.ratio.low is not None and j.ratio.high is not None]
        return min(known, key=_width, default=None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All cells that both sides have."""

    a: Side
    b: Side
    threshold: float
    cells: tuple[CellComparison, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    unstable: tuple[str, ...]  # two regimes on a side: no ratio is made of them

    @property
    def figures(self) -> tuple[Judged, ...]:
        """Of all cells."""
        return tuple(judged for cell in self.cells for judged in cell.judged)

    @property
    def too_few(self) -> bool:
        """No figure of any cell has been measured often enough to be judged."""
        return all(judged.word is Judgement.TOO_FEW for judged in self.figures)

    @property
    def regressions(self) -> tuple[str, ...]:
        """Cells that are worse in b on any metric."""
        return tuple(c.cell for c in self.cells if any(j.word is Judgement.WORSE for j in c.judged))


def differences(a: Side, b: Side) -> tuple[str, ...]:
    """What differs beside what is compared; a verdict is refused unless told otherwise."""
    names = dict.fromkeys([*a.facts, *b.facts])
    return tuple(
        f"{name}: {a.facts.get(name)} against {b.facts.get(name)}"
        for name in names
        if a.facts.get(name) != b.facts.get(name)
    )


def compare(a: Side, b: Side, *, threshold: float) -> Comparison:
    """Judge each cell that both sides have, b against a.

    "Better" and "worse" need both: significance after Benjamini and Hochberg's correction for
    the number of cells, at 5 %, and an interval wholly beyond ``threshold`` (0.05: by 5 %, either
    way). "Same" needs one that lies within it; anything else isn't known yet.
    """
    both = [cell for cell in a.cells if cell in b.cells]
    unstable = a.unstable | b.unstable
    shared = [cell for cell in both if cell not in unstable]
    judged: dict[str, list[Judged]] = {cell: [] for cell in shared}
    for metric in METRICS:
        spread = (_spreads(a, metric.name, unstable), _spreads(b, metric.name, unstable))
        found = [
            (cell, known)
            for cell in shared
            if (known := _ratio(cell, (a, b), metric.name, spread)) is not None
        ]
        words = _words(metric, [ratio for _, (ratio, _) in found], threshold)
        for (cell, (ratio, paired)), word in zip(found, words, strict=True):
            judged[cell].append(Judged(metric, ratio, word, paired))
    return Comparison(
        a=a,
        b=b,
        threshold=threshold,
        cells=tuple(CellComparison(cell, tuple(judged[cell])) for cell in shared if judged[cell]),
        only_a=tuple(cell for cell in a.cells if cell not in b.cells),
        only_b=tuple(cell for cell in b.cells if cell not in a.cells),
        unstable=tuple(cell for cell in both if cell not in shared),
    )


def _spreads(side: Side, metric: str, unstable: AbstractSet[str]) -> Mapping[str, Spread]:
    """How far trials of one cell differ, by cell: pooled over those of its experiment."""
    logs = {
        cell: [math.log(value) for value in metrics[metric].values()]
        for cell, metrics in side.cells.items()
        if metrics.get(metric) and cell not in unstable
    }
    pooled = spreads(logs, {cell: side.experiments[cell] for cell in logs})
    return {
        cell: pooled[side.experiments[cell]] for cell in logs if side.experiments[cell] in pooled
    }


def _ratio(
    cell: str,
    sides: tuple[Side, Side],
    metric: str,
    spread: tuple[Mapping[str, Spread], Mapping[str, Spread]],
) -> tuple[LogRatio, bool] | None:
    """The ratio b / a and whether it is paired by round; None where either side has no figure.

    By pairs where both are from one run and there are enough of them, since these have the
    machine's drift in common; else by what trials differ by on each side.
    """
    a, b = sides
    left, right = (side.cells[cell].get(metric, {}) for side in sides)
    if not left or not right:
        return None
    rounds = [number for number in left if number in right] if a.run == b.run else []
    if len(rounds) >= FEWEST:
        return log_ratio([right[n] for n in rounds], [left[n] for n in rounds]), True
    of_each = spread[1].get(cell), spread[0].get(cell)
    return pooled_log_ratio([*right.values()], [*left.values()], of_each), False


def _words(metric: Metric, found: Sequence[LogRatio], threshold: float) -> list[Judgement]:
    tested = [ratio.p_value for ratio in found if ratio.p_value is not None]
    holds = iter(benjamini_hochberg(tested))
    return [
        Judgement.TOO_FEW
        if ratio.p_value is None
        else _word(metric, ratio, threshold, holds=next(holds))
        for ratio in found
    ]


def _word(metric: Metric, ratio: LogRatio, threshold: float, *, holds: bool) -> Judgement:
    low, high = ratio.low or ratio.ratio, ratio.high or ratio.ratio
    least, most = 1 / (1 + threshold), 1 + threshold
    if least <= low and high <= most:
        return Judgement.SAME
    if holds and (low > most or high < least):
        better = (low > most) == metric.more_is_better
        return Judgement.BETTER if better else Judgement.WORSE
    return Judgement.UNKNOWN


def _width(judged: Judged) -> float:
    low, high = judged.ratio.low, judged.ratio.high
    return high / low if low and high else float("inf")
