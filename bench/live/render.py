"""A state as lines for a terminal of some width. Pure: the same state gives the same lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import text
from bench.analysis.verdict import Word
from bench.live.state import WINDOW, left_s, rate_rps
from bench.records.model import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.live.state import Pass, Result, State, Trial

Span = tuple[str, str]  # a text, and a style that rich knows; "" is none
Line = tuple[Span, ...]

WIDE = 72  # columns; narrower terminals get no why
FEW = 4  # lines that are left to whatever else is on the screen
CELL, RATE, WORD = 34, 16, 9  # columns of a result
STYLES = {
    Word.VALID.value: "green",
    Word.ROUGH.value: "yellow",
    Word.UNSTABLE.value: "yellow",
    Word.INVALID.value: "red",
    Word.FAILED.value: "red",
    Word.SKIPPED.value: "red",
}
DOING = {
    Cause.REFINE: "refining",
    Cause.AGAIN: "repeating",
    Cause.REGIME: "telling regimes apart in",
    Cause.SWING: "measuring longer",
    Cause.ANSWER: "answers that hang on",
}


def render(state: State, now_s: float, width: int, height: int) -> list[Line]:
    """The pass and the time left, the trial, and as many of the last results as there is room."""
    lines = [_heading(state, now_s, width)]
    lines += _trial(state.trial, now_s, width)
    room = max(0, min(len(state.recent), height - len(lines) - 1 - FEW))
    if room:
        lines.append(())
        lines += [_result(result, width) for result in state.recent[:room]]
    return [_cut(line, width) for line in lines]


def plain(lines: Sequence[Line]) -> str:
    """Without styles."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def _heading(state: State, now_s: float, width: int) -> Line:
    left = _left(state, now_s)
    told = _pass(state)
    gap = width - len(told) - len(left)
    if gap < 2:  # the time left says more than a name
        told = told[: max(0, width - len(left) - 3)] + "… "
        gap = 0
    return (told, "bold"), (" " * gap, ""), (left, "")


def _pass(state: State) -> str:
    if state.current is None:
        return "making ready"
    current = state.current
    if state.budget_s is None:
        return f"round {current.number}, trial {state.done + 1} of {state.trials}"
    return f"pass {current.number}: {_doing(current, state.cells)}"


def _doing(current: Pass, cells: int) -> str:
    """``refining 9 of 54 cells, widest ± 11%``."""
    causes = [cause for cause in current.causes if cause is not Cause.FIRST]
    several = "1 cell" if cells == 1 else f"{cells} cells"
    if not causes:
        return f"each of {several}" if cells > 1 else several
    doing = DOING[causes[0]] if len(causes) == 1 else "refining"
    widest = "" if current.widest is None else f", widest ± {current.widest:.0%}"
    return f"{doing} {current.cells} of {several}{widest}"


def _left(state: State, now_s: float) -> str:
    left = text.clock(left_s(state, now_s))
    if state.budget_s is None:
        return f"about {left} left"
    return f"{left} of {text.clock(state.budget_s)} left"


def _trial(trial: Trial | None, now_s: float, width: int) -> list[Line]:
    """Which one, its phase, and what the users see; on two lines where it is narrow."""
    if trial is None:
        return [(("between trials", "dim"),)]
    phase = f"{trial.phase} {text.number(max(0.0, now_s - trial.phase_at_s), 2)} s"
    if trial.phase == WINDOW and trial.window_s is not None:
        done_s = min(trial.window_s, max(0.0, now_s - trial.phase_at_s))
        phase = f"{WINDOW} {done_s:.0f} of {text.number(trial.window_s, 2)} s"
    users = _users(trial)
    if len(trial.name) + len(phase) + len(users) + 4 <= width:
        return [((f"{trial.name}  ", "cyan"), (f"{phase}  ", ""), (users, ""))]
    return [((f"{trial.name}  ", "cyan"), (phase, "")), ((f"  {users}", ""),)]


def _users(trial: Trial) -> str:
    if not trial.counts:
        return ""
    latest, rate = trial.counts[-1], rate_rps(trial)
    told = f"{latest.failed:,} failed  {latest.started - latest.ended:,} in flight"
    return told if rate is None else f"{text.number(rate)} requests/s  {told}"


def _result(result: Result, width: int) -> Line:
    style = STYLES.get(result.word, "")
    if width < WIDE:
        cell = max(8, width - RATE - WORD - 1)
        return (
            (_padded(result.cell, cell), ""),
            (f"{result.rate:>{RATE - 1}} ", ""),
            (result.word, style),
        )
    return (
        (_padded(result.cell, CELL), ""),
        (f" {result.rate:>{RATE - 1}}  ", ""),
        (f"{result.word:<{WORD}}", style),
        (f" {result.why}", "dim"),
    )


def _padded(name: str, columns: int) -> str:
    return f"{name:<{columns}}" if len(name) <= columns else f"{name[: columns - 1]}…"


def _cut(line: Line, width: int) -> Line:
    """So much of it as fits: a line that wraps can't be taken back."""
    kept: list[Span] = []
    left = width
    for words, style in line:
        if len(words) > left:
            kept.append((f"{words[: left - 1]}…" if left > 1 else words[:left], style))
            break
        kept.append((words, style))
        left -= len(words)
        if not left:
            break
    return tuple(kept)
