"""Records as a run leaves them, with sensible figures; tests name only what they are about."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from bench.config import Profile
from bench.records.model import (
    SCHEMA,
    Counters,
    Host,
    Latency,
    LatencyCurve,
    LoadSettings,
    Measured,
    Outcome,
    Places,
    Process,
    Requests,
    RunRecord,
    SeriesRecord,
    Signals,
    Threads,
    TrialRecord,
    WorkerSignals,
)
from bench.stats import Percentile, Steadiness

# 100 users for 6 s on `sync_http`: 40 threads that wait 1 s each.
_SECTIONS: dict[str, Any] = {
    "load": LoadSettings(
        users=100,
        warmup_s=3.0,
        duration_s=6.0,
        delay_s=1.0,
        t0_ns=4_000_000_000,
        t1_ns=10_000_000_000,
        ramp_s=0.0,
    ),
    "requests": Requests(
        started=460,
        succeeded=360,
        failed=0,
        unfinished=100,
        window_succeeded=234,
        window_failed=0,
        window_unfinished=100,
        oldest_unfinished_ms=2500.0,
        failure_kinds={},
        redirects=0,
    ),
    "latency": Latency(
        p50=Percentile(2570.0, None, None),
        p90=Percentile(2610.0, None, None),
        p99=Percentile(2650.0, None, None),
        mean_measured_ms=2560.0,
        mean_by_little_ms=2570.7,
    ),
    "threads": Threads(spawned=41, active_avg=41.0),
    "signals": Signals(
        loop_delay_p50_ms=0.4,
        loop_delay_max_ms=6.0,
        pool_size=40,
        pool_busy_avg=39.6,
        pool_waiting_avg=58.3,
        in_flight_avg=99.0,
        server_cores=0.21,
        server_cores_tapered=0.21,
        server_ms_per_request=5.4,
        generator_cores=0.12,
        generator_late_p99_ms=1.2,
        delay_server_cores=0.01,
        harness_cores=0.02,
        foreign_cores=0.01,
        steal_cores=0.0,
        rss_mb=61.5,
        upstream_in_flight_avg=38.9,
        upstream_in_flight_peak=40,
        overshoot_p50_ms=0.3,
        overshoot_p99_ms=1.1,
        worker_shares={"4711": 1.0},
    ),
    "counters": Counters(
        generator_started=460,
        generator_recorded=460,
        app_started=460,
        app_finished=400,
        handlers_begun=440,
        handlers_ended=400,
        log_lost=0,
        upstream_calls=1,
        upstream_started=440,
        upstream_served=400,
        upstream_cancelled=40,
    ),
    "process": Process(
        argv=("python", "-m", "uvicorn", "app.main:app"),
        workers=(4711,),
        workers_after=(4711,),
        loop="uvloop",
        http="httptools",
    ),
}

_MEASURED = Measured(
    **_SECTIONS,
    throughput_rps=38.9,
    failures_rps=0.0,
    steadiness=Steadiness(
        tapered_rps=38.9,
        plain_rps=39.0,
        first_half_rps=39.2,
        second_half_rps=38.8,
        error=0.004,
        swings=False,
    ),
    locust={"requests": 360.0, "median_ms": 2600.0},
    places=Places(
        generator=0.0,
        way=1.6,
        thread_queue=58.0,
        before=0.5,
        upstream=38.9,
        handler=0.7,
        after=0.3,
    ),
    per_worker=(
        WorkerSignals(
            pid=4711,
            share=1.0,
            cores=0.21,
            loop_cores=0.12,
            loop_waited=0.01,
            loop_held_share=0.02,
            pool_size=40,
            pool_busy_avg=40.0,
            queued_avg=58.0,
            inside_avg=98.4,
        ),
    ),
)

_TRIAL = TrialRecord(
    schema=SCHEMA,
    run="20260304-050607-1a2b3c",
    index=1,
    round=1,
    cell="sync_http-uvicorn-w1",
    experiment="sync_http",
    endpoint="sync",
    io="http",
    server="uvicorn",
    workers=1,
    python="3.12",
    started="2026-03-04T05:06:09+00:00",
    wall_s=12.1,
    outcome=Outcome.MEASURED,
    reason=None,
    phases_s={"start": 0.7, "verify": 1.01, "load": 10.0, "stop": 0.2},
    measured=_MEASURED,
)

_RUN = RunRecord(
    schema=SCHEMA,
    id="20260304-050607-1a2b3c",
    command="matrix",
    plan_hash="1a2b3c4d5e6f",
    started="2026-03-04T05:06:07+00:00",
    finished="2026-03-04T05:17:27+00:00",
    cells=("sync_http-uvicorn-w1",),
    trials=1,
    profile=Profile(
        name="quick",
        users=100,
        delay_s=1.0,
        spawn_rate=100.0,
        warmup_s=3.0,
        duration_s=6.0,
        rounds=1,
    ),
    seed=1,
    probe=True,
    git={"commit": "24063f2a1b2c3d4e5f60718293a4b5c6d7e8f901", "dirty": False},
    host=Host(
        cpu="Example CPU @ 2.10GHz",
        cores=2,
        memory_gb=8.2,
        os="Debian GNU/Linux 12",
        kernel="6.1.0",
        cores_of_machine=2,
        affinity=2,
        cgroup_quota=None,
        system="Linux",
        architecture="x86_64",
        governor=None,
        load_before=(0.1, 0.2, 0.3),
        open_files=1024,
    ),
    environments={
        "server-uvicorn-3.12": {
            "role": "server",
            "lock_sha256": "ab" * 32,
            "unusable": None,
            "python": "3.12.4",
            "implementation": "CPython",
            "packages": {"fastapi": "0.115.0", "uvicorn": "0.30.1", "anyio": "4.4.0"},
        },
        "load": {
            "role": "load",
            "lock_sha256": "cd" * 32,
            "unusable": None,
            "python": "3.12.4",
            "implementation": "CPython",
            "packages": {"locust": "2.31.0"},
        },
        "server uvicorn": {"role": "pinned", "loop": "uvloop", "http": "httptools"},
        "go": {"role": "go", "version": "go1.23.1"},
    },
    sources={"application (app/)": "0f1e2d3c4b5a", "delay server (go_delay/)": "5a4b3c2d1e0f"},
)


def measured(**overrides: Any) -> Measured:
    """A pool-bound ``sync_http`` trial; any figure of any part by its own name.

    Names are the same word nowhere twice, so ``users=5`` needs no ``load=``.
    """
    parts = {name: _with(part, overrides) for name, part in _SECTIONS.items()}
    return replace(_MEASURED, **(parts | overrides))


def trial(**overrides: Any) -> TrialRecord:
    """The record of a trial that ran to its end."""
    return replace(_TRIAL, **overrides)


_SERIES = SeriesRecord(
    schema=SCHEMA,
    run="20260304-050607-1a2b3c",
    index=1,
    round=1,
    cell="sync_http-uvicorn-w1",
    twin=False,
    t0_s=3.0,
    t1_s=9.0,
    stop_s=10.0,
    t_s=(2.5, 7.5),
    throughput_rps=(12.0, 38.9),
    in_flight=(99.0, 100.0),
    loop_delay_ms=(None, 6.0),
    pool_busy=(20.1, 39.6),
    pool_waiting=(12.3, None),
    server_cores=(0.31, 0.21),
    latency=LatencyCurve(ms=(2400.0, 2570.0, 2650.0), below=(0.1, 0.5, 0.99), known_to_ms=2570.0),
    disturbances=(),
    argv=("python", "-m", "uvicorn", "app.main:app"),
)


def series(**overrides: Any) -> SeriesRecord:
    """What that trial looked like, in two bins."""
    return replace(_SERIES, **overrides)


def run(**overrides: Any) -> RunRecord:
    """The record of a finished run of one round."""
    return replace(_RUN, **overrides)


def _with(part: Any, overrides: dict[str, Any]) -> Any:
    """The part with what is meant for it, which is taken out of the overrides."""
    names = [field.name for field in fields(part) if field.name in overrides]
    return replace(part, **{name: overrides.pop(name) for name in names})


# Texts that an application or a person may have made, meant to break out of tables.
HOSTILE = "<script>alert(1)</script> | `rm -rf` **bold**\n| a | row |\n[link](http://example.com)"


def example(rounds: int = 1) -> tuple[RunRecord, tuple[TrialRecord, ...]]:
    """A run in which everything occurs that a report has to show, so many times."""
    cells = {
        "sync_http-uvicorn-w1": trial(),
        "async_json-uvicorn-w1": trial(endpoint="async", io="json", measured=_DOUBTFUL),
        "async_http_sync-uvicorn-w1": trial(endpoint="async_sync", measured=_BLOCKED),
        "sync_json-uvicorn-w1": trial(io="json", measured=measured(redirects=3)),
        "async_http-uvicorn-w1": trial(
            endpoint="async",
            outcome=Outcome.FAILED,
            reason=f"it did not start: {HOSTILE}",
            measured=None,
        ),
        "async_http-gunicorn-w2": trial(
            endpoint="async",
            server="gunicorn",
            workers=2,
            outcome=Outcome.SKIPPED,
            reason="no environment server-gunicorn-3.12",
            measured=None,
        ),
        "<script>|`x`-uvicorn-w2": trial(io="<script>|`x`", workers=2, measured=measured()),
    }
    trials = [
        _named(one, cell, index, number)
        for number in range(1, rounds + 1)
        for index, (cell, one) in enumerate(cells.items(), (number - 1) * len(cells) + 1)
    ]
    profile = replace(_RUN.profile, rounds=rounds)
    return run(cells=tuple(cells), trials=len(trials), profile=profile), tuple(trials)


_DOUBTFUL = measured(
    delay_s=0.0,
    throughput_rps=1234.5,
    server_cores=0.97,
    server_cores_tapered=0.971,
    places=Places(generator=2.0, way=58.0, before=18.0, handler=3.0, after=19.0),
    per_worker=(WorkerSignals(pid=4712, cores=0.97, loop_cores=0.9, loop_held_share=0.9),),
    server_ms_per_request=0.78571,
    pool_busy_avg=0.8,
    pool_waiting_avg=0.0,
    foreign_cores=0.31,
    window_succeeded=7400,
    window_failed=7,
    failure_kinds={"HTTP 500": 5, HOSTILE: 2},
    upstream_calls=0,
    mean_measured_ms=64.0,
    mean_by_little_ms=81.0,
    p50=Percentile(79.9, None, None),
    p90=Percentile(99.96, None, None),
    p99=Percentile(None, 999.7, "3 of the 5 completions needed beyond it"),
)
_BLOCKED = measured(
    throughput_rps=0.97,
    loop_delay_p50_ms=512.3,
    loop_delay_max_ms=1031.0,
    pool_busy_avg=0.0,
    pool_waiting_avg=0.0,
    server_cores=0.03,
    server_cores_tapered=0.0301,
    places=Places(generator=0.0, way=99.0, before=0.0, upstream=0.97, handler=0.02, after=0.01),
    per_worker=(WorkerSignals(pid=4713, cores=0.03, loop_cores=0.03, loop_held_share=0.99),),
    server_ms_per_request=30.9,
    spawned=1,
    active_avg=1.0,
    window_succeeded=30,
    mean_measured_ms=None,
    mean_by_little_ms=103092.8,
    p50=Percentile(None, 8012.0, "fewer than 5 requests were followed to that age"),
    p90=Percentile(None, 8950.0, "fewer than 5 requests were followed to that age"),
    p99=Percentile(None, None, "fewer than 5 requests were followed to that age"),
)


def _named(one: TrialRecord, cell: str, index: int, number: int) -> TrialRecord:
    """The trial in its place, a little faster in each round."""
    found = one.measured
    if found is not None:
        found = replace(found, throughput_rps=found.throughput_rps * (1 + (number - 1) / 100))
    experiment = cell.partition("-")[0]
    return replace(one, cell=cell, experiment=experiment, index=index, round=number, measured=found)
