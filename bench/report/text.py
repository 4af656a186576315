"""Numbers and names as a person reads them. Scaling happens here and nowhere before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.stats import Percentile

NONE = "–"
MS_PER_S = 1000.0


def number(value: float | None, digits: int = 3) -> str:
    """A number to so many significant digits, never in exponent form."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    if float(value).is_integer():
        return f"{rounded:,.0f}"
    if abs(rounded) >= 10 ** (digits - 1):
        return f"{rounded:,.0f}"
    decimals = digits - 1
    limit = abs(rounded)
    while limit >= 10:
        limit /= 10
        decimals -= 1
    while limit < 1 and decimals < digits + 3:
        limit *= 10
        decimals += 1
    return f"{rounded:.{decimals}f}"


def milliseconds(value: float | None) -> str:
    """A time: in ms below a second, in s from there on."""
    if value is None:
        return NONE
    if value >= MS_PER_S:
        return f"{number(value / MS_PER_S)} s"
    return f"{number(value)} ms"


def percentile(found: Percentile) -> str:
    """The value, or ``> x``, or a dash where nothing is known."""
    if found.value_ms is not None:
        return milliseconds(found.value_ms)
    return NONE if found.over_ms is None else f"> {milliseconds(found.over_ms)}"


def share(value: float | None) -> str:
    """A share in whole per cent."""
    return NONE if value is None else f"{value:.0%}"


def duration(seconds: float) -> str:
    """``11 min 20 s``, ``45 s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def escape(text: str) -> str:
    """Text from anywhere, safe in a Markdown table cell: no markup, one line."""
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\`*_[]|~#":
        text = text.replace(character, f"\\{character}")
    return text


def code(text: str) -> str:
    """A name in a code span; a backtick or a bar in it can't end the span or the cell."""
    return f"`{' '.join(text.split()).replace('`', chr(39)).replace('|', '&#124;')}`"
