"""How far another machine's clock is from this one's, from messages there and back. Pure.

One exchange: ours when asking, theirs when answering, ours when the answer came. Theirs lies
somewhere between the two of ours, so half the round trip bounds how wrong the middle can be; the
exchange with the smallest round trip bounds it best (Cristian, "Probabilistic clock
synchronization", 1989; NTP's clock filter does the same).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

EXCHANGES = 50  # at least, for one look

Exchange = tuple[int, int, int]  # ns: asked (ours), answered (theirs), heard (ours)


@dataclass(frozen=True, slots=True)
class Offset:
    """One look at another clock."""

    offset_ns: int  # theirs less ours,
    bound_ns: int  # by which that may be wrong
    at_ns: int  # ours


def offset(exchanges: Sequence[Exchange]) -> Offset:
    """From the exchange with the smallest round trip.

    Raises:
        ValueError: there is none, or one was heard before it was asked.
    """
    if not exchanges:
        raise ValueError("no exchange")
    asked, answered, heard = min(exchanges, key=lambda one: one[2] - one[0])
    if heard < asked:
        raise ValueError("an answer came before its question")
    middle = (asked + heard) // 2
    return Offset(answered - middle, (heard - asked + 1) // 2, middle)


def rate(before: Offset, after: Offset) -> tuple[float, float]:
    """By which share their clock runs fast (negative: slow), and how wrong that may be.

    Raises:
        ValueError: no time lies between the two looks.
    """
    elapsed = after.at_ns - before.at_ns
    if elapsed <= 0:
        raise ValueError("no time lies between the two looks")
    fast = (after.offset_ns - before.offset_ns) / elapsed
    return fast, (before.bound_ns + after.bound_ns) / elapsed


def shift(before: Offset, after: Offset) -> tuple[int, int]:
    """What to take from their times between the two looks for ours, and how wrong that may be.

    One number for all times: differences between two of theirs stay what they were. ns.
    """
    bound = max(before.bound_ns, after.bound_ns)
    return (
        (before.offset_ns + after.offset_ns) // 2,
        bound + (abs(after.offset_ns - before.offset_ns) + 1) // 2,
    )
