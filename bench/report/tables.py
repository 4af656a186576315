"""The tables: the seed's shape (scenarios as columns), the matrix (a row a cell), a small one."""

from __future__ import annotations

import math
from statistics import geometric_mean
from typing import TYPE_CHECKING

from tabulate import tabulate

from bench import axes, text
from bench.report import fairness, whys
from bench.report.places import bar
from bench.report.reasons import remarks, sentences
from bench.text import NONE, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.analysis.rows import Row

ENDPOINTS = {"sync": "`def`", "async": "`async def`", "async_sync": "`async def`, blocking"}
MATRIX_HEADINGS = (
    "cell",
    "requests/s",
    "of limit",
    "p50",
    "p99",
    "failed",
    "unfinished",
    "CPU ms/req",
    "threads",
    "verdict",
    "users",
    "why",
)


def scenario_table(rows: Sequence[Row]) -> tuple[str, str]:
    """One server at one worker count, its experiments as columns; gives (caption, table).

    The server, worker count and machine of the first row: the ones listed first.
    """
    chosen = of_first(rows)
    lines: list[tuple[str, list[str]]] = [
        ("requests", [_count(row.requests) for row in chosen]),
        ("failures", [_failures(row) for row in chosen]),
        ("unfinished at the end", [number(row.unfinished) for row in chosen]),
        ("requests/s", [rate(row) for row in chosen]),
        ("latency, median", [text.percentile(row.p50) for row in chosen]),
        ("latency, p90", [text.percentile(row.p90) for row in chosen]),
        ("latency, p99", [text.percentile(row.p99) for row in chosen]),
        ("threads spawned", [number(row.threads_spawned) for row in chosen]),
        ("average active threads", [number(row.threads_active_avg) for row in chosen]),
        ("verdict", [row.verdict.word.value for row in chosen]),
    ]
    table = tabulate(
        [[name, *values] for name, values in lines],
        headers=["", *(text.code(row.experiment) for row in chosen)],
        tablefmt="github",
        disable_numparse=True,
        colalign=("left", *("right" for _ in chosen)),
    )
    return served(rows[0]), table


def by_endpoint(rows: Sequence[Row], cell: Callable[[Row], str]) -> str:
    """A line an io kind, a column a way to write the endpoint; `cell` says what stands in it.

    The rows differ in nothing else.
    """
    found = {(row.endpoint, row.io): row for row in rows}
    endpoints = [one for one in ENDPOINTS if any(row.endpoint == one for row in rows)]
    return tabulate(
        [
            [text.code(io), *(cell(row) if (row := found.get((one, io))) else NONE
                              for one in endpoints)]
            for io in dict.fromkeys(row.io for row in rows)
        ],
        headers=["", *(ENDPOINTS[endpoint] for endpoint in endpoints)],
        tablefmt="github",
        disable_numparse=True,
        colalign=("left", *("right" for _ in endpoints)),
    )  # fmt: skip


def of_first(rows: Sequence[Row]) -> list[Row]:
    """Those of the server, worker count and Python that are listed first."""
    first = rows[0]
    return [
        row
        for row in rows
        if (row.server, row.workers, row.python, row.settings, row.host)
        == (first.server, first.workers, first.python, first.settings, first.host)
    ]


def served(row: Row) -> str:
    """``uvicorn, 1 worker``, fit for a table."""
    return text.escape(served_plain(row))


def served_plain(row: Row) -> str:
    """The same for where no markup is read."""
    workers = "1 worker" if row.workers == 1 else f"{row.workers} workers"
    return ", ".join([row.server, workers, *(axes.told(*one) for one in row.settings.items())])


def matrix_table(rows: Sequence[Row]) -> str:
    """Every cell, in declared order; of several machines with the machine's number."""
    several = len({row.host for row in rows}) > 1
    return tabulate(
        [
            [f"{cell} on {row.host + 1}" if several else cell, *line]
            for row in rows
            for cell, *line in [_matrix_line(row)]
        ],
        headers=MATRIX_HEADINGS,
        tablefmt="github",
        disable_numparse=True,
        colalign=("left", *("right" for _ in MATRIX_HEADINGS[1:9]), "left", "left", "left"),
    )


