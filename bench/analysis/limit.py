"""What arithmetic allows a cell at most (docs/measurement.md), in requests/s."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.records.model import Measured, TrialRecord

# Threads of anyio's default limiter, where the gauge could not be read.
DEFAULT_POOL = 40


def limit_rps(trial: TrialRecord, measured: Measured, cores: int) -> float | None:
    """The most that this cell could do; None where nothing bounds it that was measured."""
    delay_s = measured.load.delay_s
    if delay_s <= 0:
        return _cpu_limit_rps(trial, measured, cores)
    return _concurrency(trial, measured) / delay_s


def usable_cores(trial: TrialRecord, measured: Measured, cores: int) -> float:
    """Cores that the server may use.

    A worker runs Python on one at a time; what its threads do outside the
    interpreter (system calls, TLS set-up) may take it beyond, so at least what it did use.
    """
    allowed = cores if measured.process.cpus is None else min(cores, len(measured.process.cpus))
    return min(float(allowed), max(float(trial.workers), measured.signals.server_cores or 0.0))


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


def _cpu_limit_rps(trial: TrialRecord, measured: Measured, cores: int) -> float | None:
    cost_ms = measured.signals.server_ms_per_request
    return None if not cost_ms else usable_cores(trial, measured, cores) / (cost_ms / 1e3)
