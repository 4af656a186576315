"""What the terminal shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.analysis.rows import rows
from bench.config import Profile
from bench.plan import Cell, make_plan
from bench.records.model import Cause, Outcome, Purpose
from bench.report.lines import closing, place, row_text, trial_line
from tests.support.records import HOSTILE, run, trial

REASON = f"{HOSTILE}\x1b[2J\r\nTraceback:\n  gone"


def test_a_trial_is_one_line() -> None:
    """Whatever a server wrote in its log before it died."""
    shown = trial_line(trial(outcome=Outcome.FAILED, reason=REASON, measured=None), "[1/1]", 2)
    assert shown.splitlines() == [shown]
    assert shown.isprintable()


def test_a_row_has_its_reason_in_one_line() -> None:
    """Under the cell's name, and nothing in it that a terminal would obey."""
    (row,) = rows(run(), [trial(outcome=Outcome.FAILED, reason=REASON, measured=None)])
    shown = row_text(row).splitlines()
    assert len(shown) == 2
    assert all(line.isprintable() for line in shown)


CELLS = tuple(Cell("sync", f"io{number}", "uvicorn", 1) for number in range(50))
BUDGET = Profile("quick", users=50, delay_s=0.2, budget_s=720.0)


@pytest.mark.parametrize(("total", "shown"), [(9, "[3/9]"), (10, "[ 3/10]"), (50, "[ 3/50]")])
def test_lines_stand_under_each_other(total: int, shown: str) -> None:
    """However many there will be."""
    profile = replace(BUDGET, budget_s=None, rounds=1)
    plan = make_plan(CELLS[:total], profile, seed=1)
    assert place(trial(), plan, 3, 20.0) == shown
    assert place(trial(), plan, len(plan.trials) + 2, 20.0) == "[again 2]"


def test_a_trial_of_a_budget_says_what_is_spent_and_why_it_was_made() -> None:
    """A refinement with how well its cell was known before."""
    plan = make_plan(CELLS, BUDGET, seed=1)
    assert place(trial(round=2), plan, 77, 306.4) == "[ 77 | 5:06 of 12:00 | pass 2]"
    again = trial(round=3, purpose=Purpose(Cause.REFINE, 0.114))
    assert place(again, plan, 150, 601.0) == "[150 | 10:01 of 12:00 | refine: ± 11%]"
    never = trial(round=3, purpose=Purpose(Cause.AGAIN))
    assert place(never, plan, 150, 4000.0).endswith("| 1:06:40 of 12:00 | again]")


def test_the_end_tells_what_was_not_measured_and_how_to_go_on() -> None:
    """Cells without a row: the budget was too small for them."""
    plan = make_plan(CELLS, BUDGET, seed=1)
    found = rows(run(cells=(CELLS[0].id,)), [trial(cell=CELLS[0].id)])
    assert closing(found, plan) == (
        "1 rough, 49 cells not measured, as the budget of 12 min 0 s was used up; the same command"
        " with a larger `--budget` goes on"
    )
