"""Whether the users' places can be right."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.records.model import Places

BELOW = 0.02  # of all users


def faulty(places: Places, users: float) -> tuple[str, ...]:
    """The places with less than nobody in them, by more than two looks at one moment may differ.

    That is a fault of ours: a party counts what the party around it doesn't.
    """
    known = {name: found for name, found in asdict(places).items() if found is not None}
    return tuple(name for name, found in known.items() if found < -BELOW * users)


def complete(places: Places | None) -> Places | None:
    """Those that add up to all users; None without the probe, which sees where the rest are."""
    return places if places is not None and places.way is not None else None
