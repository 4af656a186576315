"""reports/latest.md, and the part of README.md that is generated."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench.problem import BadInput
from bench.report import caption, tables, text, trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.findings import Findings
    from bench.analysis.rows import Row

BEGIN = "<!-- tables: begin (made by `nox -s readme`; do not edit) -->"
END = "<!-- tables: end -->"


def report(findings: Findings) -> str:
    """The whole report of a run."""
    return f"# Run {text.code(findings.run.id)}\n\n{body(findings)}"


def body(findings: Findings) -> str:
    """Answers and both tables, with what must be known to read them."""
    rows = findings.rows
    if not rows:
        return _joined([trust.damage(findings), "Nothing was measured."])
    title, scenarios = tables.scenario_table(rows)
    answers = trust.answers(findings)
    parts = [
        # First, so that nobody takes the run for complete.
        trust.damage(findings),
        trust.resumed(findings.run),
        *(("### Answers", answers) if answers else ()),
        f"### Scenarios: {title}",
        scenarios,
        "### The matrix",
        verdicts(rows),
        tables.matrix_table(rows),
        caption.spread_note(rows),
        trust.noise_floor(findings.noise),
        trust.controls(findings.drift),
        caption.caption(findings.run),
        *_notes(rows),
    ]
    return _joined(parts)


def verdicts(rows: Sequence[Row]) -> str:
    """How many cells have which verdict."""
    words = Counter(row.verdict.word for row in rows)
    return "Verdicts: " + ", ".join(f"{count} {word}" for word, count in words.items()) + "."


def into_readme(readme: str, findings: Findings) -> str:
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
    return f"{before}{BEGIN}\n\n{body(findings)}\n{END}{after}"


def _joined(parts: Sequence[str | None]) -> str:
    return "\n\n".join(part for part in parts if part is not None) + "\n"


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
