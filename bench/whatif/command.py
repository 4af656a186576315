"""`what-if`: a cell's why, then its remedies, each beside it in trials that alternate."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.ab.run import Asked, compare, of_cells
from bench.analysis.rows import rows
from bench.errors import CELLS_FAILED
from bench.live.displays import display
from bench.plan import make_plan
from bench.records import journal
from bench.report import tables, whys
from bench.run import orchestrate
from bench.run.history import run_folders
from bench.run.host import machine
from bench.run.options import RunOptions
from bench.text import duration, line
from bench.turns.model import SIDES, TRIALS, B, Contest
from bench.turns.schedule import Progress
from bench.whatif.remedies import remedies
from bench.whatif.told import effect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.analysis.rows import Row
    from bench.paths import Paths
    from bench.plan import Cell, Plan
    from bench.whatif.remedies import Remedy

BUDGET_S, MOST_S = 240.0, 900.0  # of a cell
STARTS, SLACK = 2, 1.2  # of each remedy, and what a start takes beside its trials
LOOK_S = 15.0  # of it, to see what limits it
THRESHOLD = 0.10  # half of it is what intervals go to


def run(
    planned: Plan,
    where: Paths,
    secrets: Mapping[str, str],
    budget_s: float | None,
    say: Callable[[str], None],
) -> int:
    """Each cell in turn; gives the exit status.

    Raises:
        RequirementError: an environment is missing.
    """
    missed = 0
    for cell in planned.cells:
        began = time.monotonic()
        row, trial_s = _row(cell, planned, where, secrets)
        if row is None or not row.verdict.usable or row.why is None:
            say(f"{cell.id}: it has no figures, so nothing can be tried")
            missed += 1
            continue
        say(line(f"{cell.id}: {tables.rate(row)} requests/s, {whys.sentence(row.why)}"))
        users = cell.load(planned.profile).users
        found = remedies(cell, row.why, users=users, cores=machine.describe().cores)
        if not found:
            say("  nothing of the cell would help: look at what limits it")
            continue
        allowed_s = budget_s or default_budget_s(len(found), trial_s)
        left_s = max(1.0, allowed_s - (time.monotonic() - began))
        say(f"  tried: {'; '.join(one.says for one in found)}; at most {duration(left_s)}")
        for told in _tried(cell, found, planned, where, secrets, left_s):
            say(f"  {line(told)}")
    return CELLS_FAILED if missed else 0


def default_budget_s(remedies: int, trial_s: float) -> float:
    """Of a cell, in s: enough to try each remedy twice, where the cell's own trials are long."""
    twice_s = STARTS * len(SIDES) * remedies * trial_s
    return min(MOST_S, max(BUDGET_S, LOOK_S + twice_s * SLACK))


def _row(
    cell: Cell, planned: Plan, where: Paths, secrets: Mapping[str, str]
) -> tuple[Row | None, float]:
    """A look at the cell, which is kept nowhere; and how long its longest trial took, in s."""
    profile = replace(planned.profile, budget_s=LOOK_S, rounds=None)
    plan = make_plan([cell], profile, seed=planned.seed, target=planned.target)
    with tempfile.TemporaryDirectory(prefix="matrix-what-if-") as name:
        options = RunOptions("single", Path(name), fresh=True, keep_raw=False)
        with display(quiet=True) as observer:
            folder = orchestrate.orchestrate(plan, where, options, observer, secrets)
        about = journal.read_run(folder / journal.RUN_FILE)
        trials = run_folders.trials_of(folder).records
        found = rows(about, trials)
    longest_s = max((trial.wall_s for trial in trials), default=0.0)
    return (found[0] if found else None), longest_s


def _tried(
    cell: Cell,
    found: list[Remedy],
    planned: Plan,
    where: Paths,
    secrets: Mapping[str, str],
    left_s: float,
) -> list[str]:
    contests = tuple(
        Contest(f"{at}. {one.says}", {**dict.fromkeys(SIDES, cell), B: one.cell})
        for at, one in enumerate(found, 1)
    )
    cells = dict.fromkeys(each for one in contests for each in one.cells.values())
    side = of_cells([*cells], planned.target, where)
    asked = Asked(
        sides=dict.fromkeys(SIDES, side),
        contests=contests,
        profile=replace(planned.profile, budget_s=None, rounds=1),
        threshold=THRESHOLD,
        budget_s=max(1.0, left_s),
        seed=planned.seed,
        users=planned.profile.users,
    )
    # Whole trials: in turn eight users would ask, and what limits the cell is of all of its own.
    progress = tuple(Progress(one.name, method=TRIALS) for one in contests)
    compare(asked, where, secrets, lambda _: None, progress)
    told = []
    for remedy, one in zip(found, progress, strict=True):
        users = (cell.load(planned.profile).users, remedy.cell.load(planned.profile).users)
        why_not = one.failures[-1] if one.failures else ""
        told.append(effect(remedy.says, one.starts, users, why_not).sentence)
    return told
