"""What is kept of a trial and of a run: the interface between measuring and explaining.

``trials.jsonl`` holds one ``TrialRecord`` a line, ``series.jsonl`` one ``SeriesRecord``,
``controls.jsonl`` one ``ControlRecord``, ``run.json`` one ``RunRecord``: ``bench.records.journal``
reads and writes them.
Figures that cannot be known are None. All are per trial, within its window
unless the name says otherwise, and summed over workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from bench.config import Profile
from bench.stats import Percentile, Steadiness

SCHEMA: Final = 2

AtLeastOne = Annotated[int, Field(ge=1)]  # what shares are taken of


class Outcome(Enum):
    """What became of a trial."""

    MEASURED = "measured"
    FAILED = "failed"
    SKIPPED = "skipped"


class Cause(Enum):
    """Why a trial is made."""

    FIRST = "first"  # every cell once in each of the first passes
    REFINE = "refine"  # its throughput isn't known well enough
    REGIME = "regime"  # its trials lie so far apart that there may be two regimes
    SWING = "swing"  # its rate swings more slowly than its window was long
    AGAIN = "again"  # no trial of it could be used
    ANSWER = "answer"  # an answer that it is part of isn't known well enough


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why a trial is made, and how well its cell was known then."""

    cause: Cause
    half_width: float | None = None  # of the interval, as a share of the value: 0.11 for ± 11 %


FIRST: Final = Purpose(Cause.FIRST)


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """The load and its window. ``ns`` are CLOCK_MONOTONIC."""

    users: AtLeastOne
    delay_s: float  # that each request waits at least; 0 for io kinds that don't wait
    t0_ns: int
    t1_ns: int
    ramp_s: float  # from the first user's start to the last one's
    warmup_s: float  # from there to the window
    duration_s: float  # of the window
    stretch: int = 1  # how many times as long a window as the cell needs at least
    longest_s: float = 0.0  # that a window which follows its cell may get
    round_trip_s: float | None = None  # of a user in the warm-up
    # By users of a locustfile of a person's own: they may wait, and follow redirects.
    theirs: bool = False
    generators: int = 1  # processes of the load generator that had users
    away: int = 0  # of these on other machines,
    clock_bound_ms: float | None = None  # whose times may be so wrong here,
    clock_fast: float | None = None  # and whose clocks run so fast at least (0.01: 1 %)


@dataclass(frozen=True, slots=True)
class Requests:
    """The generator's requests; the first four over the whole trial, the rest in the window."""

    started: int
    succeeded: int
    failed: int
    unfinished: int
    window_succeeded: int
    window_failed: int
    window_unfinished: int  # in flight at the window's end
    oldest_unfinished_ms: float | None
    failure_kinds: Mapping[str, int]  # whole trial
    redirects: int
    unseen: int = 0  # told of only when they had ended: of these nobody knows who still waited


@dataclass(frozen=True, slots=True)
class Latency:
    """Of successful requests; ``mean_by_little_ms`` is users / throughput."""

    p50: Percentile
    p90: Percentile
    p99: Percentile
    mean_measured_ms: float | None
    mean_by_little_ms: float | None


@dataclass(frozen=True, slots=True)
class KindFigures:
    """Of one kind of request in a mix, within the window."""

    name: str
    completed: int  # failures included
    failed: int
    throughput_rps: float
    latency: Latency
    users_avg: float | None = None  # waiting for an answer of this kind, on average


@dataclass(frozen=True, slots=True)
class Threads:
    """Alive is not busy: the pool's gauges tell how many work."""

    spawned: int | None
    active_avg: float | None


