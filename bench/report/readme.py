"""The part of README.md that is generated: the chart, five answers, one small table."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from tabulate import tabulate

from bench import text
from bench.analysis.effects import SAME
from bench.analysis.verdict import Word
from bench.errors import BadInputError
from bench.report import caption, design, places, tables, trust, whys
from bench.report.headlines import headlines
from bench.report.markdown import joined
from bench.text import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.results import Results
    from bench.analysis.rows import Row

BEGIN = "<!-- tables: begin (made by `nox -s readme`; do not edit) -->"
END = "<!-- tables: end -->"
LIGHT, DARK = "reports/chart-light.svg", "reports/chart-dark.svg"
ENDPOINTS = {"sync": "`def`", "async": "`async def`", "async_sync": "`async def`, blocking"}
BARE = {"sync": "def", "async": "async def", "async_sync": "async def, blocking"}


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
    return joined(
        [
            *warnings,
            picture(chosen),
            answers(results),
            f"**Requests/s** of {tables.served(first)}, with {design.load(results.run.profile)}:",
            rates(chosen),
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


def answers(results: Results) -> str | None:
    """At most five, a line each, with what they are."""
    told = headlines(results.effects, text.code)
    if not told:
        return None
    lines = "\n".join(f"- **{question}:** {answer}" for question, answer in told)
    return (
        f"{lines}\n\n2.00× is twice the throughput, all else equal, with its 95 % confidence"
        f" interval; *the same* is within {SAME:.0%}, *not known yet* neither that nor beyond."
    )


def rates(rows: Sequence[Row]) -> str:
    """A line an io kind, a column a way to write the endpoint."""
    found = {(row.endpoint, row.io): row for row in rows}
    endpoints = [one for one in ENDPOINTS if any(row.endpoint == one for row in rows)]
    kinds = list(dict.fromkeys(row.io for row in rows))
    return tabulate(
        [
            [text.code(io), *(_rate(found.get((endpoint, io))) for endpoint in endpoints)]
            for io in kinds
        ],
        headers=["", *(ENDPOINTS[endpoint] for endpoint in endpoints)],
        tablefmt="github",
        disable_numparse=True,
        colalign=("left", *("right" for _ in endpoints)),
    )


def _rate(row: Row | None) -> str:
    """The figure, and its verdict unless that is valid; no figure where there is none."""
    if row is None:
        return NONE
    word = row.verdict.word.value
    if not row.verdict.usable:
        return f"*{word}*"
    return tables.rate(row) if word == "valid" else f"{tables.rate(row)} *{word}*"


def _bare(row: Row) -> str:
    return _rate(row).replace("*", "")


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
