"""reports/latest.md, and the part of README.md that is generated."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench.problem import BadInput
from bench.report import caption, tables, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.rows import Row
    from bench.record import RunRecord

BEGIN = "<!-- tables: begin (made by `nox -s readme`; do not edit) -->"
END = "<!-- tables: end -->"


def report(run: RunRecord, rows: Sequence[Row]) -> str:
    """The whole report of a run."""
    return f"# Run {text.code(run.id)}\n\n{body(run, rows)}"


def body(run: RunRecord, rows: Sequence[Row]) -> str:
    """Both tables with what must be known to read them."""
    if not rows:
        return "Nothing was measured.\n"
    title, scenarios = tables.scenario_table(rows)
    parts = [
        f"### Scenarios: {title}",
        scenarios,
        "### The matrix",
        verdicts(rows),
        tables.matrix_table(rows),
        caption.spread_note(rows),
        caption.caption(run),
        *_notes(rows),
    ]
    return "\n\n".join(parts) + "\n"


def verdicts(rows: Sequence[Row]) -> str:
    """How many cells have which verdict."""
    words = Counter(row.verdict.word for row in rows)
    return "Verdicts: " + ", ".join(f"{count} {word}" for word, count in words.items()) + "."


def into_readme(readme: str, run: RunRecord, rows: Sequence[Row]) -> str:
    """README.md with its generated part made anew.

    Raises:
        BadInput: the two markers are missing.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInput(
            f"README.md: the markers are missing; put these two lines where the tables belong:\n"
            f"{BEGIN}\n{END}"
        )
    return f"{before}{BEGIN}\n\n{body(run, rows)}\n{END}{after}"


def _notes(rows: Sequence[Row]) -> list[str]:
    notes = tables.notes(rows)
    if not notes:
        return []
    listed = "\n".join(f"- {note}" for note in notes)
    return [
        "<details>\n<summary>Notes on single cells: doubts, failures, withheld figures</summary>",
        listed,
        "</details>",
    ]
