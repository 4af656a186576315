"""What many simulated runs say of their intervals: how many hold the truth, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.cells import EXPERIMENTS, cells
from bench.selfcheck.simulated.records import PROFILE
from bench.selfcheck.simulated.runs import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.selfcheck.simulated.cells import Draws
    from bench.selfcheck.simulated.runs import Found

NOISY = 0.06  # spread of a cell's trials from which on it is told apart


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of all cells of many runs, as shares; of the cell that has two regimes where it says so.

    ``held``: intervals with the truth in them; ``held_noisy``: of the cells whose trials spread
    by over 6 %; ``held_by``: of each experiment. ``precise``: cells known to the precision.
    ``trials``: of a cell, in the mean. ``wrongly``: cells said to have two regimes that have one.
    ``told``: runs that say of the cell with two that it has; ``seen``: those in whose trials
    each regime came twice, and ``told_of_seen`` the share of these that say so.
    """

    runs: int
    budget_s: float
    held: float
    held_noisy: float
    held_by: tuple[tuple[str, float], ...]
    precise: float
    trials: float
    wrongly: float
    told: float
    seen: int
    told_of_seen: float


def coverage(count: int, budget_s: float, pools: Draws, *, seed: int = 7) -> Coverage:
    """Of ``count`` runs of that budget, whose trials are drawn from the pool of each experiment."""
    one: list[Found] = []
    two: list[Found] = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        for found in run(cells(rng), pools, budget_s, rng):
            (two if found.cell.regimes else one).append(found)
    known = [found for found in one if found.half_width is not None]
    seen = [found for found in two if found.seen_twice]
    return Coverage(
        count,
        budget_s,
        held=_held(known),
        held_noisy=_held([found for found in known if found.cell.deviation >= NOISY]),
        held_by=tuple(
            (name, _held([found for found in known if found.cell.experiment == name]))
            for name in EXPERIMENTS
        ),
        precise=_share(
            [(found.half_width or 0.0) <= np.log1p(PROFILE.precision) for found in known]
        ),
        trials=float(np.mean([len(found.logs) for found in one])),
        wrongly=_share([found.two for found in one]),
        told=_share([found.two for found in two]),
        seen=len(seen),
        told_of_seen=_share([found.two for found in seen]),
    )


def _held(found: Sequence[Found]) -> float:
    return _share([one.held for one in found])


def _share(found: Sequence[bool]) -> float:
    """All, of none."""
    return float(np.mean(found)) if found else 1.0
