"""Whole runs, simulated: the scheduler, the pooling of spreads and the stopping, together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.cells import REGIMES_APART
from bench.stats import estimate, find_regimes, spreads, without_regimes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.selfcheck.simulated.cells import Cell, Drawn
    from bench.stats import Estimate, Regimes

PRECISION = 0.10
PASSES = 2  # over all cells, whatever the budget
DISTURBED = 0.05  # of the trials: set aside, and the cell comes again
OVERHEAD_S = 1.5  # of a trial: to start and to stop
_GROUP = 8  # cells of a pass that are shuffled among one another


@dataclass(frozen=True, slots=True)
class Found:
    """What a run says of a cell, of the logarithms of its trials; the truth is 0, a ratio of 1."""

    cell: Cell
    logs: tuple[float, ...]
    estimate: Estimate | None
    regimes: Regimes | None

    @property
    def half_width(self) -> float | None:
        """Of the interval, as a logarithm; None if there is none."""
        return None if self.estimate is None else self.estimate.half_width

    @property
    def held(self) -> bool:
        """Whether the interval has the truth in it."""
        known = self.estimate
        if known is None or known.low is None or known.high is None:
            return False
        return known.low <= 1.0 <= known.high

    @property
    def two(self) -> bool:
        """Whether it is said to have two regimes."""
        return told(self.regimes)

    @property
    def seen_twice(self) -> bool:
        """Whether each of two regimes has had two trials at least."""
        high = sum(log > REGIMES_APART / 2 for log in self.logs)
        return 2 <= high <= len(self.logs) - 2


def run(
    plan: Mapping[str, Cell],
    pools: Mapping[str, tuple[Drawn, ...]],
    budget_s: float,
    rng: np.random.Generator,
) -> list[Found]:
    """One run to the end of its budget, or until all is known.

    Two passes over all cells, then over those that are known too badly, widest first; decided
    before each pass, and from widths alone.
    """
    trials: dict[str, list[Drawn]] = {name: [] for name in plan}
    number, elapsed_s = 0, 0.0
    wanted = [*plan]
    while wanted:
        for name in _in_groups(wanted, rng):
            if number >= PASSES and elapsed_s >= budget_s:
                break
            one = plan[name].draw(pools[plan[name].experiment], rng)
            elapsed_s += OVERHEAD_S + one.took_s
            if rng.random() >= DISTURBED:
                trials[name].append(one)
        number += 1
        logs = {name: [one.log for one in _steady(found)] for name, found in trials.items()}
        known, regimes = _knowledge(plan, trials, logs)
        wanted = [*plan] if number < PASSES else _least_known(plan, known, regimes)
        if number >= PASSES and elapsed_s >= budget_s:
            break
    return [
        Found(cell, tuple(logs[name]), known.get(name), regimes.get(name))
        for name, cell in plan.items()
    ]


def told(found: Regimes | None) -> bool:
    """Whether a row says so: noise can't explain the gap, or nothing is left to wait for."""
    return found is not None and (found.settled or found.clear)


def _steady(trials: Sequence[Drawn]) -> Sequence[Drawn]:
    """Those that don't swing, if there are any: then the others don't count."""
    return [one for one in trials if not one.swings] or trials


def _knowledge(
    plan: Mapping[str, Cell],
    trials: Mapping[str, Sequence[Drawn]],
    logs: Mapping[str, Sequence[float]],
) -> tuple[dict[str, Estimate], dict[str, Regimes]]:
    """As `bench.analysis` has it: regimes first, spreads of the rest, then each cell's estimate."""
    tried = {name: found for name, found in logs.items() if found}
    group_of = {name: plan[name].experiment for name in tried}
    regimes = find_regimes(tried, group_of)
    pooled = spreads(without_regimes(tried, regimes), group_of)
    known = {
        name: estimate(found, pooled.get(group_of[name]), _error(_steady(trials[name])))
        for name, found in tried.items()
        if not told(regimes.get(name))
    }
    return known, regimes


def _error(trials: Sequence[Drawn]) -> float:
    """Of the mean of the logarithms, as far as trials know it from within."""
    return float(np.sqrt(sum(one.error**2 for one in trials))) / len(trials)


def _least_known(
    plan: Mapping[str, Cell], known: Mapping[str, Estimate], regimes: Mapping[str, Regimes]
) -> list[str]:
    widths: dict[str, float] = {}
    for name in plan:
        half = known[name].half_width if name in known else None
        width = float("inf") if half is None else half
        more = name in regimes and regimes[name].more > 0
        if more or (width > np.log1p(PRECISION) and not told(regimes.get(name))):
            widths[name] = width
    return sorted(widths, key=lambda name: -widths[name])


def _in_groups(names: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The widest first, but in groups of their own order."""
    groups = (names[at : at + _GROUP] for at in range(0, len(names), _GROUP))
    return [name for group in groups for name in rng.permutation(group).tolist()]
