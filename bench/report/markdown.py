"""reports/latest.md: all of a run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench import text
from bench.report import caption, ladder, machines, places, tables, trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.results import Results
    from bench.analysis.rows import Row


def report(results: Results) -> str:
    """The whole report of a run."""
    return f"# Run {text.code(results.run.id)}\n\n{body(results)}"


def body(results: Results) -> str:
    """Answers and both tables, with what must be known to read them."""
    rows = results.rows
    if not rows:
        return joined([trust.damage(results), "Nothing was measured."])
    title, scenarios = tables.scenario_table(rows)
    answers = trust.answers(results)
    curves = ladder.markdown(results.ladders)
    servers = tables.servers_table(rows)
    parts = [
        # First, so that nobody takes the run for complete.
        trust.damage(results),
        trust.resumed(results.run),
        *(("### Answers", answers) if answers else ()),
        *(("### Throughput against users", curves) if curves else ()),
        f"### Scenarios: {title}",
        scenarios,
        "### The matrix",
        verdicts(rows),
        None if results.hosts is None else machines.told(results.hosts),
        tables.matrix_table(rows),
        places.LEGEND,
        caption.spread_note(rows),
        *(("### How each server ran", servers) if servers else ()),
        trust.noise_floor(results.noise),
        trust.controls(results.drift),
        caption.caption(results.run),
        *_notes(rows),
    ]
    return joined(parts)


def verdicts(rows: Sequence[Row]) -> str:
    """How many cells have which verdict."""
    words = Counter(row.verdict.word.value for row in rows)
    return "Verdicts: " + ", ".join(f"{count} {word}" for word, count in words.items()) + "."


def joined(parts: Sequence[str | None]) -> str:
    """Parts of a page, those that there are."""
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
