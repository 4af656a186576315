"""What only shows between the values of a file, each of which is right by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.config.mistakes import one_of
from bench.config.rules import spawn_rate_allowed, window_allowed
from bench.config.settings import AXES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.config.mistakes import Mistake
    from bench.config.model import ConfigModel, ProfileModel
    from bench.config.source import Loc, Source


def inconsistencies(model: ConfigModel, source: Source) -> Iterator[Mistake]:
    """What is wrong between values; ``source`` tells where they stand."""
    yield from _repeated_levels(model, source)
    yield from _empty_entries(model, source)
    if model.default_profile not in model.profiles:
        where: Loc = ("default_profile",)
        allowed = one_of([*model.profiles], model.default_profile)
        yield source.mistake(where, source.found(where), allowed)
    for name, profile in model.profiles.items():
        yield from _profile(name, profile, source)


def _profile(name: str, profile: ProfileModel, source: Source) -> Iterator[Mistake]:
    place: Loc = ("profiles", name)
    given = profile.model_fields_set
    if {"budget", "rounds"} <= given:
        found = f"{source.found((*place, 'rounds'))} beside a budget"
        yield source.mistake((*place, "rounds"), found, "one of budget and rounds")
    if not {"budget", "rounds"} & given:
        allowed = "one of them: budget: 12m for a run, or rounds: 6 for each cell"
        yield source.mistake(place, "neither budget nor rounds", allowed)
    rules = {
        "duration": window_allowed(profile.duration, profile.delay),
        # A window that is given has no use for the longest.
        "longest": None if "duration" in given else window_allowed(profile.longest, profile.delay),
        "spawn_rate": spawn_rate_allowed(profile.users, profile.spawn_rate),
    }
    for key, fits in rules.items():
        if fits is not None:  # of a key that is there: defaults fit all delays
            where = (*place, key)
            yield source.mistake(where, source.found(where), fits)


def _repeated_levels(model: ConfigModel, source: Source) -> Iterator[Mistake]:
    for axis in AXES:
        levels = getattr(model.matrix, axis)
        for index, level in enumerate(levels):
            if level in levels[:index]:
                where = ("matrix", axis, index)
                found = source.found(where)
                effect = f"{found} again, so each cell with {axis} {found} twice"
                yield source.mistake(where, effect, "each value once")


def _empty_entries(model: ConfigModel, source: Source) -> Iterator[Mistake]:
    for kind in ("include", "exclude"):
        for index, entry in enumerate(getattr(model, kind)):
            if not entry.model_fields_set:
                allowed = f"values for some of {', '.join(AXES)}"
                yield source.mistake((kind, index), "an empty mapping", allowed)
