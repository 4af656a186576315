"""The configuration as the rest of the harness knows it: checked, in base units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Level = str | int  # one value of an axis

ENDPOINTS = ("sync", "async", "async_sync")
AXES = ("endpoint", "io", "workers", "server", "python")
NEEDED_AXES = AXES[:-1]


@dataclass(frozen=True, slots=True)
class Known:
    """The names a configuration may use: io kinds (files in app/io) and servers (lock files)."""

    io_kinds: tuple[str, ...]
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Axes:
    """The lists under `matrix`; `python` is empty when it isn't varied."""

    endpoint: tuple[str, ...]
    io: tuple[str, ...]
    workers: tuple[int, ...]
    server: tuple[str, ...]
    python: tuple[str, ...]
    order: tuple[str, ...]  # as declared: the first varies slowest
    line: int

    def levels(self) -> dict[str, tuple[Level, ...]]:
        """Each axis that is given, with its values, in declared order."""
        return {axis: getattr(self, axis) for axis in self.order}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of `include` or `exclude`: values for some of the axes, and where it stands."""

    key: str  # include[0]
    line: int
    levels: Mapping[str, Level]


@dataclass(frozen=True, slots=True)
class Profile:
    """Named load settings."""

    name: str
    users: int
    spawn_rate: float  # users/s
    warmup_s: float
    duration_s: float  # of the window
    rounds: int

    @property
    def ramp_s(self) -> float:
        """Seconds from the first user to the last."""
        return ramp_s(self.users, self.spawn_rate)


def ramp_s(users: int, spawn_rate: float) -> float:
    """Seconds Locust takes to spawn the users; 0 when the rate covers them at once.

    Locust spawns batches of `floor(rate)` users, at least one, the first at once
    (`UsersDispatcher` in locust/dispatch.py).
    """
    batch = max(1, math.floor(spawn_rate))
    return (math.ceil(users / batch) - 1) * batch / spawn_rate


@dataclass(frozen=True, slots=True)
class Config:
    """experiments.yaml, whole and checked.

    `axes_replaced`: options have replaced axes, so entries of `include` and `exclude` may be
    without effect, which is an error in a file as written.
    """

    path: Path
    matrix: Axes
    include: tuple[Entry, ...]
    exclude: tuple[Entry, ...]
    delay_s: float
    default_profile: str
    profiles: Mapping[str, Profile]
    known: Known
    axes_replaced: bool = False
