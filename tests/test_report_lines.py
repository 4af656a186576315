"""What the terminal shows."""

from __future__ import annotations

import pytest

from bench.analysis.rows import rows
from bench.records.model import Outcome
from bench.report.lines import row_text, trial_line
from tests.support.records import HOSTILE, run, trial

REASON = f"{HOSTILE}\x1b[2J\r\nTraceback:\n  gone"


def test_a_trial_is_one_line() -> None:
    """Whatever a server wrote in its log before it died."""
    shown = trial_line(trial(outcome=Outcome.FAILED, reason=REASON, measured=None), 1, 1, 2)
    assert shown.splitlines() == [shown]
    assert shown.isprintable()


def test_a_row_has_its_reason_in_one_line() -> None:
    """Under the cell's name, and nothing in it that a terminal would obey."""
    (row,) = rows(run(), [trial(outcome=Outcome.FAILED, reason=REASON, measured=None)])
    shown = row_text(row).splitlines()
    assert len(shown) == 2
    assert all(line.isprintable() for line in shown)


@pytest.mark.parametrize(("total", "place"), [(9, "[3/9]"), (10, "[ 3/10]"), (100, "[  3/100]")])
def test_lines_stand_under_each_other(total: int, place: str) -> None:
    """However many there will be."""
    assert trial_line(trial(), 3, total, 2).startswith(f"{place} sync_http-uvicorn-w1 ")
