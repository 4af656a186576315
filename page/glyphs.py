"""Small pictures inside the table, as SVG without styles of its own: the policy allows none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.report.places import LETTERS
from page.embed import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from page.reading import Row

BAR, INTERVAL, HEIGHT, EDGE = 150, 96, 16, 4
LETTER_FITS = 12  # a part this wide


def users_bar(row: Row, told: str) -> str:
    """Where the users are, as shares of one bar; parts of under half a per cent are left out."""
    total = sum(row.users_at.values())
    if total <= 0:
        return ""
    parts, x = [], 0.0
    for place, letter in LETTERS.items():
        width = BAR * row.users_at.get(place, 0.0) / total
        if width >= BAR / 200:
            letters = (
                f'<text x="{x + width / 2:.1f}" y="12" class="l-{place}">{letter}</text>'
                if width >= LETTER_FITS
                else ""
            )
            rect = f'<rect x="{x:.1f}" width="{width:.1f}" height="{HEIGHT}" class="p-{place}"/>'
            parts.append(rect + letters)
        x += width
    return (
        f'<svg class="bar" viewBox="0 0 {BAR} {HEIGHT}" role="img">'
        f"<title>{text(told)}</title>{''.join(parts)}</svg>"
    )


def bounds(rows: Iterable[Row]) -> tuple[float, float]:
    """The least and the greatest figure of all rows: the ends of the common logarithmic axis."""
    known = [
        value
        for row in rows
        for value in (row.rate.value, row.rate.low, row.rate.high, *row.rate.regimes)
        if value is not None and value > 0
    ]
    return (min(known), max(known)) if known else (1.0, 10.0)


def interval(row: Row, ends: tuple[float, float]) -> str:
    """The value and its interval on an axis that all rows share; two regimes: two hollow marks."""
    rate = row.rate
    if rate.value is None and not rate.regimes:
        return ""
    if rate.regimes:
        low, high = (_x(value, ends) for value in (rate.regimes[0], rate.regimes[-1]))
        marks = "".join(
            f'<circle cx="{_x(value, ends):.1f}" cy="6" r="3" class="hollow"/>'
            for value in rate.regimes
        )
        line = f'<path d="M{low:.1f} 6H{high:.1f}" class="apart"/>'
    else:
        value = rate.value or 0.0
        low, high = (_x(end or value, ends) for end in (rate.low, rate.high))
        marks = f'<circle cx="{_x(value, ends):.1f}" cy="6" r="2.5" class="dot"/>'
        line = f'<path d="M{low:.1f} 6H{high:.1f}M{low:.1f} 2v8M{high:.1f} 2v8" class="whisker"/>'
    return (
        f'<svg class="interval" viewBox="0 0 {INTERVAL} 12" aria-hidden="true">'
        f'<path d="M0 6H{INTERVAL}" class="axis"/>{line}{marks}</svg>'
    )


def _x(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    if value <= 0 or high <= low:
        return INTERVAL / 2
    share = math.log(value / low) / math.log(high / low)
    return EDGE + (INTERVAL - 2 * EDGE) * min(1.0, max(0.0, share))
