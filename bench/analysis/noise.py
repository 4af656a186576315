"""The noise floor: how far a cell differs from itself.

In a run of two rounds or more one cell is entered twice in each round (A/A);
whatever differs between the two is noise, for they are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.fitness import judge
from bench.analysis.metrics import METRICS, Metric
from bench.stats import LogRatio, log_ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.model import Measured, TrialRecord


@dataclass(frozen=True, slots=True)
class Noise:
    """The cell that was entered twice, and the ratio of its second entry to its first."""

    cell: str
    ratios: tuple[tuple[Metric, LogRatio], ...]  # of the metrics that were known in each pair


def noise(trials: Sequence[TrialRecord], cores: int) -> Noise | None:
    """The noise floor of a run; None if no cell was entered twice, or no pair can be used."""
    twins = [trial for trial in trials if trial.twin]
    if not twins:
        return None
    cell = twins[-1].cell  # a run that was resumed with other cells may have had another one
    firsts = {trial.round: trial for trial in trials if trial.cell == cell and not trial.twin}
    pairs: list[tuple[Measured, Measured]] = []
    for twin in (twin for twin in twins if twin.cell == cell):
        first = firsts.get(twin.round)
        if first is None or not (judge(first, cores).usable and judge(twin, cores).usable):
            continue
        if first.measured is not None and twin.measured is not None:
            pairs.append((first.measured, twin.measured))
    ratios = tuple(
        (metric, ratio) for metric in METRICS if (ratio := _ratio(metric, pairs)) is not None
    )
    return Noise(cell, ratios) if ratios else None


def _ratio(metric: Metric, pairs: Sequence[tuple[Measured, Measured]]) -> LogRatio | None:
    known = [
        (second, first)
        for one, other in pairs
        if (first := metric.of(one)) is not None and (second := metric.of(other)) is not None
    ]
    return log_ratio([a for a, _ in known], [b for _, b in known]) if known else None
