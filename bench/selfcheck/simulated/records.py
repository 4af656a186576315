"""Trial records with simulated throughputs: all else in them is what nobody would doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.config import Profile
from bench.records.model import (
    SCHEMA,
    Counters,
    Latency,
    LoadSettings,
    Measured,
    Outcome,
    Process,
    Requests,
    Signals,
    Threads,
    TrialRecord,
)
from bench.stats import Percentile, Steadiness

if TYPE_CHECKING:
    from bench.plan import PlannedTrial
    from bench.selfcheck.simulated.cells import Drawn

PROFILE = Profile("simulated", users=50, delay_s=0.2, budget_s=720.0)
CORES = 2

_UNKNOWN = Percentile(None, None, None)
_MEASURED = Measured(
    load=LoadSettings(
        users=PROFILE.users,
        delay_s=0.0,
        t0_ns=0,
        t1_ns=2_000_000_000,
        ramp_s=0.0,
        warmup_s=1.0,
        duration_s=2.0,
        longest_s=PROFILE.longest_s,
    ),
    requests=Requests(
        started=1050,
        succeeded=1000,
        failed=0,
        unfinished=50,
        window_succeeded=500,
        window_failed=0,
        window_unfinished=50,
        oldest_unfinished_ms=10.0,
        failure_kinds={},
        redirects=0,
    ),
    throughput_rps=1.0,
    failures_rps=0.0,
    steadiness=None,
    latency=Latency(_UNKNOWN, _UNKNOWN, _UNKNOWN, None, None),
    threads=Threads(spawned=1, active_avg=1.0),
    signals=Signals(
        loop_delay_p50_ms=0.0,
        loop_delay_max_ms=1.0,
        pool_size=40,
        pool_busy_avg=0.0,
        pool_waiting_avg=0.0,
        in_flight_avg=50.0,
        server_cores=0.5,
        server_cores_tapered=0.5,
        server_ms_per_request=1.0,
        generator_cores=0.1,
        generator_late_p99_ms=0.5,
        delay_server_cores=0.0,
        harness_cores=0.0,
        foreign_cores=0.0,
        steal_cores=0.0,
        rss_mb=100.0,
        upstream_in_flight_avg=None,
        upstream_in_flight_peak=None,
        overshoot_p50_ms=None,
        overshoot_p99_ms=None,
        worker_shares={"1": 1.0},
    ),
    counters=Counters(
        generator_started=1050,
        generator_recorded=1050,
        app_started=1050,
        app_finished=1000,
        handlers_begun=1050,
        handlers_ended=1000,
        log_lost=0,
        upstream_calls=0,
        upstream_started=0,
        upstream_served=0,
        upstream_cancelled=0,
    ),
    process=Process(argv=(), workers=(1,), workers_after=(1,), loop="uvloop", http="httptools"),
    locust={},
)


def record(
    planned: PlannedTrial, drawn: Drawn, wall_s: float, *, disturbed: bool, computes: bool
) -> TrialRecord:
    """Of one trial, whose throughput in requests/s is the exponential of what was drawn."""
    cell, rate = planned.cell, float(np.exp(drawn.log))
    load = replace(
        _MEASURED.load,
        duration_s=drawn.window_s,
        t1_ns=int(drawn.window_s * 1e9),
        stretch=planned.stretch,
    )
    signals = replace(
        _MEASURED.signals,
        harness_cores_tapered=float(np.exp(drawn.clock)),
        server_cores=float(min(CORES, cell.workers)) if computes else 0.1,
    )
    if disturbed:
        signals = replace(signals, foreign_cores=float(CORES))
    return TrialRecord(
        schema=SCHEMA,
        run="simulated",
        index=planned.index,
        round=planned.round,
        cell=cell.id,
        experiment=cell.experiment,
        endpoint=cell.endpoint,
        io=cell.io,
        server=cell.server,
        workers=cell.workers,
        python="3.12",
        started="",
        wall_s=wall_s,
        outcome=Outcome.MEASURED,
        reason=None,
        phases_s={},
        measured=replace(
            _MEASURED,
            load=load,
            throughput_rps=rate,
            steadiness=Steadiness(rate, rate, rate, rate, drawn.error, drawn.swings),
            signals=signals,
        ),
        twin=planned.twin,
        purpose=planned.purpose,
    )
