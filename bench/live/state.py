"""What is known of a run while it goes on, as a value; each event gives the next one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.report import tables, whys
from bench.report.reasons import sentences
from bench.text import NONE, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.rows import Row
    from bench.plan import Plan, PlannedTrial
    from bench.records.model import Cause
    from bench.run.observer import Counts
    from bench.run.schedule import Progress

CONTROL = "control: the load generator straight at the delay server"
MOST_RECENT = 8
RATE_COUNTS = 3  # counts that the live rate is taken over: a second
WINDOW = "window"
# As a person has them, by their names in a record's ``phases_s`` and the watch's own.
PHASES = {
    "start": "starting",
    "verify": "verifying",
    "gate": "verifying",
    "load": "ramp",
    "warm-up": "warm-up",
    WINDOW: WINDOW,
    "stop": "stopping",
}


@dataclass(frozen=True, slots=True)
class Pass:
    """The trials that are made next, and why."""

    number: int
    cells: int
    causes: tuple[Cause, ...]  # in the order of the trials, each once
    widest: float | None  # of the cells that are known: 0.11 for ± 11 %


@dataclass(frozen=True, slots=True)
class Trial:
    """The one that runs."""

    name: str  # its cell's
    phase: str
    phase_at_s: float  # the clock when it began
    at_s: float  # and when the trial did
    window_s: float | None = None
    counts: tuple[Counts, ...] = ()  # the latest last


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of a cell after its latest trial."""

    cell: str
    rate: str
    word: str  # of its verdict
    why: str


@dataclass(frozen=True, slots=True)
class State:
    """Of a run. Times are seconds of one clock."""

    cells: int
    trials: int  # declared
    budget_s: float | None
    expected_s: float  # that a fixed design takes
    current: Pass | None = None
    done: int = 0  # trials
    spent_s: float = 0.0  # on them
    trial: Trial | None = None
    recent: tuple[Result, ...] = ()  # the latest first


def begin(plan: Plan, expected_s: float) -> State:
    """Before the first trial."""
    return State(len(plan.cells), len(plan.trials), plan.profile.budget_s, expected_s)


def planned(state: State, trials: Sequence[PlannedTrial]) -> State:
    """A pass has been decided on."""
    widths = [t.purpose.half_width for t in trials if t.purpose.half_width is not None]
    current = Pass(
        number=trials[0].round,
        cells=len({trial.cell.id for trial in trials}),
        causes=tuple(dict.fromkeys(trial.purpose.cause for trial in trials)),
        widest=max(widths, default=None),
    )
    return replace(state, current=current)


def begun(state: State, planned: PlannedTrial, progress: Progress, now_s: float) -> State:
    """A trial begins."""
    name = f"{line(planned.cell.id)}{' (again)' if planned.twin else ''}"
    trial = Trial(name, PHASES["start"], now_s, now_s)
    return replace(state, trial=trial, done=progress.done, spent_s=progress.spent_s)


def phase(state: State, name: str, now_s: float) -> State:
    """A step begins, of a trial or of a control."""
    if name == "control":
        return replace(state, trial=Trial(CONTROL, PHASES["load"], now_s, now_s))
    if state.trial is None or name not in PHASES:
        return state
    return replace(state, trial=replace(state.trial, phase=PHASES[name], phase_at_s=now_s))


def window(state: State, length_s: float, now_s: float) -> State:
    """The window opens."""
    opened = phase(state, WINDOW, now_s)
    if opened.trial is None:
        return opened
    return replace(opened, trial=replace(opened.trial, window_s=length_s))


def counted(state: State, counts: Counts) -> State:
    """The generator has counted."""
    if state.trial is None:
        return state
    latest = (*state.trial.counts, counts)[-RATE_COUNTS:]
    return replace(state, trial=replace(state.trial, counts=latest))


def ended(state: State, row: Row | None, progress: Progress) -> State:
    """A trial has ended; the row is its cell's, as it is known now."""
    recent = state.recent if row is None else (result(row), *state.recent)[:MOST_RECENT]
    return replace(state, trial=None, done=progress.done, spent_s=progress.spent_s, recent=recent)


def result(row: Row) -> Result:
    """A row in short; a cell without numbers has its reason in place of the why."""
    verdict = row.verdict
    if not verdict.usable:
        return Result(line(row.cell), NONE, verdict.word.value, line("; ".join(sentences(verdict))))
    why = NONE if row.why is None else line(whys.sentence(row.why))
    return Result(line(row.cell), tables.rate(row), verdict.word.value, why)


def rate_rps(trial: Trial) -> float | None:
    """Requests that ended a second, over the latest counts; None before there are two."""
    if len(trial.counts) < 2:
        return None
    first, last = trial.counts[0], trial.counts[-1]
    return (last.ended - first.ended) / max(1e-9, (last.ns - first.ns) / 1e9)


def left_s(state: State, now_s: float) -> float:
    """Seconds left: of the budget; of a fixed design, as long as its trials have taken so far."""
    running_s = 0.0 if state.trial is None else now_s - state.trial.at_s
    if state.budget_s is not None:
        return max(0.0, state.budget_s - state.spent_s - running_s)
    trial_s = state.spent_s / state.done if state.done else state.expected_s / max(1, state.trials)
    return max(0.0, (state.trials - state.done) * trial_s - running_s)
