"""Two revisions side by side, for a pull request (Markdown) and for programs (JSON)."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from bench.text import NONE, code, duration, escape, line, milliseconds, number
from bench.turns.judge import Outcome, judge, more_seconds
from bench.turns.model import CPU, LATENCY, TURNS

if TYPE_CHECKING:
    from bench.stats import Contrast
    from bench.turns.judge import Judged
    from bench.turns.model import Cost
    from bench.turns.schedule import Progress

SCHEMA = 1
KINDS = ("ab", "versus")


@dataclass(frozen=True, slots=True)
class Comparison:
    """All there is to tell."""

    a: str  # titles of the revisions
    b: str
    commits: tuple[str | None, str | None]
    started: str
    finished: str
    host: str
    threshold: float
    users: int
    cells: tuple[Progress, ...]
    complete: bool = True  # False: interrupted
    kind: str = "ab"  # revisions; or cells: `versus`

    @property
    def regressions(self) -> tuple[str, ...]:
        """The cells of which a metric is slower."""
        return tuple(
            cell.cell
            for cell in self.cells
            if any(
                one.outcome is Outcome.SLOWER for one in judge(cell.starts, self.threshold).values()
            )
        )

    @property
    def judged(self) -> bool:
        """Some cell was begun often enough to be."""
        return any(len(cell.starts) > 1 for cell in self.cells)

    @property
    def untold(self) -> tuple[str, ...]:
        """The cells that have no figures at all."""
        return tuple(cell.cell for cell in self.cells if not cell.starts)


def outcome_of(judged: dict[str, Judged]) -> Outcome:
    """Of a cell: of its time per request, unless only the CPU per request tells.

    A request that takes more CPU and no more time has become worse all the same: it costs.
    """
    outcomes = [judged[metric].outcome for metric in (LATENCY, CPU) if metric in judged]
    for telling in (Outcome.SLOWER, Outcome.UNKNOWN, Outcome.FASTER):
        if telling in outcomes:
            return telling
    return Outcome.SAME if outcomes else Outcome.UNKNOWN


def markdown(found: Comparison) -> str:
    """A heading that says it all, a row a cell, and how it was measured."""
    rows, notes = [], []
    for cell in found.cells:
        judged = judge(cell.starts, found.threshold)
        rows.append(_row(cell, judged, found.threshold))
        notes += _notes(cell, judged)
    head = ["cell", "", "time per request", "CPU per request", "A against itself", "measured"]
    ended = "" if found.complete else "Interrupted: this is what was known by then.\n\n"
    return (
        f"### {escape(found.b)} against {escape(found.a)}: {summary(found)}\n\n{ended}"
        + tabulate(rows, headers=head, tablefmt="github", disable_numparse=True)
        + "\n\n"
        + "".join(f"- {note}\n" for note in notes)
        + ("\n" if notes else "")
        + _legend(found)
    )


def summary(found: Comparison) -> str:
    """`1 slower, 2 the same within 5%`."""
    counts: dict[str, int] = {}
    for cell in found.cells:
        told = _word(outcome_of(judge(cell.starts, found.threshold)), found.threshold)
        told = told if cell.starts else "without figures"
        counts[told] = counts.get(told, 0) + 1
    order = ["slower", "faster"]
    words = sorted(counts, key=lambda word: (order.index(word) if word in order else 9, word))
    return ", ".join(f"{counts[word]} {word}" for word in words) or "no cell"


def document(found: Comparison) -> str:
    """The same as JSON; docs/ab.md lists its fields."""
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": found.kind,
        "a": {"title": found.a, "commit": found.commits[0]},
        "b": {"title": found.b, "commit": found.commits[1]},
        "started": found.started,
        "finished": found.finished,
        "complete": found.complete,
        "host": found.host,
        "threshold": found.threshold,
        "users": found.users,
        "summary": summary(found),
        "regressions": [*found.regressions],
        "cells": [_cell(cell, found.threshold) for cell in found.cells],
    }
    return json.dumps(content, indent=2) + "\n"


def _cell(cell: Progress, threshold: float) -> dict[str, Any]:
    judged = judge(cell.starts, threshold)
    unknown = outcome_of(judged) is Outcome.UNKNOWN
    return {
        "cell": cell.cell,
        "outcome": outcome_of(judged).value if cell.starts else "failed",
        "method": cell.method,
        "why_trials": cell.why_trials,
        "starts": len(cell.starts),
        "requests": sum(one.requests for start in cell.starts for one in start.costs.values()),
        "seconds": round(sum(start.took_s for start in cell.starts), 1),
        "more_seconds": round(more_seconds(cell.starts, threshold)) if unknown else None,
        "failures": cell.failures,
        **{metric: _metric(one) for metric, one in judged.items()},
        "hash_seeds": [start.hash_seed for start in cell.starts],
        "samples": [
            {side: _cost(cost) for side, cost in start.costs.items()} for start in cell.starts
        ],
    }


def _cost(cost: Cost) -> dict[str, Any]:
    """Rounded: the last digit of a mean is the processor's."""
    return {
        "latency_ms": round(cost.latency_ms, 6),
        "cpu_ms": round(cost.cpu_ms, 6),
        "requests": cost.requests,
    }


