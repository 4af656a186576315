"""The part of README.md that is generated: the chart, five answers, one small table."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from bench import text
from bench.analysis.verdict import Word
from bench.errors import BadInputError
from bench.report import caption, design, headlines, places, tables, trust, whys
from bench.report.markdown import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.results import Results
    from bench.analysis.rows import Row

BEGIN = "<!-- tables: begin (made by `nox -s readme`; do not edit) -->"
END = "<!-- tables: end -->"
LIGHT, DARK = "reports/chart-light.svg", "reports/chart-dark.svg"


def into_readme(readme: str, results: Results) -> str:
    """README.md with its generated part made anew.

    Raises:
        BadInputError: the two markers are missing.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInputError(
            f"README.md: the markers are missing; put these two lines where the tables belong:\n"
            f"{BEGIN}\n{END}"
        )
    return f"{before}{BEGIN}\n\n{section(results)}\n{END}{after}"


def section(results: Results) -> str:
    """What fits one screen: what was found, of the first server and worker count in figures."""
    rows = results.rows
    # First, so that nobody takes the run for complete.
    warnings = [trust.damage(results), trust.resumed(results.run)]
    if not rows:
        return joined([*warnings, "Nothing was measured."])
    first = rows[0]
    chosen = tables.of_first(rows)
    loaded = design.load(results.run.profile, results.run.varied)
    return joined(
        [
            *warnings,
            picture(chosen),
            headlines.listed(results.effects),
            f"**Requests/s** of {tables.served(first)}, with {loaded}:",
            tables.by_endpoint(chosen, tables.rate_or_word),
            _words(chosen),
            example(chosen),
            caption.brief(results.run, first.server),
        ]
    )


def picture(rows: Sequence[Row]) -> str:
    """The chart, as light or dark as the reader's page, with its figures for who can't see it."""
    figures = "; ".join(f"{row.experiment} {_bare(row)}" for row in rows)
    alt = html.escape(text.line(f"Requests/s of {tables.served_plain(rows[0])}: {figures}"))
    return (
        f'<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="{DARK}">\n'
        f'  <img alt="{alt}" src="{LIGHT}">\n</picture>'
    )


def _bare(row: Row) -> str:
    return tables.rate_or_word(row).replace("*", "")


def example(rows: Sequence[Row]) -> str | None:
    """The first row that is sound and whose users are in two places or more, in a sentence."""
    for row in rows:
        if row.places is None or row.verdict.word is not Word.VALID:
            continue
        if len(set(bar := places.bar(row.places))) > 1 and row.why is not None:
            return (
                f"One row: {text.code(row.cell)} makes {tables.rate(row)} requests/s,"
                f" {text.share(row.share_of_limit)} of its limit. Users: {text.code(bar)}, that is"
                f" {places.users_at(row.places)}. Why: {text.escape(whys.sentence(row.why))}."
            )
    return None


def _words(rows: Sequence[Row]) -> str | None:
    """What the verdicts in the table mean."""
    words = {row.verdict.word.value for row in rows} & MEANINGS.keys()
    told = [f"*{word}*: {meaning}" for word, meaning in MEANINGS.items() if word in words]
    return f"{'; '.join(told)}." if told else None


MEANINGS = {
    "rough": "known less well than asked for, or with a doubt",
    "unstable": "two steady states, both shown",
    "invalid": "no numbers, as each trial measured something else",
    "failed": "did not start, or no request succeeded",
    "skipped": "its environment is missing",
}
