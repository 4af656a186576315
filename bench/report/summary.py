"""One screen of a run, for the summary of a CI job: answers, a small table, and where users are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tabulate import tabulate

from bench import text
from bench.analysis.effects import SAME
from bench.report import caption, design, places, tables, trust
from bench.report.answers import sentence, told
from bench.report.markdown import verdicts
from bench.text import NONE, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.effects import Effect
    from bench.analysis.results import Results
    from bench.analysis.rows import Row

FEW = 3  # parts of an answer that are told one by one
MOST = 12  # answers; the rest is in the report
ENDPOINTS = {"sync": "`def`", "async": "`async def`", "async_sync": "blocking `async def`"}


def summary(results: Results) -> str:
    """Markdown; what is missing is said before anything else."""
    rows = results.rows
    head = [
        f"## Run {text.code(results.run.id)}",
        trust.damage(results),
        trust.resumed(results.run),
    ]
    if not rows:
        return _joined([*head, "Nothing was measured."])
    return _joined(
        [
            *head,
            answers(results),
            _title(results),
            table(rows),
            places.LEGEND,
            f"{verdicts(rows)} {caption.cores_note(results.run)}",
        ]
    )


def answers(results: Results) -> str | None:
    """A line an effect, the questions about `async def` first, as the effects are."""
    if not results.effects:
        return None
    lines = [f"- {_answer(effect)}" for effect in results.effects[:MOST]]
    rest = len(results.effects) - MOST
    more = f"\n- {rest} more: reports/latest.md has them" if rest > 0 else ""
    return (
        "\n".join(lines)
        + more
        + f"\n\n*The same* is within {SAME:.0%}, *not known yet* neither that nor beyond."
    )


def _answer(effect: Effect) -> str:
    """The sentence; where pairs of cells disagree in many ways, how far apart they are."""
    if len(effect.parts) <= FEW:
        return sentence(effect, text.code)
    head, _ = told(effect, text.code)
    parts = sorted(effect.parts, key=lambda part: part.ratio)
    least, most = (f"{number(part.ratio)}×" for part in (parts[0], parts[-1]))
    kinds = ", ".join(
        f"{count} {word}"
        for word, count in Counter(part.outcome.value for part in effect.parts).items()
    )
    return f"{head}: {least} to {most}, by what it is measured with ({kinds})"


def table(rows: Sequence[Row]) -> str:
    """A line an io kind, a column a way to write the endpoint: of the server listed first."""
    first = rows[0]
    found = {
        (row.endpoint, row.io): row
        for row in rows
        if (row.server, row.workers, row.python) == (first.server, first.workers, first.python)
    }
    endpoints = [one for one in ENDPOINTS if any(endpoint == one for endpoint, _ in found)]
    return tabulate(
        [
            [text.code(io), *(_cell(found.get((endpoint, io))) for endpoint in endpoints)]
            for io in dict.fromkeys(io for _, io in found)
        ],
        headers=["", *(ENDPOINTS[endpoint] for endpoint in endpoints)],
        tablefmt="github",
        disable_numparse=True,
    )


def _cell(row: Row | None) -> str:
    """The figure, its verdict unless that is valid, and the bar; no figure where there is none."""
    if row is None:
        return NONE
    word = row.verdict.word.value
    if not row.verdict.usable:
        return f"*{word}*"
    rate = tables.rate(row) if word == "valid" else f"{tables.rate(row)} *{word}*"
    return rate if row.places is None else f"{rate}<br>{text.code(places.bar(row.places))}"


def _title(results: Results) -> str:
    first = results.rows[0]
    workers = "1 worker" if first.workers == 1 else f"{first.workers} workers"
    return (
        f"**Requests/s**, and where the users are, of {text.escape(first.server)}, {workers}, with"
        f" {design.load(results.run.profile)}:"
    )


def _joined(parts: Sequence[str | None]) -> str:
    return "\n\n".join(part for part in parts if part is not None) + "\n"
