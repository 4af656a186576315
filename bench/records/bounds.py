"""Numbers that no measurement gives: recorded ones are held to this before anything is reckoned.

Within these limits every sum, ratio and logarithm of the analysis is a finite number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass

LARGEST = 1e19  # nanoseconds of 300 years
SMALLEST = 1e-50  # beside 0: differences of floats may be small, but not so small
_ALLOWED = "0, or a size of 1e-50 to 1e19"


def implausible(value: object) -> str | None:
    """Where the first such number stands and what it is; None if there is none."""
    if value is None or isinstance(value, str | bytes):
        return None
    if isinstance(value, int | float):
        return None if _plausible(value) else f"found {_said(value)}, allowed: {_ALLOWED}"
    for name, part in _parts(value):
        if fault := implausible(part):
            return f"{name}{': ' if fault.startswith('found ') else '.'}{fault}"
    return None


def _parts(value: object) -> list[tuple[str, object]]:
    if is_dataclass(value):
        return [(name, getattr(value, name)) for name in value.__dataclass_fields__]
    if isinstance(value, Mapping):
        return [(str(key), part) for key, part in value.items()]
    if isinstance(value, Sequence):
        return [(str(index), part) for index, part in enumerate(value)]
    return []


def _plausible(value: float) -> bool:
    # An int of any length can be compared with a float, but not made one.
    return value == 0 or (abs(value) <= LARGEST and abs(value) >= SMALLEST)


def _said(value: float) -> str:
    return "a whole number of over 19 digits" if type(value) is int else f"{value:g}"
