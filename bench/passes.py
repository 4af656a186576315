"""Which trials a pass has: every cell at first, then those that are not known well enough. Pure.

A pass has the experiments that what is left of the budget can make known, those that need least
first: none that is as good as known is left rough for one that can't be known in any case. If it
can do none of them, it goes to all. The widest come first within a pass; one of which but one trial
counts is known to twice the precision at most.

A pass is decided before its first trial and from the trials of earlier passes alone, so a run that
was interrupted comes to the same decision again. It sees how well each cell is known and never
what was found (`bench.analysis.standing`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.plan import Cell, PlannedTrial, shuffled
from bench.records.model import FIRST, Cause, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.analysis.standing import Standing
    from bench.plan import Plan

GROUP = 8  # cells of a pass that are shuffled among one another
LEAST = 2  # trials that count: one alone may be of either of two regimes
COMPANY = 4  # cells, of which a pass has that many at least if there are
ALONE = 2.0  # times the precision: a cell of one trial is known so well at most
UNKNOWN = float("inf")


def next_pass(
    plan: Plan,
    number: int,
    standing: Mapping[str, Standing],
    open_cells: Callable[[], Iterable[str]],
    left_s: float = math.inf,
) -> tuple[PlannedTrial, ...]:
    """The trials of a pass after the declared ones, in order; none where all is known.

    Args:
        plan: with its cells, seed, and the rounds or the budget.
        number: of the pass.
        standing: of each cell, from the passes before.
        open_cells: gives those that an open answer hangs on; called when all cells are known.
        left_s: of the budget.
    """
    if plan.profile.rounds is not None:
        again = number == plan.profile.rounds + 1  # once, for cells that have no numbers
        wanted = _without_numbers(plan, standing) if again else {}
    else:
        wanted = _affordable(_least_known(plan, standing), plan, standing, left_s)
        if not wanted:
            wanted = _of_answers(open_cells(), standing)
    ordered = [cell for cell in plan.cells if cell.id in wanted]
    # One trial alone says nothing of how far the next would lie, however narrow its interval.
    alone = ALONE * plan.profile.precision
    ordered.sort(
        key=lambda cell: (
            -max(_width(wanted[cell.id]), alone if _alone(standing.get(cell.id)) else 0.0)
        )
    )
    return tuple(
        PlannedTrial(
            index=0,  # the run counts on
            round=number,
            cell=cell,
            stretch=standing[cell.id].stretch if cell.id in standing else 1,
            generators=standing[cell.id].generators if cell.id in standing else 1,
            purpose=wanted[cell.id],
        )
        for cell in _in_groups(ordered, plan.seed, number)
    )


def _without_numbers(plan: Plan, standing: Mapping[str, Standing]) -> dict[str, Purpose]:
    return {
        cell.id: Purpose(Cause.AGAIN)
        for cell in plan.cells
        if (found := standing.get(cell.id)) is not None and not found.clean and not found.hopeless
    }


def _least_known(plan: Plan, standing: Mapping[str, Standing]) -> dict[str, Purpose]:
    found = {
        cell.id: _purpose(standing.get(cell.id), plan.profile.precision) for cell in plan.cells
    }
    return {cell: purpose for cell, purpose in found.items() if purpose is not None}


def _affordable(
    wanted: dict[str, Purpose], plan: Plan, standing: Mapping[str, Standing], left_s: float
) -> dict[str, Purpose]:
    """Of the experiments that can all be made known in the time that is left; else of all.

    An experiment's cells come together: they have one spread, so they become known together. Few
    cells get the next ones for company, so that trials of one don't follow one another.
    """
    costs: dict[str, float] = {}
    of = {cell.id: cell.experiment for cell in plan.cells}
    for cell in wanted:
        found = standing.get(cell)
        cost_s = (
            0.0 if found is None else found.trial_s * _more_trials(found, plan.profile.precision)
        )
        costs[of[cell]] = costs.get(of[cell], 0.0) + cost_s
    chosen: list[str] = []
    spent_s = 0.0
    for experiment in sorted(costs, key=lambda name: costs[name]):
        spent_s += costs[experiment]
        if spent_s <= left_s or (chosen and _count(wanted, of, chosen) < COMPANY):
            chosen.append(experiment)
    return {cell: why for cell, why in wanted.items() if of[cell] in chosen} or wanted


def _count(wanted: Mapping[str, Purpose], of: Mapping[str, str], chosen: Sequence[str]) -> int:
    return sum(of[cell] in chosen for cell in wanted)


def _more_trials(found: Standing, precision: float) -> int:
    """That make a cell known, about: its interval shrinks with the root of their number."""
    lacking = max(1, LEAST - found.trials, found.more)
    if found.trials < LEAST or found.half_width is None or found.half_width <= precision:
        return lacking
    times = math.log1p(found.half_width) / math.log1p(precision)
    return max(lacking, math.ceil(found.trials * times**2) - found.trials)


def _purpose(found: Standing | None, precision: float) -> Purpose | None:
    """Why a cell is to be measured again; None if it isn't."""
    if found is None:  # its trials were lost
        return FIRST
    wide = found.half_width is None or found.half_width > precision or found.trials < LEAST
    causes = (
        (Cause.AGAIN, not found.clean),
        (Cause.REGIME, found.more > 0),
        (Cause.SWING, found.swings),
        (Cause.REFINE, wide and not found.regimes),
    )
    cause = next((cause for cause, holds in causes if holds), None)
    return None if found.hopeless or cause is None else Purpose(cause, found.half_width)


def _of_answers(open_cells: Iterable[str], standing: Mapping[str, Standing]) -> dict[str, Purpose]:
    return {
        cell: Purpose(Cause.ANSWER, standing[cell].half_width)
        for cell in open_cells
        if cell in standing and not (standing[cell].hopeless or standing[cell].regimes)
    }


def _alone(found: Standing | None) -> bool:
    return found is None or found.trials < LEAST


def _width(purpose: Purpose) -> float:
    return UNKNOWN if purpose.half_width is None else purpose.half_width


def _in_groups(cells: Sequence[Cell], seed: int, number: int) -> list[Cell]:
    """The widest first, but shuffled in groups: neighbours in time are different cells."""
    groups = (cells[at : at + GROUP] for at in range(0, len(cells), GROUP))
    return [
        cell for group in groups for cell, _ in shuffled([(c, False) for c in group], seed, number)
    ]