@dataclass(frozen=True, slots=True)
class Signals:
    """Measured quantities that explain a number."""

    loop_delay_p50_ms: float | None
    loop_delay_max_ms: float | None
    pool_size: int | None
    pool_busy_avg: float | None
    pool_waiting_avg: float | None
    in_flight_avg: float | None
    server_cores: float | None
    server_cores_tapered: float | None  # with the weight that throughput has
    server_ms_per_request: float | None
    generator_cores: float | None
    generator_late_p99_ms: float | None  # of a timer in the generator
    delay_server_cores: float | None
    harness_cores: float | None
    foreign_cores: float | None  # of the CPUs that the trial may use, as is the next
    steal_cores: float | None
    rss_mb: float | None
    upstream_in_flight_avg: float | None
    upstream_in_flight_peak: int | None  # whole trial
    overshoot_p50_ms: float | None  # of calls served in the window, as the following
    overshoot_p99_ms: float | None
    worker_shares: Mapping[str, float]  # of handler calls, by process id
    # Share of the window it could run but had no core; of several processes the busiest one.
    generator_waited: float | None = None
    generator_busiest: float | None = None  # cores of that one; None: there is one process alone
    threads_alive: tuple[int, ...] = ()  # at the window's start, middle and end
    quota_throttled_s: float | None = None  # by the container's CPU quota, in the window
    heat_throttles: int | None = None  # of any core, in the window
    handler_min_ms: float | None = None  # the fastest call; None where any request failed
    # Of CPUs that the server has for itself; None where it shares all that the trial may use.
    server_foreign_cores: float | None = None
    server_steal_cores: float | None = None
    threads_before: int | None = None  # alive in all workers before the load
    # The loop was still blocked at the window's end, so the maximum may have grown further.
    loop_delay_open: bool = False
    harness_cores_tapered: float | None = None  # with the weight that throughput has
    database_cores: float | None = None  # of one of ours, of a cell that asks it


@dataclass(frozen=True, slots=True)
class Places:
    """Where the users are, on average over the window with throughput's own weight.

    Those that are known add up to all users. A place is a difference of what two parties saw, so
    one that is empty may come out a little below 0; ``bench.analysis.places`` tells when that is
    too far below.
    """

    generator: float | None = None  # between two requests
    way: float | None = None  # sent, and not yet in the application, or out of it and not yet back
    # Waiting for a thread: before the handler if that is a `def`, else in it.
    thread_queue: float | None = None
    before: float | None = None  # in the application otherwise, the handler not begun
    upstream: float | None = None  # in the handler: at the delay server
    # In the handler otherwise; all of it where the delay server's part is unknown.
    handler: float | None = None
    after: float | None = None  # in the application still, the handler done
    inside: float | None = None  # stands for the last five where handlers can't be seen


@dataclass(frozen=True, slots=True)
class WorkerSignals:
    """One worker's own, over the window; figures that can't be known are None."""

    pid: int
    share: float | None = None  # of the handler calls of all workers
    cores: float | None = None  # of the whole process
    loop_cores: float | None = None  # of the loop's thread,
    loop_waited: float | None = None  # and the share of time that it could run but had no core
    # Share of the window in which the loop was held up: time to each heartbeat that came more
    # than 5 ms late, from the one before. They come whatever the loop does, so they see its average
    # state (Wolff, "Poisson arrivals see time averages", Operations Research 30, 1982).
    loop_held_share: float | None = None
    pool_size: int | None = None
    pool_busy_avg: float | None = None  # with throughput's own weight, as the following
    queued_avg: float | None = None  # waiting for a thread
    inside_avg: float | None = None  # requests inside the application
    executor_threads: int | None = None  # of pools beside anyio's; None: there is none
    executor_waiting_avg: float | None = None  # tasks that wait for one of them


@dataclass(frozen=True, slots=True)
class Counters:
    """Three parties count the same requests, over the whole trial.

    They may differ only by what was in flight when the load stopped.
    """

    generator_started: int  # the generator's own counter
    generator_recorded: int  # its records
    app_started: int | None  # requests that entered the application
    app_finished: int | None
    handlers_begun: int | None  # records in the thread log
    handlers_ended: int | None
    log_lost: int | None  # handler calls that the log had no room for
    upstream_calls: int  # expected for each handler call
    upstream_started: int | None
    upstream_served: int | None
    upstream_cancelled: int | None
    # Requests that ended, of several generator processes as locust's master counted them.
    generator_counted: int | None = None
    handlers_seen: bool = True  # False of a person's own application, whose calls aren't logged


