"""How far one trial of a cell lies from the next: its spread, of the logarithm of the throughput.

Two trials of a cell say next to nothing of their own spread, and all cells of a run are not alike
(measured: 0.06 % to 12 %). So the spread is pooled over the cells of one group (an experiment: its
servers and workers differ, its work doesn't) and the groups' are shrunk towards what the run has in
common: `moderation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.moderation import fit_prior, moderate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Spread:
    """The standard deviation of one trial's logarithm, and how well it is known.

    ``freedom``: degrees of freedom of Student's t that go with it; infinite if it is exact.
    """

    deviation: float
    freedom: float


def spreads(logs: Mapping[str, Sequence[float]], group_of: Mapping[str, str]) -> dict[str, Spread]:
    """The spread of each group's cells.

    Leave out cells that have two regimes (`without_regimes`): the way from one to the other is no
    noise. With fewer than three groups that have repeats there is no telling what groups have in
    common: each then stands for itself, with its own degrees of freedom.

    Args:
        logs: natural logarithms of the throughputs of each cell's trials.
        group_of: the group (experiment) of each cell.

    Returns:
        By group. One whose cells were all tried but once gets what the run has in common, if that
        is known; else it is absent.

    Raises:
        ValueError: a log is not finite.
        KeyError: a cell has no group.
    """
    squares: dict[str, float] = {}
    freedoms: dict[str, int] = {}
    for cell, values in logs.items():
        trials = np.asarray(values, dtype=np.float64)
        if not np.isfinite(trials).all():
            raise ValueError(f"logs of {cell} must be finite, found {list(values)}")
        if trials.size:
            group = group_of[cell]
            squares[group] = squares.get(group, 0.0) + float(
                np.square(trials - trials.mean()).sum()
            )
            freedoms[group] = freedoms.get(group, 0) + trials.size - 1
    return _shrunk(squares, freedoms)


def _shrunk(squares: Mapping[str, float], freedoms: Mapping[str, int]) -> dict[str, Spread]:
    """Each group's spread, from its sum of squares and its degrees of freedom."""
    repeated = [group for group, freedom in freedoms.items() if freedom]
    variances = {group: squares[group] / freedoms[group] for group in repeated}
    prior = fit_prior([*variances.values()], [freedoms[group] for group in repeated])
    if prior is None:
        return {g: Spread(float(np.sqrt(variances[g])), float(freedoms[g])) for g in repeated}
    own = [variances.get(group, 0.0) for group in freedoms]
    found, known = moderate(own, [*freedoms.values()], prior)
    return {
        group: Spread(float(np.sqrt(variance)), float(freedom))
        for group, variance, freedom in zip(freedoms, found, known, strict=True)
    }
