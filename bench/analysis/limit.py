"""What arithmetic allows a cell at most (docs/why.md), in requests/s."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.model import Measured, TrialRecord

# Threads of anyio's default limiter, where the gauge could not be read.
DEFAULT_POOL = 40
FEWEST = 2  # trials, for the fastest of them to say anything


def limit_rps(trials: Sequence[tuple[TrialRecord, Measured]], cores: int) -> float | None:
    """The most that this cell could do; None where nothing bounds it that was measured.

    Where nothing waits it is the cores that it may use over the CPU of its fastest trial. Of a
    single trial that is the throughput itself over the share of the cores it used: no limit.
    """
    if not trials:
        return None
    trial, measured = trials[0]
    if measured.load.delay_s > 0:
        return delay_limit_rps(trial, measured)
    costs_ms = [m.signals.server_ms_per_request for _, m in trials]
    known = [cost_ms for cost_ms in costs_ms if cost_ms]
    if len(known) < FEWEST:
        return None
    usable = max(usable_cores(trial, m, cores) for trial, m in trials)
    return usable / (min(known) / 1e3)


def delay_limit_rps(trial: TrialRecord, measured: Measured) -> float | None:
    """What the delay allows; None where nothing waits, or as many as come wait at once."""
    delay_s = measured.load.delay_s
    if measured.open is not None and trial.endpoint == "async":
        return None
    return _concurrency(trial, measured) / delay_s if delay_s > 0 else None


def usable_cores(trial: TrialRecord, measured: Measured, cores: int) -> float:
    """Cores that the server may use.

    A worker runs Python on one at a time, unless its interpreter has no lock (PEP 703); what its
    threads do outside the interpreter (system calls, TLS set-up) may take it beyond, so at least
    what it did use.
    """
    allowed = cores if measured.process.cpus is None else min(cores, len(measured.process.cpus))
    if free_threaded(trial.python):
        return float(allowed)
    return min(float(allowed), max(float(trial.workers), measured.signals.server_cores or 0.0))


def free_threaded(python: str) -> bool:
    """Whether it is a build without the interpreter's lock, as its name ends: ``3.14t``."""
    return python.endswith("t")


def _concurrency(trial: TrialRecord, measured: Measured) -> int:
    """Requests that can be waiting for the delay at the same time."""
    users = measured.load.users
    match trial.endpoint:
        case "sync":
            pool = measured.signals.pool_size or DEFAULT_POOL * trial.workers
            return min(users, pool)
        case "async_sync":
            return min(users, trial.workers)
        case _:
            return users