@dataclass(frozen=True, slots=True)
class Audit:
    """How the server treats its connections, as found in its workers and not as asked for."""

    connections: int  # accepted ones that were looked at, of all workers,
    nodelay: int  # and those of them with TCP_NODELAY
    backlog: int | None  # the smallest of all listening sockets
    open_files: int | None  # the smallest of all limits
    log_bytes_per_request: float | None  # that it wrote while under load


@dataclass(frozen=True, slots=True)
class Process:
    """The server as it ran."""

    argv: tuple[str, ...]
    workers: tuple[int, ...]  # process ids at the start of the load
    workers_after: tuple[int, ...]  # those alive, or come up since, at its end
    loop: str | None
    http: str | None
    cpus: tuple[int, ...] | None = None  # that the workers may run on
    delay_exit: int | None = None  # exit status of the delay server, should it have ended
    audit: Audit | None = None  # None: no worker has told


@dataclass(frozen=True, slots=True)
class OpenLoad:
    """Of a load whose requests come whether or not others are answered; in the window."""

    rate: float  # requests/s that were asked for
    arrivals: str  # poisson or constant
    due: int  # requests
    behind: int  # of these, not sent when the window ended
    # By which they were sent after they were due, and by how much the p99 of the latencies would be
    # less if they counted from then; None: none was due.
    late_p50_ms: float | None
    late_p99_ms: float | None
    late_in_p99_ms: float | None
    in_system_avg: float  # requests due and not yet answered


@dataclass(frozen=True, slots=True)
class Measured:
    """All that a trial which ran to its end has to say."""

    load: LoadSettings
    requests: Requests
    throughput_rps: float
    failures_rps: float
    steadiness: Steadiness | None  # None: not known
    latency: Latency
    threads: Threads
    signals: Signals
    counters: Counters
    process: Process
    locust: Mapping[str, float | None]  # the generator's own statistics, to set beside ours
    places: Places | None = None
    per_worker: tuple[WorkerSignals, ...] = ()  # by process id
    kinds: tuple[KindFigures, ...] = ()  # of a mix of requests, in the order of its file
    open: OpenLoad | None = None  # None: the load was a closed one

    @property
    def population(self) -> float:
        """Users, each in one place at a time; of an open load its requests, on average."""
        return float(self.load.users) if self.open is None else self.open.in_system_avg


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One timed run of one cell. ``measured`` is None when it failed or was skipped."""

    # A figure that is no number was never measured.
    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    schema: Literal[2]
    run: str
    index: int  # its place in the plan
    round: int  # or pass
    cell: str
    experiment: str
    endpoint: str
    io: str
    server: str
    workers: AtLeastOne
    python: str
    started: str  # ISO 8601, UTC
    wall_s: float
    outcome: Outcome
    reason: str | None  # why it failed or was skipped
    phases_s: Mapping[str, float]  # how long each step of the trial took
    measured: Measured | None
    twin: bool = False  # the second entry of the cell that a round has twice (A/A)
    purpose: Purpose = FIRST
    # Levels of the axes that its file may leave out (`bench.axes.SETTINGS`), those that it has.
    settings: Mapping[str, str] = field(default_factory=dict)
    host: int = 0  # of a merged run: its place among the run's hosts
    away: bool = False  # of a reference cell, on a host that has not the cells it is compared with


@dataclass(frozen=True, slots=True)
class LatencyCurve:
    """The share of the window's requests that took at most so long: a staircase of a few points.

    It allows for the requests that the window saw only in part, as the percentiles do.
    """

    ms: tuple[float, ...]  # ascending
    below: tuple[float, ...]  # the share at each; from one to the next it stays what it is
    known_to_ms: float  # beyond it no percentile can be told; 0: none at all


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """What a measured trial looked like from its first user's start to the stop.

    ``t_s`` are the middles of equal bins that fill that time; each list has a value for each bin,
    None where it isn't known.
    """

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    schema: Literal[2]
    run: str
    index: int  # these four as the trial's own record has them
    round: int
    cell: str
    twin: bool
    t0_s: float  # the window, as all times since the first user's start
    t1_s: float
    stop_s: float  # when the first request was cut off
    t_s: tuple[float, ...]
    throughput_rps: tuple[float, ...]  # good answers
    in_flight: tuple[float, ...]  # sent and not yet answered, as the generator saw them
    # The latest that a look found the heartbeat of any worker's loop.
    loop_delay_ms: tuple[float | None, ...]
    pool_busy: tuple[float | None, ...]  # threads of all workers' pools
    pool_waiting: tuple[float | None, ...]  # tasks that wait for one
    server_cores: tuple[float | None, ...]
    latency: LatencyCurve
    # Why the trial isn't clean, as the reports say it; as far as it can be told from itself.
    disturbances: tuple[str, ...]
    argv: tuple[str, ...]  # the server's command
    host: int = 0  # of a merged run: its place among the run's hosts


@dataclass(frozen=True, slots=True)
class ControlRecord:
    """The generator straight at the delay server: ``bench.run.control``."""

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    schema: Literal[2]
    run: str
    when: Literal["start", "end"]  # of the run
    wait_ms: int
    users: int
    reason: str | None  # why it failed; then all below are None
    throughput_rps: float | None = None
    p50_ms: float | None = None
    generator_cores: float | None = None
    delay_server_cores: float | None = None
    generators: int = 1  # processes of the load generator
    host: int = 0  # of a merged run: its place among the run's hosts


@dataclass(frozen=True, slots=True)
class Host:
    """The machine; ``bench.run.host.machine`` says how each fact is found, None where it isn't."""

    cpu: str
    cores: AtLeastOne  # that may be used, by affinity and quota
    cores_of_machine: int | None
    affinity: int | None
    cgroup_quota: float | None
    memory_gb: float
    system: str
    kernel: str
    os: str
    architecture: str
    governor: str | None
    load_before: tuple[float, ...]
    open_files: int


