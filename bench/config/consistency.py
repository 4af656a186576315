"""What only shows between the values of a file.

pydantic looks across values only once each is right; a person wants to hear it all at once. So
this reads the plain values, and is silent where they are of the wrong kind: the model says so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.config.durations import parse_duration
from bench.config.mistakes import one_of
from bench.config.model import is_name
from bench.config.rules import spawn_rate_allowed, window_allowed
from bench.config.settings import AXES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.config.mistakes import Mistake
    from bench.config.source import Loc, Source


def inconsistencies(source: Source) -> Iterator[Mistake]:
    """What is wrong between the values of a file whose values may be wrong themselves."""
    yield from _repeated_levels(source)
    yield from _empty_entries(source)
    profiles = source.at(("profiles",))
    names = [name for name in profiles if is_name(name)] if isinstance(profiles, dict) else []
    default = source.at(("default_profile",))
    if names and is_name(default) and default not in names:
        where = ("default_profile",)
        yield source.mistake(where, source.found(where), one_of(names, default))
    for name in names:
        yield from _unfit_profile(source, ("profiles", name))


def _repeated_levels(source: Source) -> Iterator[Mistake]:
    for axis in AXES:
        levels = source.at(("matrix", axis))
        seen: set[object] = set()
        for index, level in enumerate(levels if isinstance(levels, list) else []):
            loc = ("matrix", axis, index)
            if isinstance(level, dict | list):
                continue
            if (type(level), level) in seen:
                found = source.found(loc)
                effect = f"{found} again, so each cell with {axis} {found} twice"
                yield source.mistake(loc, effect, "each value once")
            seen.add((type(level), level))


def _empty_entries(source: Source) -> Iterator[Mistake]:
    for kind in ("include", "exclude"):
        entries = source.at((kind,))
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if entry == {}:
                yield source.mistake(
                    (kind, index), "an empty mapping", f"values for some of {', '.join(AXES)}"
                )


def _unfit_profile(source: Source, loc: Loc) -> Iterator[Mistake]:
    duration_s, delay_s = _seconds(source, (*loc, "duration")), _seconds(source, ("delay",))
    if duration_s is not None and delay_s is not None:
        allowed = window_allowed(duration_s, delay_s)
        if allowed and duration_s >= 1 and delay_s <= 60:  # else the model has said so
            where = (*loc, "duration")
            yield source.mistake(where, source.found(where), allowed)
    users, rate = source.at((*loc, "users")), source.at((*loc, "spawn_rate"))
    if type(users) is int and users > 0 and isinstance(rate, int | float) and 0 < rate < math.inf:
        allowed = spawn_rate_allowed(users, rate)
        if allowed:
            where = (*loc, "spawn_rate")
            yield source.mistake(where, source.found(where), allowed)


def _seconds(source: Source, loc: Loc) -> float | None:
    value = source.at(loc)
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        return None
