"""What is kept of a trial and of a run: the interface between measuring and explaining.

``trials.jsonl`` holds one ``TrialRecord`` a line, ``run.json`` one ``RunRecord``.
Figures that cannot be known are None. All are per trial, within its window
unless the name says otherwise, and summed over workers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from bench.config import Profile
from bench.config.findings import shown
from bench.plausible import implausible
from bench.problem import BadInput
from bench.stats import Percentile

SCHEMA: Final = 1

AtLeastOne = Annotated[int, Field(ge=1)]  # what shares are taken of


@dataclass(frozen=True, slots=True)
class Load:
    """The load and its window. ``ns`` are CLOCK_MONOTONIC."""

    users: int
    spawn_rate: float
    warmup_s: float
    duration_s: float
    delay_s: float  # that each request waits at least; 0 for io kinds that don't wait
    t0_ns: int
    t1_ns: int
    ramp_s: float  # from the first user's start to the last one's


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


@dataclass(frozen=True, slots=True)
class Latency:
    """Of successful requests; ``mean_by_little_ms`` is users / throughput."""

    p50: Percentile
    p90: Percentile
    p99: Percentile
    mean_measured_ms: float | None
    mean_by_little_ms: float | None


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
    server_ms_per_request: float | None
    generator_cores: float | None
    generator_late_p99_ms: float | None  # of a timer in the generator
    delay_server_cores: float | None
    harness_cores: float | None
    foreign_cores: float | None
    steal_cores: float | None
    rss_mb: float | None
    upstream_in_flight_avg: float | None
    upstream_in_flight_peak: int | None  # whole trial
    overshoot_p50_ms: float | None  # whole trial, as the following
    overshoot_p99_ms: float | None
    worker_shares: Mapping[str, float]  # of handler calls, by process id


@dataclass(frozen=True, slots=True)
class Books:
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


@dataclass(frozen=True, slots=True)
class Process:
    """The server as it ran."""

    argv: tuple[str, ...]
    workers: tuple[int, ...]  # process ids at the start of the load
    workers_after: tuple[int, ...]  # those alive, or come up since, at its end
    loop: str | None
    http: str | None


@dataclass(frozen=True, slots=True)
class Measured:
    """All that a trial which ran to its end has to say."""

    load: Load
    requests: Requests
    throughput_rps: float
    failures_rps: float
    latency: Latency
    threads: Threads
    signals: Signals
    books: Books
    process: Process
    locust: Mapping[str, float | None]  # the generator's own statistics, to set beside ours


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One timed run of one cell. ``measured`` is None when it failed or was skipped."""

    # A figure that is no number was never measured.
    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    schema: Literal[1]
    run: str
    index: int  # its place in the plan
    round: int
    cell: str
    experiment: str
    endpoint: str
    io: str
    server: str
    workers: AtLeastOne
    python: str
    started: str  # ISO 8601, UTC
    wall_s: float
    outcome: str  # measured, failed or skipped
    reason: str | None  # why it failed or was skipped
    phases_s: Mapping[str, float]  # how long each step of the trial took
    measured: Measured | None
    twin: bool = False  # the second entry of the cell that a round has twice (A/A)


@dataclass(frozen=True, slots=True)
class ControlRecord:
    """The generator straight at the delay server: ``bench.run.control``."""

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    schema: Literal[1]
    run: str
    when: str  # start or end, of the run
    wait_ms: int
    users: int
    reason: str | None  # why it failed; then all below are None
    throughput_rps: float | None = None
    p50_ms: float | None = None
    generator_cores: float | None = None
    delay_server_cores: float | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """The machine: ``bench.run.host`` says how each fact is found; None where it can't be."""

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
class RunRecord:
    """What was run, on what: written when the run starts, completed when it ends."""

    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    schema: Literal[1]
    id: str
    command: str  # matrix or single
    plan_hash: str
    fingerprint: str  # of the environments, the application and the host
    started: str
    finished: str | None
    cells: tuple[str, ...]  # in declared order
    trials: int
    profile: Profile
    seed: int
    delay_s: float
    probe: bool
    git: Mapping[str, Any]
    host: Host
    environments: Mapping[str, Mapping[str, Any]]


_TRIAL = TypeAdapter(TrialRecord)
_CONTROL = TypeAdapter(ControlRecord)
_RUN = TypeAdapter(RunRecord)


def append(path: Path, record: TrialRecord | ControlRecord) -> None:
    """Append one line and sync it: what has been measured is never lost.

    Raises:
        OSError: it could not be written (disk full).
    """
    adapter: TypeAdapter[Any] = _TRIAL if isinstance(record, TrialRecord) else _CONTROL
    line = json.dumps(adapter.dump_python(record, mode="json"), separators=(",", ":")) + "\n"
    with path.open("ab") as file:
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def read_trials(path: Path) -> tuple[TrialRecord, ...]:
    """All trials of a run, in the order they ran.

    Raises:
        BadInput: a line is no record of this schema; it names file and line.
    """
    return tuple(_lines(path, _TRIAL))


def read_controls(path: Path) -> tuple[ControlRecord, ...]:
    """All controls of a run, in the order they ran; none where there is no such file.

    Raises:
        BadInput: a line is no record of this schema; it names file and line.
    """
    return tuple(_lines(path, _CONTROL)) if path.exists() else ()


def _lines(path: Path, adapter: TypeAdapter[Any]) -> Iterator[Any]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"{path}: can't be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        yield _parse(line, adapter, f"{path}:{number}")


def _parse(line: bytes, adapter: TypeAdapter[Any], place: str) -> Any:
    try:
        found = adapter.validate_json(line)
    except ValidationError as error:
        raise BadInput(f"{place}: {_first_fault(error)}") from error
    if fault := implausible(found):
        raise BadInput(f"{place}: {shown(fault, 200)}")
    return found


def write_run(path: Path, run: RunRecord) -> None:
    """Replace ``run.json`` whole."""
    write_whole(path, json.dumps(_RUN.dump_python(run, mode="json"), indent=1) + "\n")


def read_run(path: Path) -> RunRecord:
    """The run's record.

    Raises:
        BadInput: it can't be read, or is of another schema.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: can't be read: {error.strerror}") from error
    found: RunRecord = _parse(content, _RUN, str(path))
    return found


def write_whole(path: Path, text: str) -> None:
    """Write to a temporary name and rename, so a reader sees the old file or the new."""
    draft = path.parent / f".{path.name}.{os.getpid()}"
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "the whole"
    told = f"{shown(where, 200)}: {shown(fault['msg'], 300)}"
    return f"{told}; it is no record of schema {SCHEMA} that this version wrote"
