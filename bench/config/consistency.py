"""What only shows between the values of a file, each of which is right by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.config.mistakes import one_of
from bench.config.profiles import profile_mistakes
from bench.config.settings import AXES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.config.mistakes import Mistake
    from bench.config.model import ConfigModel
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
        yield from profile_mistakes(name, profile, source)


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
