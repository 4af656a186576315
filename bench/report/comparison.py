"""A comparison for people (a table) and for programs (JSON)."""

from __future__ import annotations

import json
from statistics import geometric_mean
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from bench.analysis.compare import FEWEST
from bench.analysis.metrics import METRICS
from bench.text import NONE, line, number

if TYPE_CHECKING:
    from bench.analysis.compare import CellComparison, Comparison, Judged

SCHEMA = 2


def table(comparison: Comparison, differences: tuple[str, ...]) -> str:
    """What is compared, how surely, a row a cell, and what it comes to."""
    a, b = comparison.a, comparison.b
    titles = f"{line(b.title)} against {line(a.title)}"
    lines = [f"{titles}: each figure is the second's as a multiple of the first's"]
    lines += [f"NOT THE SAME: {line(difference)}" for difference in differences]
    lines.append(_pairing(comparison))
    rows = [
        [line(cell.cell), *(_cell(cell, metric.name) for metric in METRICS), _steadiest(cell)]
        for cell in comparison.cells
    ]
    headings = ["cell", *(metric.title for metric in METRICS), "steadiest"]
    lines += ["", tabulate(rows, headers=headings, tablefmt="simple", disable_numparse=True), ""]
    lines.append(
        f"better and worse: the interval lies wholly beyond {comparison.threshold:.0%}, and the"
        " difference is significant at 5 % after Benjamini and Hochberg's correction for"
        f" {len(comparison.cells)} cells; same: it lies within {comparison.threshold:.0%}"
    )
    for title, only in ((a.title, comparison.only_a), (b.title, comparison.only_b)):
        if only:
            lines.append(line(f"only in {title}: {', '.join(only)}"))
    if comparison.unstable:
        lines.append(line(f"two regimes, so not compared: {', '.join(comparison.unstable)}"))
    worse = comparison.regressions
    lines.append(line(f"worse: {', '.join(worse) or 'none'}"))
    return "\n".join(lines)


def _pairing(comparison: Comparison) -> str:
    """What the intervals rest on."""
    if comparison.a.run != comparison.b.run:
        return "not paired: two runs, so drift between them counts as difference (weaker)"
    figures = comparison.figures
    paired = sum(judged.paired for judged in figures)
    if paired == len(figures):
        return "paired by round"
    return (
        f"{paired} of {len(figures)} figures are paired by round, the others have under {FEWEST}"
        " rounds in common: drift between these counts as difference (weaker)"
    )


def document(comparison: Comparison, differences: tuple[str, ...]) -> str:
    """The same as JSON."""
    content = {
        "schema": SCHEMA,
        "a": {"run": comparison.a.run, "title": comparison.a.title},
        "b": {"run": comparison.b.run, "title": comparison.b.title},
        "threshold": comparison.threshold,
        "differences": list(differences),
        "cells": [
            {
                "cell": cell.cell,
                "steadiest": None if cell.steadiest is None else cell.steadiest.metric.name,
                **{
                    judged.metric.name: _judged(judged)
                    | {
                        name: geometric_mean(side.cells[cell.cell][judged.metric.name].values())
                        for name, side in (("a", comparison.a), ("b", comparison.b))
                    }
                    for judged in cell.judged
                },
            }
            for cell in comparison.cells
        ],
        "only_a": list(comparison.only_a),
        "only_b": list(comparison.only_b),
        "unstable": list(comparison.unstable),
        "worse": list(comparison.regressions),
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _judged(judged: Judged) -> dict[str, Any]:
    ratio = judged.ratio
    return {
        "ratio": ratio.ratio, "low": ratio.low, "high": ratio.high, "p_value": ratio.p_value,
        "n": ratio.n, "paired": judged.paired,
        "word": judged.word.value,
    }  # fmt: skip


def _cell(cell: CellComparison, metric: str) -> str:
    found = next((judged for judged in cell.judged if judged.metric.name == metric), None)
    if found is None:
        return NONE
    ratio = found.ratio
    spread = "" if ratio.low is None else f" ({number(ratio.low)} to {number(ratio.high)})"
    return f"{number(ratio.ratio)}×{spread} {found.word.value}"


def _steadiest(cell: CellComparison) -> str:
    return NONE if cell.steadiest is None else cell.steadiest.metric.title