def ran(rows: Sequence[Row]) -> list[fairness.Ran]:
    """The servers of rows whose trials' workers have told how they ran."""
    return [
        fairness.Ran(
            row.server,
            row.workers,
            row.python,
            row.fairness,
            row.background.worker_shares,
            row.settings.get("loop"),
        )
        for row in rows
        if row.fairness is not None
    ]


def servers_table(rows: Sequence[Row]) -> str | None:
    """How each server ran, as found in the workers of the rows' trials; None: none has told."""
    found = ran(rows)
    if not found:
        return None
    return tabulate(
        [[text.escape(cell) for cell in line] for line in fairness.grid(found)],
        headers=fairness.HEADINGS,
        tablefmt="github",
        disable_numparse=True,
        colalign=(*("left",) * 5, *("right",) * 3),
    )


def _matrix_line(row: Row) -> list[str]:
    if not row.verdict.usable:
        # The reason stands in place of the numbers.
        reason = text.escape("; ".join(sentences(row.verdict)))
        blanks = [NONE] * (len(MATRIX_HEADINGS) - 4)
        return [text.code(row.cell), *blanks, row.verdict.word.value, NONE, reason]
    return [
        text.code(row.cell),
        rate(row),
        text.share(row.share_of_limit),
        text.percentile(row.p50),
        text.percentile(row.p99),
        _failures(row),
        number(row.unfinished),
        number(row.cpu_ms_per_request),
        number(row.threads_spawned),
        row.verdict.word.value,
        text.code(bar(row.places)) if row.places is not None else NONE,
        text.escape(whys.of_row(row) or ""),
    ]


def notes(rows: Sequence[Row]) -> list[str]:
    """What must be known of single rows: doubts, kinds of failures, withheld percentiles."""
    found = []
    for row in rows:
        parts: list[str] = []
        if row.verdict.usable:
            parts += [*sentences(row.verdict), *remarks(row.verdict)]
            if row.failure_kinds:
                kinds = ", ".join(f"{count} × {name}" for name, count in row.failure_kinds)
                parts.append(f"failures over the whole trial: {kinds}")
            parts += _withheld(row)
        if parts:
            found.append(f"{text.code(row.cell)}: {text.escape('; '.join(parts))}")
    return found


def _withheld(row: Row) -> list[str]:
    """Why percentiles are missing; one reason is told once."""
    named = (("p50", row.p50), ("p90", row.p90), ("p99", row.p99))
    reasons: dict[str, list[str]] = {}
    for name, found in named:
        if found.value_ms is None and found.reason:
            reasons.setdefault(found.reason, []).append(name)
    return [f"{', '.join(names)} withheld: {reason}" for reason, names in reasons.items()]


def rate(row: Row) -> str:
    """The throughput with how well it is known, or both of two."""
    if row.regimes is not None:
        low, high = (geometric_mean(part) for part in (row.regimes.low, row.regimes.high))
        return f"{number(low)} or {number(high)}"
    found = row.throughput_rps
    if found is None:
        return NONE
    if found.low is None or found.high is None:
        return number(found.value)
    half_width = math.expm1(math.log(found.high / found.low) / 2)
    return f"{number(found.value)} ± {half_width:.0%}"


def rate_or_word(row: Row) -> str:
    """The throughput, and the verdict unless that is valid; the verdict alone where none is."""
    word = row.verdict.word.value
    if not row.verdict.usable:
        return f"*{word}*"
    return rate(row) if word == "valid" else f"{rate(row)} *{word}*"


def _failures(row: Row) -> str:
    if row.failures is None or row.requests is None:
        return NONE
    if not row.failures or row.requests <= 0:
        return f"{row.failures:,}"
    return f"{row.failures:,} ({row.failures / row.requests:.1%})"


def _count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"
