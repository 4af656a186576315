"""What stands in the terminal when a run has ended: what it found, and what it could not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from bench import text
from bench.analysis.effects import effects
from bench.analysis.ladder import ladders
from bench.report import headlines, ladder, lines, places, tables
from bench.report.answers import by_turns
from bench.report.reasons import sentences
from bench.text import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.analysis.rows import Row
    from bench.plan import Plan
    from bench.records.model import RunRecord

MOST = 5  # cells without numbers that are named with their reasons


def of_matrix(rows: Sequence[Row], plan: Plan, pages: Sequence[Path]) -> str:
    """The answers that matter most, what has no numbers, verdicts, and where the rest is."""
    found = effects(rows, plan.profile.users)
    told = headlines.lines(found)
    sooner = by_turns(found, own=plan.target is not None)
    end = [
        lines.closing(rows, plan),
        *([] if sooner is None else [sooner]),
        f"All of it: {' and '.join(str(page) for page in pages)}",
        *(["`nox -s readme` puts the tables into README.md"] if plan.target is None else []),
    ]
    parts = [
        *([["What it found:", *(f"  {one}" for one in told)]] if told else []),
        *([_without_numbers(rows)] if _without_numbers(rows) else []),
        end,
    ]
    return "\n" + "\n\n".join("\n".join(part) for part in parts)


def of_single(rows: Sequence[Row], plan: Plan, run: RunRecord) -> str:
    """Each row in full; of several, a table, too."""
    parts = [lines.row_text(row).rstrip("\n") for row in rows]
    curves = ladders(rows)
    parts += [ladder.plain(one) for one in curves]
    if len(rows) > sum(len(one.steps) for one in curves):
        parts += [table(rows)]
    notes = [*lines.resumed(run), *_not_measured(rows, plan), lines.closing(rows, plan)]
    return "\n" + "\n\n".join([*parts, "\n".join(notes)])


def table(rows: Sequence[Row]) -> str:
    """The rows side by side, with the bar of users; its letters are named below."""
    bars = [NONE if row.places is None else places.bar(row.places) for row in rows]
    body = tabulate(
        [
            (
                text.line(row.cell),
                tables.rate(row) if row.verdict.usable else NONE,
                text.percentile(row.p50) if row.verdict.usable else NONE,
                row.verdict.word.value,
                bar if row.verdict.usable else NONE,
            )
            for row, bar in zip(rows, bars, strict=True)
        ],
        headers=("cell", "requests/s", "p50", "verdict", "users"),
        tablefmt="simple",
        disable_numparse=True,
        colalign=("left", "right", "right", "left", "left"),
    )
    return f"{body}\n\n{places.legend(''.join(bars))}".rstrip("\n")


def _without_numbers(rows: Sequence[Row]) -> list[str]:
    found = [row for row in rows if not row.verdict.usable]
    if not found:
        return []
    told = [
        f"  {text.line(row.cell)}: {row.verdict.word.value}:"
        f" {text.line('; '.join(sentences(row.verdict)))}"
        for row in found[:MOST]
    ]
    more = [f"  and {len(found) - MOST} more"] if len(found) > MOST else []
    return ["Without numbers:", *told, *more]


def _not_measured(rows: Sequence[Row], plan: Plan) -> list[str]:
    measured = {row.cell for row in rows}
    missing = [text.line(cell.id) for cell in plan.cells if cell.id not in measured]
    return [f"not measured: {', '.join(missing)}"] if missing else []
