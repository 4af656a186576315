"""Two sides against each other, cell by cell: what is faster, what is slower, what can't be told.

The sides are two published documents (``reports/latest.json``), or two parts
of one, so whatever is compared can be compared again by anyone who has the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from bench.analysis.metrics import METRICS, Metric
from bench.stats import LogRatio, benjamini_hochberg, log_ratio, unpaired_log_ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 4  # pairs, or trials a side

Values = Mapping[int, float]  # by round


@dataclass(frozen=True, slots=True)
class Side:
    """One side: a run, or the part of it whose cells are compared."""

    title: str
    run: str
    facts: Mapping[str, Any]  # what should be the same on both sides, by what it is called
    cells: Mapping[str, Mapping[str, Values]]  # by what both sides call the cell, and metric


class Judgement(Enum):
    """What can be said of b's figure beside a's."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "≈"
    TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Judged:
    """One metric of one cell: b's figure as a multiple of a's."""

    metric: Metric
    ratio: LogRatio
    word: Judgement


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
    paired: bool  # by round, as both are from one run; else weaker
    threshold: float
    cells: tuple[CellComparison, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def too_few(self) -> bool:
        """No figure of any cell has been measured often enough to be judged."""
        return all(j.word is Judgement.TOO_FEW for c in self.cells for j in c.judged)

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
    the number of cells, at 5 %, and an effect above ``threshold`` (0.05: by 5 %, either way).
    """
    paired = a.run == b.run
    shared = [cell for cell in a.cells if cell in b.cells]
    judged: dict[str, list[Judged]] = {cell: [] for cell in shared}
    for metric in METRICS:
        found = [
            (cell, ratio)
            for cell in shared
            if (ratio := _ratio(a.cells[cell], b.cells[cell], metric.name, paired=paired))
        ]
        for (cell, ratio), word in zip(found, _words(metric, found, threshold), strict=True):
            judged[cell].append(Judged(metric, ratio, word))
    return Comparison(
        a=a,
        b=b,
        paired=paired,
        threshold=threshold,
        cells=tuple(CellComparison(cell, tuple(judged[cell])) for cell in shared if judged[cell]),
        only_a=tuple(cell for cell in a.cells if cell not in b.cells),
        only_b=tuple(cell for cell in b.cells if cell not in a.cells),
    )


def _ratio(
    a: Mapping[str, Values], b: Mapping[str, Values], metric: str, *, paired: bool
) -> LogRatio | None:
    """The ratio b / a, None where either side has no figure."""
    left, right = a.get(metric, {}), b.get(metric, {})
    if paired:
        rounds = [number for number in left if number in right]
        if not rounds:
            return None
        return log_ratio([right[n] for n in rounds], [left[n] for n in rounds])
    if not left or not right:
        return None
    return unpaired_log_ratio([*right.values()], [*left.values()])


def _words(
    metric: Metric, found: Sequence[tuple[str, LogRatio]], threshold: float
) -> list[Judgement]:
    tested = [ratio.p_value for _, ratio in found if ratio.p_value is not None]
    holds = iter(benjamini_hochberg(tested))
    return [
        Judgement.TOO_FEW if ratio.p_value is None
        else _word(metric, ratio.ratio, threshold) if next(holds)
        else Judgement.SAME
        for _, ratio in found
    ]  # fmt: skip


def _word(metric: Metric, ratio: float, threshold: float) -> Judgement:
    if 1 / (1 + threshold) <= ratio <= 1 + threshold:
        return Judgement.SAME
    better = (ratio > 1) == metric.more_is_better
    return Judgement.BETTER if better else Judgement.WORSE


def _width(judged: Judged) -> float:
    low, high = judged.ratio.low, judged.ratio.high
    return high / low if low and high else float("inf")
