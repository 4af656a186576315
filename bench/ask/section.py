"""An answer as it is kept: all that its reports are made from, and nothing to compute any more."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from bench.report import fairness, places, tables
from bench.text import NONE, percentile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.analysis.rows import Row
    from bench.ask.answer import Answer

SCHEMA = 1
SOURCES = ("*.yaml", "*.py")  # of a question: what an answer is made from


@dataclass(frozen=True, slots=True)
class Part:
    """One contest: ``ratio`` times what ``than`` takes, ``says`` takes."""

    says: str
    than: str
    where: str  # what both have in common
    outcome: str  # slower, faster, same, not known yet
    ratio: float | None  # None: not known at all
    low: float | None  # 95 % confidence interval
    high: float | None
    how: str
    measure: str  # what a request takes: time per request, or CPU per request of the server
    sentence: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One cell, in text."""

    cell: str
    throughput: str  # requests/s
    p50: str
    verdict: str
    users: str  # where they are, ten letters


@dataclass(frozen=True, slots=True)
class Section:
    """One question's answer."""

    schema: int
    question: str
    asks: str
    links: tuple[str, ...]
    do: str | None  # None where the first contest isn't known
    contests: tuple[Part, ...]
    cells: tuple[Seen, ...]
    served: tuple[tuple[str, ...], ...]  # how each server ran, as `bench.report.fairness.HEADINGS`
    about: str  # when, on what, with which versions; Markdown
    budget_s: float  # that it had
    sources_sha256: str  # of the question's files


SECTION = TypeAdapter(Section)
SECTIONS = TypeAdapter(tuple[Section, ...])


def section(
    answer: Answer, rows: Sequence[Row], *, about: str, budget_s: float, sources: str
) -> Section:
    """What is kept of an answer; ``about``, ``budget_s`` and ``sources`` as `Section` has them."""
    return Section(
        schema=SCHEMA,
        question=answer.name,
        asks=answer.asks,
        links=answer.links,
        do=answer.do,
        contests=tuple(
            Part(
                says=one.says,
                than=one.than,
                where=one.where,
                outcome=one.outcome.value,
                ratio=_digits(one.ratio),
                low=_digits(one.low),
                high=_digits(one.high),
                how=one.how,
                measure=one.measure,
                sentence=one.sentence,
            )
            for one in answer.told
        ),
        cells=tuple(_seen(row) for row in rows),
        served=_served(rows),
        about=about,
        budget_s=budget_s,
        sources_sha256=sources,
    )


def fingerprint(folder: Path) -> str:
    """Of a question's files: an answer with another one is of another question."""
    whole = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in folder.glob(pattern)):
        whole.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _seen(row: Row) -> Seen:
    usable = row.verdict.usable
    return Seen(
        cell=row.cell,
        throughput=tables.rate(row) if usable else NONE,
        p50=percentile(row.p50) if usable else NONE,
        verdict=row.verdict.word.value,
        users=NONE if row.places is None else places.bar(row.places),
    )


def _served(rows: Sequence[Row]) -> tuple[tuple[str, ...], ...]:
    """Only where servers or their workers differ: else they tell nothing of the answer."""
    if len({(row.server, row.workers) for row in rows}) < 2:
        return ()
    return tuple(tuple(line) for line in fairness.grid(tables.ran(rows)))


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
