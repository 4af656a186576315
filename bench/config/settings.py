"""The configuration as the rest of the harness knows it: checked, in base units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bench.config.machines import Machine  # noqa: TC001 - part of `Profile`, which pydantic reads
from locustfiles.arrivals import POISSON
from locustfiles.layout import LONGEST_RAMP_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.config.target import Target

Level = str | int | float  # one value of an axis; of `delay` in s

ENDPOINTS = ("sync", "async", "async_sync")
LOOPS = ("uvloop", "asyncio")
WAYS = ("turns", "trials")  # how a question's cells are held against each other
VERBS = ("slower", "faster", "same")
NEEDED = ("endpoint", "io", "workers", "server")  # each cell has a level of these
AXES = (*NEEDED, "python", "loop", "threads", "cores", "delay", "users")
TARGET_NEEDED = ("request", "server", "workers")  # of one's own application
TARGET_AXES = (*TARGET_NEEDED, "python", "loop", "threads", "cores", "users")

PRECISION = 0.10
LONGEST_S = 20.0
IN_FLIGHT = 1000
AT_ONCE = 100_000.0  # users/s


@dataclass(frozen=True, slots=True)
class Known:
    """The names a configuration may use: io kinds (files in app/io) and servers (lock files)."""

    io_kinds: tuple[str, ...]
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Axes:
    """The lists under `matrix`; those that a cell needn't have are empty where not given."""

    endpoint: tuple[str, ...]
    io: tuple[str, ...]
    workers: tuple[int, ...]
    server: tuple[str, ...]
    python: tuple[str, ...]
    order: tuple[str, ...]  # as declared: the first varies slowest
    line: int
    request: tuple[str, ...] = ()  # of one's own application, in place of endpoint and io
    loop: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    cores: tuple[int, ...] = ()  # that the server may use
    delay: tuple[float, ...] = ()  # s
    users: tuple[int, ...] = ()

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
    """Named load settings.

    Either `budget_s` says how long a run may take, or `rounds` how often each cell is measured.
    What is None of `spawn_rate`, `warmup_s` and `duration_s` follows each trial's cell.
    """

    name: str
    users: int
    delay_s: float  # that the delay server waits
    budget_s: float | None = None
    rounds: int | None = None
    precision: float = PRECISION  # 0.1: each throughput to within 10 %
    longest_s: float = LONGEST_S  # a window that follows its cell, and its warm-up, at most
    spawn_rate: float | None = None  # users/s
    warmup_s: float | None = None
    duration_s: float | None = None  # of the window
    # Requests/s of an open load; None: a closed one, whose users ask again once they are answered.
    rate: float | None = None
    arrivals: str = POISSON  # of an open load: poisson or constant,
    in_flight: int = IN_FLIGHT  # and how many of its requests may be in flight at once
    # Processes of the load generator; None: one, and more for a cell that it can't load.
    generators: int | None = None
    machines: tuple[Machine, ...] = ()  # other ones, where they run instead
    # Where the servers under test listen; None: on loopback alone. Not recorded, as their names.
    listen: Annotated[str | None, Field(exclude=True)] = field(default=None, compare=False)

    @property
    def generators_here(self) -> int | None:
        """Processes of the load generator on this machine: of others but their master."""
        return 1 if self.machines else self.generators

    @property
    def at_once(self) -> int:
        """Requests that can be in flight at once."""
        return self.users if self.rate is None else self.in_flight


def fixed(users: int, warmup_s: float, duration_s: float, *, delay_s: float = 1.0) -> Profile:
    """A profile of one round whose users all start at once: for controls and self-checks."""
    return Profile(
        name="fixed",
        users=users,
        delay_s=delay_s,
        rounds=1,
        spawn_rate=AT_ONCE,
        warmup_s=warmup_s,
        duration_s=duration_s,
    )


def ramp_s(users: int, spawn_rate: float) -> float:
    """Seconds from the first user's start to the last one's."""
    return (users - 1) / spawn_rate


def load_takes_s(profile: Profile) -> float:
    """Ramp, warm-up and window at most, in s."""
    rate = profile.spawn_rate
    ramp = LONGEST_RAMP_S if rate is None else ramp_s(profile.users, rate)
    rest = (profile.warmup_s, profile.duration_s)
    return ramp + sum(profile.longest_s if part is None else part for part in rest)


@dataclass(frozen=True, slots=True)
class Held:
    """Cells of side ``b`` held against those of ``a``, sides as `versus` takes them."""

    a: str
    b: str
    says: str  # what b is, in words
    than: str  # what a is


@dataclass(frozen=True, slots=True)
class Question:
    """What `nox -s ask` answers."""

    asks: str
    links: tuple[str, ...]  # where people ask it
    by: str  # turns or trials
    contests: tuple[Held, ...]  # the first is the answer
    do: Mapping[str, str]  # by what became of the first: slower, faster, same


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
    default_profile: str
    profiles: Mapping[str, Profile]
    known: Known
    axes_replaced: bool = False
    target: Target | None = None  # one's own application; None: the one here
    question: Question | None = None

    @property
    def needed_axes(self) -> tuple[str, ...]:
        """Those of which each cell has a level."""
        return NEEDED if self.target is None else TARGET_NEEDED
