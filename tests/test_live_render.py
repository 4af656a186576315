"""The region of a terminal, as text (tests/golden/live)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.rows import rows
from bench.config import Profile
from bench.live import state
from bench.live.render import plain, render
from bench.live.state import State, left_s, rate_rps
from bench.plan import Cell, PlannedTrial, make_plan
from bench.records.model import FIRST, Cause, Purpose
from bench.run.observer import Counts
from bench.run.schedule import Progress
from tests.support.records import HOSTILE, example, trial

GOLDENS = Path(__file__).parent / "golden/live"
S = 10**9
CELLS = tuple(Cell("sync", f"io{number}", "uvicorn", 1) for number in range(54))
BUDGET = Profile("quick", users=50, delay_s=0.2, budget_s=720.0)
PLAN = make_plan(CELLS, BUDGET, seed=1)
FIXED = make_plan(CELLS, replace(BUDGET, budget_s=None, rounds=2), seed=1)


def refining(*widths: float | None, cause: Cause = Cause.REFINE) -> State:
    """In a pass over such cells, the first of which is in its window."""
    trials = [
        PlannedTrial(0, 3, cell, purpose=Purpose(cause, width))
        for cell, width in zip(CELLS, widths, strict=False)
    ]
    now = state.planned(state.begin(PLAN, 600.0), trials)
    now = state.begun(now, trials[0], Progress(112, 500.0), 100.0)
    for name in ("start", "verify", "gate", "load", "warm-up"):
        now = state.phase(now, name, 101.0)
    now = state.counted(now, Counts(1 * S, 250, 200, 0))
    now = state.window(now, 4.0, 103.0)
    now = state.counted(now, Counts(2 * S, 850, 800, 1))
    about, records = example(3)
    for row in rows(about, records):
        now = replace(now, recent=(state.result(row), *now.recent))
    return now


@pytest.mark.parametrize(("width", "height"), [(120, 30), (80, 24), (50, 24), (40, 8)])
def test_a_run_as_it_is_seen(width: int, height: int) -> None:
    """Wide, usual, narrow and tiny."""
    shown = plain(render(refining(0.11, 0.08, None), 104.5, width, height))
    golden = GOLDENS / f"{width}x{height}.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(shown, "utf-8")
    assert shown == golden.read_text("utf-8")


def heading(now: State, at_s: float = 104.5) -> str:
    """The first line."""
    return plain(render(now, at_s, 100, 30)).splitlines()[0]


def test_the_pass_says_what_it_does_and_how_wide_the_widest_is() -> None:
    """As in the plain lines, by the purposes of its trials."""
    assert heading(refining(0.11, 0.08)).startswith("pass 3: refining 2 of 54 cells, widest ± 11%")
    assert heading(refining(None)).startswith("pass 3: refining 1 of 54 cells  ")
    again = refining(0.3, cause=Cause.AGAIN)
    assert heading(again).startswith("pass 3: repeating 1 of 54 cells, widest ± 30%")
    first = state.planned(state.begin(PLAN, 600.0), PLAN.trials)
    assert heading(first, 0.0).startswith("pass 1: each of 54 cells")


def test_a_fixed_design_says_round_and_trial() -> None:
    """And about how long it will take, by what its trials took so far."""
    now = state.planned(state.begin(FIXED, 550.0), FIXED.trials)
    assert heading(now, 0.0).endswith("about 9:10 left")
    now = state.begun(now, FIXED.trials[10], Progress(10, 40.0), 0.0)
    assert heading(now, 0.0).startswith("round 1, trial 11 of 110")
    assert left_s(now, 0.0) == pytest.approx(400.0)


def test_the_time_left_is_of_the_budget_and_goes_on_in_a_trial() -> None:
    """Never below nothing."""
    now = refining(0.11)
    assert left_s(now, 104.0) == pytest.approx(720 - 500 - 4)
    assert left_s(now, 1e6) == 0.0


def test_the_rate_is_of_the_latest_counts() -> None:
    """None before there are two; a new trial begins anew."""
    now = refining(0.11)
    assert now.trial is not None
    assert rate_rps(now.trial) == pytest.approx(600.0)
    again = state.begun(now, PLAN.trials[0], Progress(113, 504.0), 105.0)
    assert again.trial is not None
    assert rate_rps(again.trial) is None


def test_phases_are_named_as_people_say() -> None:
    """Starting, verifying, ramp, warm-up, window, stopping."""
    now = state.begun(state.begin(PLAN, 600.0), PLAN.trials[0], Progress(0, 0.0), 0.0)
    seen = []
    for name in ("start", "verify", "gate", "load", "warm-up", "window", "stop", "unheard of"):
        now = state.phase(now, name, 1.0)
        assert now.trial is not None
        seen.append(now.trial.phase)
    assert list(dict.fromkeys(seen)) == [
        *("starting", "verifying", "ramp", "warm-up", "window", "stopping")
    ]


def test_a_cell_without_numbers_shows_its_reason() -> None:
    """And no number."""
    about, trials = example(3)
    bad = [state.result(row) for row in rows(about, trials) if not row.verdict.usable]
    assert bad
    assert {one.rate for one in bad} == {"–"}
    assert all(one.why for one in bad)


@given(
    width=st.integers(40, 200), height=st.integers(8, 60), name=st.text(max_size=60),
    widths=st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=54),
)  # fmt: skip
def test_it_always_fits(width: int, height: int, name: str, widths: list[float | None]) -> None:
    """No line is longer than the terminal is wide, nor are there more than it is high."""
    now = refining(*widths)
    about, _ = example(1)
    odd = trial(cell=f"{name}{HOSTILE}\x1b[2J", experiment="x")
    (row,) = rows(replace(about, cells=(odd.cell,)), [odd])
    now = state.ended(now, row, Progress(1, 1.0))
    now = state.begun(now, PLAN.trials[0], Progress(1, 1.0), 0.0)
    lines = render(now, 1.0, width, height)
    assert len(lines) < height
    for line in lines:
        text = "".join(words for words, _ in line)
        assert len(text) <= width
        assert text.isprintable()


def test_the_first_pass_is_no_refinement() -> None:
    """What a plan's own trials are for."""
    assert {one.purpose for one in PLAN.trials} == {FIRST}