@dataclass(frozen=True, slots=True)
class Resumption:
    """The run was resumed although something had changed: it is not of one piece."""

    at: str  # ISO 8601, UTC
    done: int  # trials measured before
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """Of which plan a run is a part."""

    number: AtLeastOne
    of: AtLeastOne
    plan_hash: str  # of the whole
    cells: tuple[str, ...]  # of the whole
    own: tuple[str, ...]  # that no other part has but as references
    references: tuple[str, ...]  # that all parts have


@dataclass(frozen=True, slots=True)
class MergedHost:
    """Where a part of a merged run was measured."""

    host: Host
    run: str  # the part's own id
    shard: AtLeastOne  # its number
    placement: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What was run, on what: written when the run starts, completed when it ends.

    If it was resumed despite changes, it describes what was found then.
    """

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    schema: Literal[2]
    id: str
    command: str  # matrix or single
    plan_hash: str
    started: str
    finished: str | None
    cells: tuple[str, ...]  # in declared order
    trials: int
    profile: Profile
    seed: int
    probe: bool
    git: Mapping[str, Any]
    host: Host
    environments: Mapping[str, Mapping[str, Any]]
    # Asked for, and the CPUs of server, generator and delay; none: they share all.
    placement: Mapping[str, Any] = field(default_factory=dict)
    # What measures and is measured: the hash of each part's source files.
    sources: Mapping[str, str] = field(default_factory=dict)
    # Levels of axes (`bench.axes.SETTINGS`) that all cells have alike, so that no id tells them.
    settings: Mapping[str, str] = field(default_factory=dict)
    varied: tuple[str, ...] = ()  # those of these axes that ids tell
    resumed: tuple[Resumption, ...] = ()
    shard: ShardRecord | None = None  # of a part of a plan
    hosts: tuple[MergedHost, ...] = ()  # of a run that was merged of such; `host` is the first
    missing: tuple[int, ...] = ()  # parts that it was merged without


@dataclass(frozen=True, slots=True)
class Damage:
    """A record that can't be used, or one too many."""

    place: str  # file and line: trials.jsonl:17
    what: str  # what is wrong with it

    def __str__(self) -> str:
        return f"{self.place} is corrupt ({self.what})"
