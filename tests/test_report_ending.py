"""What stands in the terminal when a run has ended (tests/golden/ending)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from bench.analysis.results import results
from bench.analysis.rows import rows
from bench.config import Profile
from bench.paths import ROOT
from bench.plan import Cell, make_plan
from bench.records import journal
from bench.records.model import Resumption
from bench.report import ending
from tests.support.records import example, run, trial

GOLDENS = Path(__file__).parent / "golden/ending"
BUDGET = Profile("quick", users=50, delay_s=0.2, budget_s=720.0)
PAGES = (Path("reports/latest.html"), Path("reports/latest.md"))


def as_golden(name: str, text: str) -> None:
    """UPDATE_GOLDENS=1 writes it anew."""
    golden = GOLDENS / name
    if os.environ.get("UPDATE_GOLDENS"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text + "\n", "utf-8")
    assert text + "\n" == golden.read_text("utf-8")


def test_the_end_of_the_published_run() -> None:
    """Five answers to five questions, verdicts, and where the page is: whatever it found."""
    about = journal.read_run(ROOT / "reports/latest.run.json")
    found = rows(about, journal.read_trials(ROOT / "reports/latest.trials.jsonl").records)
    cells = [Cell(row.endpoint, row.io, row.server, row.workers, row.python) for row in found]
    plan = make_plan(cells, about.profile, seed=1)
    told = ending.of_matrix(found, plan, PAGES)
    assert told.startswith("\nWhat it found:\n  ")
    assert told.count("\n  ") == 5
    assert told.count("×") >= 5
    assert f"All of it: {PAGES[0]} and {PAGES[1]}" in told


def test_the_end_of_a_run_with_failures() -> None:
    """What has no numbers is named with its reason; no page that isn't there."""
    about, trials = example(1)
    found = rows(about, trials)
    plan = make_plan([Cell("sync", "http", "uvicorn", 1)], BUDGET, seed=1)
    as_golden("failures.txt", ending.of_matrix(found, plan, PAGES[1:]))


def test_the_end_of_single() -> None:
    """Its row, with the bar of users."""
    found = rows(run(), [trial()])
    plan = make_plan([Cell("sync", "http", "uvicorn", 1)], BUDGET, seed=1)
    as_golden("single.txt", ending.of_single(found, plan, run()))


def test_the_end_of_several() -> None:
    """Each row in full, a small table of all, and plainly what could not be measured."""
    about, trials = example(3)
    step = Resumption("2026-03-04T06:07:00+00:00", 1, ("1 cell is new",))
    about = replace(about, resumed=(step,))
    cells = [Cell(r.endpoint, r.io, r.server, r.workers) for r in rows(about, trials)]
    plan = make_plan([*cells, Cell("async", "noop", "uvicorn", 2)], BUDGET, seed=1)
    told = ending.of_single(rows(about, trials), plan, about)
    assert "async_noop-uvicorn-w2\n" in told.partition("\nnot measured: ")[2]
    as_golden("several.txt", told)


def test_no_answers_no_lines() -> None:
    """A run of one cell."""
    assert results(run(), [trial()]).effects == ()
    plan = make_plan([Cell("sync", "http", "uvicorn", 1)], BUDGET, seed=1)
    assert "What it found" not in ending.of_matrix(rows(run(), [trial()]), plan, PAGES)
