"""Durations and shares as people write them, `500ms`, `6s`, `1m`, `10%`, and as numbers."""

from __future__ import annotations

import re
from decimal import Decimal

# [0-9] since \d takes the digits of any script; limited, so that a float holds it exactly
PATTERN = r"[0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m)"
ALLOWED = "a number with a unit such as 500ms, 6s, 1m"
PERCENTAGE = r"[0-9]{1,4}(\.[0-9]{1,3})?%"

_DURATION = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,3})?)(?P<unit>ms|s|m)")
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60)}


def parse_duration(text: str) -> float:
    """Seconds of `500ms`, `1.5s`, `6s` or `1m`.

    Raises:
        ValueError: for anything else, a bare number included; its text is what is allowed.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(ALLOWED)
    return float(Decimal(match["number"]) * _SECONDS[match["unit"]])


def parse_percentage(text: str) -> float:
    """0.1 of `10%`.

    Raises:
        ValueError: for anything else, a bare number included; its text is what is allowed.
    """
    if re.fullmatch(PERCENTAGE, text) is None:
        raise ValueError("a percentage such as 10%")
    return float(Decimal(text.removesuffix("%")) / 100)


def format_percentage(share: float) -> str:
    """`10%` of 0.1."""
    return f"{_plain(Decimal(repr(float(share))) * 100)}%"


def format_duration(seconds: float) -> str:
    """The usual way to write so many seconds (finite, not negative).

    `parse_duration` reads it back, from microseconds to days.
    """
    exact = Decimal(repr(float(seconds)))
    if exact and exact % 60 == 0:
        return f"{_plain(exact / 60)}m"
    whole_ms = exact * 1000 == (exact * 1000).to_integral_value()
    if exact == 0 or (exact >= 1 and whole_ms):
        return f"{_plain(exact)}s"
    return f"{_plain(exact * 1000)}ms"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
