"""Which trials a pass has: every cell at first, then those that are not known well enough. Pure.

The widest come first; one of which but one trial counts is known to twice the precision at most.

A pass is decided before its first trial and from the trials of earlier passes alone, so a run that
was interrupted comes to the same decision again. It sees how well each cell is known and never
what was found (`bench.analysis.standing`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.plan import Cell, PlannedTrial, shuffled
from bench.records.model import FIRST, Cause, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.analysis.standing import Standing
    from bench.plan import Plan

GROUP = 8  # cells of a pass that are shuffled among one another
LEAST = 2  # trials that count: one alone may be of either of two regimes
ALONE = 2.0  # times the precision: a cell of one trial is known so well at most
UNKNOWN = float("inf")


def next_pass(
    plan: Plan,
    number: int,
    standing: Mapping[str, Standing],
    open_cells: Callable[[], Iterable[str]],
) -> tuple[PlannedTrial, ...]:
    """The trials of a pass after the declared ones, in order; none where all is known.

    Args:
        plan: with its cells, seed, and the rounds or the budget.
        number: of the pass.
        standing: of each cell, from the passes before.
        open_cells: gives those that an open answer hangs on; called when all cells are known.
    """
    if plan.profile.rounds is not None:
        again = number == plan.profile.rounds + 1  # once, for cells that have no numbers
        wanted = _without_numbers(plan, standing) if again else {}
    else:
        wanted = _least_known(plan, standing)
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
