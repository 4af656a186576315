"""All trials of a run, pass after pass, each recorded as it ends; a budget ends it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence  # noqa: TC003 - parts of `Hands`
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from bench.analysis.answers import open_cells
from bench.analysis.standing import standings
from bench.passes import next_pass

if TYPE_CHECKING:
    from bench.plan import Plan, PlannedTrial
    from bench.records.model import TrialRecord


@dataclass(frozen=True, slots=True)
class Hands:
    """What a run does with each trial: the seam at which tests put something else."""

    measure: Callable[[PlannedTrial], TrialRecord]
    keep: Callable[[TrialRecord], None]  # before it is told: what a person has seen is on disk
    tell: Callable[[TrialRecord, Progress], None]
    plan: Callable[[Sequence[PlannedTrial]], None] = lambda _: None  # told of each pass
    begin: Callable[[PlannedTrial, Progress], None] = lambda *_: None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    done: int  # trials
    spent_s: float  # on them


def run_plan(plan: Plan, done: Iterable[TrialRecord], cores: int, hands: Hands) -> int:
    """Measure what is not done yet; gives how many trials were measured now.

    A trial is known by cell, pass and twin: its number is another one in a plan of more cells. A
    budget is of the trials' own time, and is overdrawn by one trial at most.
    """
    recorded = list(done)
    wanted = {cell.id for cell in plan.cells}
    progress = _progress(recorded, wanted)
    measured = 0
    for number in count(1):
        trials = _pass(plan, number, recorded, cores)
        if not trials:
            return measured
        hands.plan(trials)
        finished = {(record.cell, record.round, record.twin) for record in recorded}
        for planned in trials:
            if (planned.cell.id, planned.round, planned.twin) in finished:
                continue
            if plan.profile.budget_s is not None and progress.spent_s >= plan.profile.budget_s:
                return measured
            hands.begin(planned, progress)
            record = hands.measure(replace(planned, index=progress.done + 1))
            hands.keep(record)
            recorded.append(record)
            measured += 1
            progress = _progress(recorded, wanted)
            hands.tell(record, progress)
    raise AssertionError


def _progress(recorded: Sequence[TrialRecord], wanted: set[str]) -> Progress:
    ours = [record for record in recorded if record.cell in wanted]
    return Progress(len(ours), sum(record.wall_s for record in ours))


def _pass(
    plan: Plan, number: int, recorded: Sequence[TrialRecord], cores: int
) -> tuple[PlannedTrial, ...]:
    """Its trials; of those after the declared ones, as the passes before have left the cells."""
    declared = tuple(trial for trial in plan.trials if trial.round == number)
    if declared:
        return declared
    wanted = {cell.id for cell in plan.cells}
    before = [record for record in recorded if record.round < number and record.cell in wanted]
    precision = plan.profile.precision
    cells = [cell.id for cell in plan.cells]
    open_now = partial(open_cells, cells, before, precision, cores)
    budget_s = plan.profile.budget_s
    left_s = math.inf if budget_s is None else budget_s - _progress(before, wanted).spent_s
    return next_pass(plan, number, standings(before, cores), open_now, left_s)
