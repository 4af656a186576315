"""Numbers as a person reads them. Scaling happens here and nowhere before."""

from __future__ import annotations

import math

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
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def milliseconds(value: float | None) -> str:
    """A time: in ms below a second, in s from there on."""
    if value is None:
        return NONE
    if float(f"{value:.3g}") >= MS_PER_S:
        return f"{number(value / MS_PER_S)} s"
    return f"{number(value)} ms"
