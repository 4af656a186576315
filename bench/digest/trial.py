"""A trial's folder in, its ``Measured`` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.probe import layout
from bench.digest.counters import counters
from bench.digest.kinds import kinds
from bench.digest.open_load import open_load
from bench.digest.places import places
from bench.digest.raw import NS_PER_S, Raw, read_all
from bench.digest.requests import latencies, rates, requests, steadiness_of, watched
from bench.digest.trial_signals import trial_signals
from bench.digest.workers import workers
from bench.records.model import Audit, LoadSettings, Measured, Process, Threads

if TYPE_CHECKING:
    from pathlib import Path

    from bench import stats


def digest(folder: Path) -> Measured:
    """All figures of a trial that ran to its end.

    Raises:
        Unreadable: a file is missing or corrupt; the trial can't be used.
    """
    raw = read_all(folder)
    return figures(raw, watched(raw))


def figures(raw: Raw, seen: stats.Latency) -> Measured:
    """All of them, from what was read; ``seen`` is what `watched` has seen of it."""
    rate = rates(raw)
    return Measured(
        load=_load_settings(raw),
        requests=requests(raw),
        throughput_rps=rate.throughput_rps,
        failures_rps=rate.failures_rps,
        steadiness=steadiness_of(raw),
        latency=latencies(raw, seen, rate.throughput_rps),
        threads=_threads(raw),
        signals=trial_signals(raw),
        counters=counters(raw),
        process=_process(raw),
        locust=dict(raw.generator.locust),
        places=places(raw),
        per_worker=workers(raw),
        kinds=kinds(raw) if len(raw.facts.kinds) > 1 else (),
        open=open_load(raw),
    )


def _load_settings(raw: Raw) -> LoadSettings:
    facts, spawned_ns = raw.facts, raw.generator.spawned_ns
    clocks = raw.generated.clocks.values()
    bounds_ms = [clock.bound_ns / NS_PER_S * 1e3 for clock in clocks]
    # Of that only what the looks' own bounds don't explain.
    wrong = [max(0.0, abs(clock.fast) - clock.fast_bound) for clock in clocks]
    return LoadSettings(
        users=facts.profile.at_once,
        delay_s=facts.delay_s if facts.waits else 0.0,
        t0_ns=facts.t0_ns,
        t1_ns=facts.t1_ns,
        ramp_s=(spawned_ns - raw.generator.first_spawn_ns) / NS_PER_S,
        warmup_s=(facts.t0_ns - spawned_ns) / NS_PER_S,
        duration_s=(facts.t1_ns - facts.t0_ns) / NS_PER_S,
        stretch=facts.stretch,
        longest_s=facts.profile.longest_s if facts.profile.duration_s is None else 0.0,
        round_trip_s=facts.round_trip_s,
        theirs=facts.theirs,
        generators=raw.generated.processes,
        away=len(raw.generated.clocks),
        clock_bound_ms=max(bounds_ms, default=None),
        clock_fast=max(wrong, default=None),
    )


def _threads(raw: Raw) -> Threads:
    """Spawned: distinct threads seen alive. Active: alive at handler start, mean over requests."""
    if not raw.handlers:
        pages = raw.facts.gauges_after.values()
        # Those alive from the start on are looked for only once another one is there.
        seen = [max(page[layout.G_THREADS_SEEN], page[layout.G_THREADS_ALIVE]) for page in pages]
        return Threads(sum(seen) if raw.facts.own and seen else None, None)
    spawned, active = 0, 0.0
    for log in raw.handlers:
        page = raw.facts.gauges_after.get(str(log.pid))
        spawned += max(page[layout.G_THREADS_SEEN] if page else 0, log.threads)
        active += log.alive_avg or 0.0
    return Threads(spawned, active or None)


def _process(raw: Raw) -> Process:
    facts = raw.facts
    own = facts.cpus.get("server")
    return Process(
        argv=tuple(facts.argv),
        workers=tuple(facts.workers),
        workers_after=tuple(facts.workers_after),
        loop=facts.loop,
        http=facts.http,
        cpus=tuple(own) if own else None,
        delay_exit=facts.delay_exit,
        audit=_audit(raw),
    )


def _audit(raw: Raw) -> Audit | None:
    told = [*raw.facts.sockets.values()]
    if not told:
        return None
    backlogs = [one.backlog for one in told if one.backlog is not None]
    size = raw.facts.log_bytes
    started = raw.generator.started
    return Audit(
        connections=sum(one.connections for one in told),
        nodelay=sum(one.nodelay for one in told),
        backlog=min(backlogs, default=None),
        open_files=min(one.open_files for one in told),
        log_bytes_per_request=(size[1] - size[0]) / started if size and started else None,
    )
