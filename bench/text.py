"""Numbers, names and messages as a person reads them, safe for where they are shown.

Scaling (ms to s, shares to per cent) happens here and nowhere before.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.stats import Percentile

NONE = "–"
MS_PER_S = 1000.0
APART = 1.2  # times, from which on both ends of an interval are told
_BARE_ADDRESS = re.compile(r"(?i)www\.|:/(?=/)|@(?=\S)")


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


def percentile(found: Percentile) -> str:
    """The value; ``1.2 s to 2.9 s`` where it is known less well; ``> x``; or a dash.

    ``~ x`` where nothing tells how well it is known.
    """
    if found.value_ms is None:
        return NONE if found.over_ms is None else f"> {milliseconds(found.over_ms)}"
    if found.low_ms is None:
        return f"~ {milliseconds(found.value_ms)}"
    if found.high_ms is None:
        return f"> {milliseconds(found.low_ms)}"
    if found.high_ms <= APART * found.low_ms:
        return milliseconds(found.value_ms)
    return f"{milliseconds(found.low_ms)} to {milliseconds(found.high_ms)}"


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


def clock(seconds: float) -> str:
    """``2:05``, ``1:02:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def line(text: str) -> str:
    """Text from anywhere as one line for a terminal: nothing in it moves the cursor."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def escape(text: str) -> str:
    """Text from anywhere, safe in a Markdown table cell: no markup, one line."""
    text = line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\`*_[]|~#$":
        text = text.replace(character, f"\\{character}")
    # GitHub makes links of bare addresses, too.
    return _BARE_ADDRESS.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", text)


def code(text: str) -> str:
    """A name in a code span in a table; a backtick or a bar can't end the span or the cell."""
    return f"`{(line(text) or NONE).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def shown(text: str, most: int = 80) -> str:
    """Text from outside, fit for one line of a message: escaped, shortened, never empty."""
    escaped = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text[: most + 1]
    )
    if len(escaped) > most:
        return escaped[: most - 3] + "..."
    return escaped or '""'
