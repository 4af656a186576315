"""What charts are made of: records of rows, their order, and scales that hold them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from bench import axes
from page import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from page.reading import Row

MOST_ROWS = 120  # of one chart: more can't be told apart
Chart = Any  # altair's many kinds of charts
Records = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart, with its link's name."""

    name: str
    title: str
    told: str  # what it shows, in words
    chart: Chart | None  # None: nothing to draw, and ``told`` says why
    note: str = ""


def charted(rows: Sequence[Row]) -> tuple[list[Row], int]:
    """As many rows as a chart can show, whole variants first; and how many it leaves out."""
    variants = dict.fromkeys(variant(row, rows) for row in rows)
    kept: list[Row] = []
    for name in variants:
        found = [row for row in rows if variant(row, rows) == name] if len(rows) <= MOST_ROWS else [
            row for row in rows[: MOST_ROWS * 4] if variant(row, rows) == name
        ]  # fmt: skip
        if kept and len(kept) + len(found) > MOST_ROWS:
            break
        kept += found[:MOST_ROWS]
    return kept, len(rows) - len(kept)


def variant(row: Row, rows: Sequence[Row]) -> str:
    """What runs the application: ``uvicorn, 2 workers``, with the settings that vary."""
    python = f", Python {row.python}" if rows and rows[0].python != rows[-1].python else ""
    told = axes.variant(
        pair
        for pair in row.settings.items()
        if any(pair not in one.settings.items() for one in rows)
    )
    return f"{row.server}, {words.workers(row.workers)}{python}{f', {told}' if told else ''}"


def records(rows: Sequence[Row]) -> Records:
    """A record a row, as the charts use them."""
    return [
        {
            "cell": row.cell,
            "endpoint": words.endpoint(row.endpoint),
            "io": row.io,
            "variant": variant(row, rows),
            "server": row.server,
            "workers": row.workers,
            "settings": axes.variant(row.settings.items()),
            "verdict": row.verdict,
            "value": row.rate.value,
            "low": row.rate.low,
            "high": row.rate.high,
            "shown": words.rate(row),
            "share": row.share_of_limit,
            "first": row.rate.regimes[0] if row.rate.regimes else None,
            "last": row.rate.regimes[-1] if row.rate.regimes else None,
        }
        for row in rows
    ]


def order(found: Records, field: str) -> list[Any]:
    """The levels in declared order."""
    return list(dict.fromkeys(record[field] for record in found))


def logarithmic(values: Sequence[float]) -> dict[str, Any]:
    """A scale that just holds the values, with a line a decade, or at 1, 2 and 5."""
    low, high = min(values) / 1.25, max(values) * 1.25
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    digits = (1,) if len(powers) > 4 else (1, 2, 5)
    ticks = [float(f"{digit}e{power}") for power in powers for digit in digits]
    if not any(low <= tick <= high for tick in ticks):
        ticks = [float(f"{low * 1.25:.3g}"), float(f"{high / 1.25:.3g}")]
    return {
        "scale": alt.Scale(type="log", domain=[low, high], nice=False),
        "axis": alt.Axis(values=[tick for tick in ticks if low <= tick <= high], format="~s"),
    }
