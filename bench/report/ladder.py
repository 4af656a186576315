"""A ladder of users in words: a table, what limits each step, and the law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from bench import text
from bench.report import tables, whys
from bench.text import NONE, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.ladder import Ladder, Step
    from bench.stats import Law
    from bench.stats.scalability import Coefficient

HEADINGS = ("users", "requests/s", "p50", "p99", "why")


def told(ladder: Ladder) -> list[str]:
    """Sentences: where it bends, and what the law says."""
    return [sentence for sentence in (_knee(ladder), law(ladder)) if sentence]


def law(ladder: Ladder) -> str:
    """The Universal Scalability Law, as far as it fits."""
    found = ladder.law
    if found is None:
        return (
            "Universal Scalability Law: not fitted, as it takes four steps or more with a rate and"
            " its interval"
        )
    if not found.fits:
        return (
            f"Universal Scalability Law: does not fit (it misses a step by {found.misses:.0%}):"
            " something else bends the curve, as the why at each step tells"
        )
    return f"Universal Scalability Law: {_coefficients(found)}{_peak(found)}"


def markdown(ladders: Sequence[Ladder]) -> str | None:
    """All of a run's; None of none."""
    parts = [
        f"**{text.code(one.name)}**\n\n{_table(one, 'github', text.escape)}\n\n"
        + "\n".join(f"- {text.escape(sentence)}" for sentence in told(one))
        for one in ladders
    ]
    return "\n\n".join(parts) or None


def plain(ladder: Ladder) -> str:
    """For a terminal."""
    return "\n".join([ladder.name, _table(ladder, "simple", text.line), "", *told(ladder)])


def document(ladder: Ladder) -> dict[str, Any]:
    """For latest.json."""
    found = ladder.law
    return {
        "name": ladder.name,
        "cells": [step.row.cell for step in ladder.steps],
        "users": [step.users for step in ladder.steps],
        "knee_users": None if ladder.knee is None else ladder.knee.users,
        "law": None
        if found is None
        else {
            "fits": found.fits,
            "misses": _short(found.misses),
            "rate_rps": _interval(found.rate),
            "contention": _interval(found.contention),
            "coherence": _interval(found.coherence),
            "peak_users": None if found.peak_users is None else _short(found.peak_users),
        },
        "told": told(ladder),
    }


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _interval(found: Coefficient) -> dict[str, float]:
    return {name: _short(getattr(found, name)) for name in ("value", "low", "high")}


def _table(ladder: Ladder, form: str, shown: Any) -> str:
    return tabulate(
        [[shown(cell) for cell in _line(step)] for step in ladder.steps],
        headers=HEADINGS,
        tablefmt=form,
        disable_numparse=True,
        colalign=("right", "right", "right", "right", "left"),
    )


def _line(step: Step) -> list[str]:
    row = step.row
    if not row.verdict.usable:
        return [str(step.users), NONE, NONE, NONE, row.verdict.word.value]
    return [
        str(step.users),
        tables.rate(row),
        text.percentile(row.p50),
        text.percentile(row.p99),
        whys.of_row(row) or NONE,
    ]


def _knee(ladder: Ladder) -> str:
    if ladder.knee is None:
        return "Throughput rises with the users up to the last step"
    return (
        f"Beyond {_users(ladder.knee.users)} more users bring less than half of the throughput"
        " that they should, and wait instead"
    )


def _users(count: int) -> str:
    return "1 user" if count == 1 else f"{count} users"


def _coefficients(found: Law) -> str:
    return (
        f"one user gets {number(found.rate.value)}/s ({_range(found.rate)}), contention"
        f" {found.contention.value:.2%} ({found.contention.low:.2%} to"
        f" {found.contention.high:.2%}), coherence {found.coherence.value:.2g}"
        f" ({found.coherence.low:.2g} to {found.coherence.high:.2g})"
    )


def _range(found: Coefficient) -> str:
    return f"{number(found.low)} to {number(found.high)}"


def _peak(found: Law) -> str:
    peak = found.peak_users
    if peak is None or found.coherence.low <= 0:
        return ""
    return f"; its peak is at {number(peak)} users"
