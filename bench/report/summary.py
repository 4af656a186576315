"""One screen of a run, for the summary of a CI job: answers, a small table, and where users are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import text
from bench.report import caption, design, headlines, places, tables, trust
from bench.report.markdown import joined, verdicts

if TYPE_CHECKING:
    from bench.analysis.results import Results
    from bench.analysis.rows import Row


def summary(results: Results) -> str:
    """Markdown; what is missing is said before anything else."""
    rows = results.rows
    head = [
        f"## Run {text.code(results.run.id)}",
        trust.damage(results),
        trust.resumed(results.run),
    ]
    if not rows:
        return joined([*head, "Nothing was measured."])
    return joined(
        [
            *head,
            headlines.listed(results.effects),
            _title(results),
            tables.by_endpoint(tables.of_first(rows), _cell),
            places.LEGEND,
            f"{verdicts(rows)} {caption.cores_note(results.run)}",
        ]
    )


def _cell(row: Row) -> str:
    """The figure, and the bar below it."""
    figure = tables.rate_or_word(row)
    if row.places is None or not row.verdict.usable:
        return figure
    return f"{figure}<br>{text.code(places.bar(row.places))}"


def _title(results: Results) -> str:
    return (
        f"**Requests/s**, and where the users are, of {tables.served(results.rows[0])}, with"
        f" {design.load(results.run.profile, results.run.varied)}:"
    )
