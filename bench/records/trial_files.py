"""The JSON files in a trial's folder, typed: written by the harness and the users, read once.

``trial.json`` is what the harness noted, ``generator.json`` what the load generator says of itself,
``samples.jsonl`` the harness's looks from outside. Whatever is read of them has passed these types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from app.probe.layout import GAUGE_WORDS
from bench.config import Profile

Page = Annotated[list[int], Field(min_length=GAUGE_WORDS)]  # words of app.probe.layout


@dataclass(frozen=True, slots=True)
class InFlight:
    """Requests inside the delay server; their average is the page's to tell (`Look`)."""

    peak: int  # since the last reset


@dataclass(frozen=True, slots=True)
class Overshoot:
    """By how much longer than asked the delay server waited: a histogram since the last reset."""

    buckets: list[tuple[int, int]]  # the middle of each, ns, and how many calls it has; ascending


@dataclass(frozen=True, slots=True)
class UpstreamCounts:
    """What the delay server answers to ``GET /stats`` (go_delay/stats.go)."""

    monotonic_ns: int
    started: int
    served: int
    cancelled: int
    in_flight: InFlight
    overshoot_ms: Overshoot


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counters since the machine or the container started; None where there is none to read."""

    quota_s: float | None
    heat: int | None  # how often a core was slowed down


@dataclass(frozen=True, slots=True)
class Sockets:
    """What a worker found of its own sockets (app/probe/sockets.py)."""

    connections: int  # accepted ones that it looked at,
    nodelay: int  # and those of them with TCP_NODELAY
    backlog: int | None  # the smallest of its listening sockets
    open_files: int  # its limit
    http: str | None = None  # the parser that it has loaded


@dataclass(slots=True)
class TrialFacts:
    """Filled in as the trial goes on, and written whatever happens."""

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    profile: Profile
    delay_s: float
    phase: float = 0.5  # of its start and its window, as bench.run.pacing has it; and the next
    stretch: int = 1
    round_trip_s: float | None = None  # of a user in the warm-up
    failure: str | None = None  # why it failed
    started: str = ""  # ISO 8601, UTC
    wall_s: float = 0.0
    argv: list[str] = field(default_factory=list)
    workers: list[int] = field(default_factory=list)
    workers_after: list[int] = field(default_factory=list)
    # The CPUs that a group may run on, by its name; none: all that we may use.
    cpus: dict[str, list[int]] = field(default_factory=dict)
    loop: str | None = None
    http: str | None = None
    route_index: int = -1
    upstream_calls: int = 0
    waits: bool = False  # takes at least the delay
    threaded: bool = False  # the handler is a `def`, which runs in a thread of the pool
    own: bool = False  # a person's own application: handlers are not seen
    theirs: bool = False  # and its users are those of a locustfile of that person's
    kinds: list[str] = field(default_factory=list)  # of its requests, by number in requests.bin
    generators: list[int] = field(default_factory=list)  # processes here that have users
    # Those on other machines: the numbers of their processes, and on which machine each was.
    away: dict[int, str] = field(default_factory=dict)
    # Gauge words by worker when the gate opened, and when all was over.
    gauges_before: dict[str, Page] = field(default_factory=dict)
    gauges_after: dict[str, Page] = field(default_factory=dict)
    gate_ns: int = 0
    t0_ns: int = 0
    t1_ns: int = 0
    # The delay server's counts at the window's two ends and after the trial.
    upstream_t0: UpstreamCounts | None = None
    upstream_t1: UpstreamCounts | None = None
    upstream_after: UpstreamCounts | None = None
    # What held processes back until the window's two ends (bench.run.host.throttle).
    throttle_t0: Throttle | None = None
    throttle_t1: Throttle | None = None
    delay_exit: int | None = None  # of the delay server, should it have ended
    sockets: dict[str, Sockets] = field(default_factory=dict)  # by worker
    # Of the server's own output: before the load, and after it.
    log_bytes: tuple[int, int] | None = None
    phases_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GeneratorSummary:
    """What the load generator says of itself (locustfiles/users.py)."""

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    started: int
    first_spawn_ns: int
    spawned_ns: int
    failure_kinds: Mapping[int, str]
    lateness_ns: list[tuple[int, int]]  # of a timer: when it was due, how late it was
    locust: Mapping[str, float | None]  # its own statistics
    # Of a locustfile of somebody's own (locustfiles/theirs.py): the names of its requests, by
    # number in requests.bin, and how many were told of only when they had ended.
    kinds: list[str] = field(default_factory=list)
    unseen: int = 0
    record_words: Literal[3, 4] = 3  # of its file; 4 of an open load
    # Of a process on another machine: when, CPU seconds, seconds that it could run but had no core
    # (-1: not known).
    usage: list[tuple[int, float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ClockLook:
    """One look of the master at a worker's clock (locustfiles/clocks.py)."""

    offset_ns: int
    bound_ns: int
    at_ns: int
    exchanges: int


@dataclass(frozen=True, slots=True)
class MasterSummary:
    """What locust's master says of several processes (locustfiles/leader.py)."""

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    parts: int  # processes, numbered from 0
    started: int  # as they told the master
    recorded: int
    locust: Mapping[str, float | None]  # its own statistics of all of them
    # Of each on another machine: looks at its clock before and after the load.
    clocks: Mapping[int, list[ClockLook]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupUsage:
    """One group of processes."""

    cpu_s: Mapping[str, float]  # CPU seconds since their start, by process id
    rss: int  # resident bytes of all together


@dataclass(frozen=True, slots=True)
class CpuUse:
    """Of a set of CPUs, seconds since the machine started."""

    busy_s: float
    steal_s: float


@dataclass(frozen=True, slots=True)
class LoopTime:
    """What became of the time of one worker's loop's thread, seconds since its start (Linux)."""

    cpu_s: float
    waited_s: float  # could run but had no core


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a trial from outside."""

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    ns: int
    gauges: Mapping[str, Page]  # by worker
    groups: Mapping[str, GroupUsage]
    # By the set's name: `trial`, all CPUs that the trial may use; `server`, the server's own.
    machine: Mapping[str, CpuUse]
    # Seconds that each generator process could run but had no core; of whom it is known.
    generators_waited_s: Mapping[str, float] = field(default_factory=dict)
    loops: Mapping[str, LoopTime] = field(default_factory=dict)  # by worker; of whom it is known
    # Time integral of the requests inside the delay server, request·ns from the gate on.
    upstream_ns: int | None = None


TRIAL_FACTS: Final = TypeAdapter(TrialFacts)
GENERATOR_SUMMARY: Final = TypeAdapter(GeneratorSummary)
MASTER_SUMMARY: Final = TypeAdapter(MasterSummary)
LOOK: Final = TypeAdapter(Look)
SOCKETS: Final = TypeAdapter(Sockets)
UPSTREAM_COUNTS: Final[TypeAdapter[UpstreamCounts]] = TypeAdapter(UpstreamCounts)


def to_json(adapter: TypeAdapter[Any], value: object) -> str:
    """As the file holds it."""
    return adapter.dump_json(value).decode()