def _metric(one: Judged) -> dict[str, Any]:
    seen = one.contrast
    return {
        "outcome": one.outcome.value,
        "a": round(one.a, 6),
        "b": round(one.b, 6),
        "ratio": None if seen is None else round(seen.ratio, 5),
        "low": None if seen is None else round(seen.low, 5),
        "high": None if seen is None else round(seen.high, 5),
        "twin": None if seen is None else round(seen.twin, 5),
        "twin_low": None if seen is None else round(seen.twin_low, 5),
        "twin_high": None if seen is None else round(seen.twin_high, 5),
    }


def _row(cell: Progress, judged: dict[str, Judged], threshold: float) -> list[str]:
    if not judged:
        return [code(cell.cell), "**no figures**", NONE, NONE, NONE, NONE]
    told = outcome_of(judged)
    word = _word(told, threshold)
    if told is Outcome.UNKNOWN:
        word += (
            f", about {duration(60 * math.ceil(more_seconds(cell.starts, threshold) / 60))} more"
        )
    how = "in turn" if cell.method == TURNS else "whole trials"
    return [
        code(cell.cell),
        f"**{word}**" if told in {Outcome.SLOWER, Outcome.FASTER} else word,
        _told(judged[LATENCY]),
        _told(judged[CPU]),
        _band(judged[LATENCY].contrast),
        f"{how}, {len(cell.starts)} starts",
    ]


def _told(one: Judged) -> str:
    both = f"{milliseconds(one.a)} → {milliseconds(one.b)}"
    if one.contrast is None:
        return both
    seen = one.contrast
    return f"{seen.ratio:.3f}× ({seen.low:.3f} to {seen.high:.3f}), {both}"


def _band(seen: Contrast | None) -> str:
    if seen is None:
        return NONE
    return f"{seen.twin:.3f}× ({seen.twin_low:.3f} to {seen.twin_high:.3f})"


def _word(told: Outcome, threshold: float) -> str:
    return f"the same within {number(threshold * 100)}%" if told is Outcome.SAME else told.value


def _notes(cell: Progress, judged: dict[str, Judged]) -> list[str]:
    notes = []
    if cell.failures:
        notes.append(f"{code(cell.cell)}: {escape(line(cell.failures[-1]))}")
    if cell.why_trials is not None and cell.starts:
        notes.append(f"{code(cell.cell)} was measured in whole trials: {escape(cell.why_trials)}")
    if judged and judged[LATENCY].outcome is not judged[CPU].outcome:
        told = f"time per request {judged[LATENCY].outcome.value}"
        notes.append(f"{code(cell.cell)}: {told}, CPU per request {judged[CPU].outcome.value}")
    return notes


def _legend(found: Comparison) -> str:
    share = f"{number(found.threshold * 100)}%"
    return (
        f"A is {escape(found.a)}, B is {escape(found.b)}; each figure is B's as a multiple of A's,"
        f" with its 95 % interval. *Slower*, *faster*: the interval lies wholly beyond {share};"
        " *the same*: wholly within it. *A against itself*: a second A ran along, and what it"
        f" differs by is noise. {found.users} users at once. Measured on {escape(found.host)}.\n"
    )
