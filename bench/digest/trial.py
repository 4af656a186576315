"""A trial's folder in, its ``Measured`` out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.probe import layout as probe
from bench.digest import read, signals
from bench.digest.handlers import Handlers, boil_down
from bench.digest.read import RequestLog, Unreadable
from bench.records.model import (
    Counters,
    Latency,
    LoadSettings,
    Measured,
    Process,
    Requests,
    Signals,
    Threads,
)
from bench.stats import (
    difference,
    hann_rate,
    histogram_percentile,
    latency,
    mean_by_little_ms,
    percentile,
)
from locustfiles import layout as request_layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bench.config import Profile

NS_PER_MS = 1e6
NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class Raw:
    """Everything a trial left, read but not yet judged."""

    facts: Mapping[str, Any]
    load: Mapping[str, Any]  # load.json
    requests: RequestLog
    handlers: Sequence[Handlers]
    samples: signals.Samples


def digest(folder: Path, profile: Profile, delay_s: float) -> Measured:
    """All figures of a trial that ran to its end.

    Raises:
        Unreadable: a file is missing or damaged; the trial can't be used.
    """
    try:
        return _measured(_read(folder), profile, delay_s)
    except KeyError as missing:
        raise Unreadable(f"a file of the trial lacks {missing}") from missing
    except (TypeError, ValueError, AttributeError, IndexError) as wrong:
        raise Unreadable(f"the trial's files contradict each other: {wrong}") from wrong


def _measured(raw: Raw, profile: Profile, delay_s: float) -> Measured:
    t0, t1 = raw.facts["t0_ns"], raw.facts["t1_ns"]
    if not 0 < t0 < t1:
        raise Unreadable("the generator never said that all users had spawned")
    succeeded = raw.requests.outcome == request_layout.SUCCEEDED
    failed = raw.requests.outcome >= request_layout.FIRST_FAILURE
    throughput = hann_rate(raw.requests.end_ns[succeeded], t0, t1)
    return Measured(
        load=_load(raw, profile, delay_s),
        requests=_requests(raw, succeeded, failed),
        throughput_rps=throughput,
        failures_rps=hann_rate(raw.requests.end_ns[failed], t0, t1),
        latency=_latency(raw, succeeded, failed, throughput, profile.users),
        threads=_threads(raw),
        signals=_signals(raw),
        counters=_books(raw),
        process=_process(raw.facts),
        locust=dict(raw.load["locust"]),
    )


def _read(folder: Path) -> Raw:
    facts = read.trial_facts(folder)
    looks = read.samples(folder)
    gate, t0, t1 = facts["gate_ns"], facts["t0_ns"], facts["t1_ns"]
    # Boiled down one after the other, before the requests are read: of all
    # this, only what is needed at once is in memory at once.
    handlers = [boil_down(log, gate, t0, t1) for log in read.handler_logs(folder)]
    if facts["gauges_after"]:  # the probe was on
        missing = set(facts["workers"]) - {log.pid for log in handlers}
        if missing:
            raise Unreadable(f"the thread log of worker {min(missing)} is missing")
    return Raw(
        facts=facts,
        load=read.json_file(folder, "load.json"),
        requests=read.request_log(folder),
        handlers=handlers,
        samples=signals.samples_of(looks, facts["t0_ns"], facts["t1_ns"]),
    )


def _load(raw: Raw, profile: Profile, delay_s: float) -> LoadSettings:
    return LoadSettings(
        users=profile.users,
        spawn_rate=profile.spawn_rate,
        warmup_s=profile.warmup_s,
        duration_s=profile.duration_s,
        delay_s=delay_s if raw.facts["waits"] else 0.0,
        t0_ns=raw.facts["t0_ns"],
        t1_ns=raw.facts["t1_ns"],
        ramp_s=(raw.load["spawned_ns"] - raw.load["first_spawn_ns"]) / NS_PER_S,
    )


def _requests(raw: Raw, succeeded: NDArray[np.bool_], failed: NDArray[np.bool_]) -> Requests:
    log = raw.requests
    t0, t1 = raw.facts["t0_ns"], raw.facts["t1_ns"]
    in_window = (log.end_ns >= t0) & (log.end_ns < t1)
    # Cut off at the stop, or answered only after the window: in flight at t1.
    waiting = (log.start_ns < t1) & (
        (log.end_ns >= t1) | (log.outcome == request_layout.UNFINISHED)
    )
    ages_ns = t1 - log.start_ns[waiting]
    kinds = {
        name: int(np.count_nonzero(log.outcome == int(number)))
        for number, name in raw.load["failure_kinds"].items()
    }
    return Requests(
        started=len(log.start_ns),
        succeeded=int(np.count_nonzero(succeeded)),
        failed=int(np.count_nonzero(failed)),
        unfinished=int(np.count_nonzero(log.outcome == request_layout.UNFINISHED)),
        window_succeeded=int(np.count_nonzero(in_window & succeeded)),
        window_failed=int(np.count_nonzero(in_window & failed)),
        window_unfinished=int(np.count_nonzero(waiting)),
        oldest_unfinished_ms=float(ages_ns.max()) / NS_PER_MS if len(ages_ns) else None,
        failure_kinds=kinds,
        redirects=sum(count for name, count in kinds.items() if "redirect" in name),
    )


def _latency(
    raw: Raw,
    succeeded: NDArray[np.bool_],
    failed: NDArray[np.bool_],
    throughput_rps: float,
    users: int,
) -> Latency:
    log = raw.requests
    t0, t1 = raw.facts["t0_ns"], raw.facts["t1_ns"]
    # Little's law speaks of all requests: with failures among them it does not
    # give the mean of the successful ones.
    some_failed = bool(((log.end_ns >= t0) & (log.end_ns < t1) & failed).any())
    end_ns = np.where(log.outcome == request_layout.UNFINISHED, -1, log.end_ns)
    found = latency(log.start_ns, end_ns, succeeded, t0, t1)
    return Latency(
        p50=found.p50,
        p90=found.p90,
        p99=found.p99,
        mean_measured_ms=found.mean_measured_ms,
        mean_by_little_ms=None if some_failed else mean_by_little_ms(users, throughput_rps),
    )


def _threads(raw: Raw) -> Threads:
    """Spawned: distinct threads seen alive. Active: alive at handler start, mean over requests."""
    if not raw.handlers:
        return Threads(None, None)
    spawned, active = 0, 0.0
    for log in raw.handlers:
        page = raw.facts["gauges_after"].get(str(log.pid))
        spawned += max(page[probe.G_THREADS_SEEN] if page else 0, log.threads)
        active += log.alive_avg or 0.0
    return Threads(spawned, active or None)


def _signals(raw: Raw) -> Signals:
    looks, facts = raw.samples, raw.facts
    t0, t1 = facts["t0_ns"], facts["t1_ns"]
    window_s = (t1 - t0) / NS_PER_S
    ours = {
        name: signals.group_cores(looks, name)
        for name in ("server", "generator", "delay", "harness")
    }
    completed = int(np.count_nonzero((raw.requests.end_ns >= t0) & (raw.requests.end_ns < t1)))
    server = ours["server"]
    delay_p50, delay_max = signals.loop_delay_ms(looks)
    upstream = facts["upstream_after"] or {}
    return Signals(
        loop_delay_p50_ms=delay_p50,
        loop_delay_max_ms=delay_max,
        pool_size=signals.pool_size(looks),
        pool_busy_avg=signals.gauge_average(looks, probe.G_POOL_BUSY),
        pool_waiting_avg=signals.gauge_average(looks, probe.G_POOL_WAITING),
        in_flight_avg=signals.in_flight_average(looks),
        server_cores=server,
        server_ms_per_request=(
            server * window_s * 1e3 / completed if server is not None and completed else None
        ),
        generator_cores=ours["generator"],
        generator_late_p99_ms=_lateness_ms(raw),
        delay_server_cores=ours["delay"],
        harness_cores=ours["harness"],
        foreign_cores=_foreign(looks, ours),
        steal_cores=signals.machine_cores(looks, "steal_s"),
        rss_mb=signals.rss_mb(looks, "server"),
        upstream_in_flight_avg=_upstream_average(facts),
        upstream_in_flight_peak=upstream.get("in_flight", {}).get("peak"),
        overshoot_p50_ms=_overshoot_ms(facts, 50),
        overshoot_p99_ms=_overshoot_ms(facts, 99),
        worker_shares=_shares(raw),
        generator_waited=signals.generator_waited(looks),
        threads_alive=signals.threads_alive(looks),
        quota_throttled_s=_grown(facts, "quota_s"),
        heat_throttles=_grown(facts, "heat"),
        handler_min_ms=_fastest_ms(raw),
    )


def _foreign(looks: signals.Samples, ours: Mapping[str, float | None]) -> float | None:
    """Cores used by none of our processes. Both counters tick in hundredths, so near 0 is 0."""
    busy = signals.machine_cores(looks, "busy_s")
    known = [cores for cores in ours.values() if cores is not None]
    return None if busy is None or len(known) < len(ours) else max(0.0, busy - sum(known))


def _fastest_ms(raw: Raw) -> float | None:
    """Of the handler's calls. A call that failed may have been short, and the log can't tell."""
    if (raw.requests.outcome >= request_layout.FIRST_FAILURE).any():
        return None
    known = [log.fastest_ns for log in raw.handlers if log.fastest_ns is not None]
    return min(known) / NS_PER_MS if known else None


def _lateness_ms(raw: Raw) -> float | None:
    t0, t1 = raw.facts["t0_ns"], raw.facts["t1_ns"]
    late_ns = [late for due, late in raw.load["lateness_ns"] if t0 <= due < t1]
    late = percentile(late_ns, 99) if late_ns else None
    return None if late is None else late / NS_PER_MS


def _grown(facts: Mapping[str, Any], counter: str) -> Any:
    """By how much a counter of ``bench.run.host.throttle`` grew in the window."""
    first, last = facts["throttle_t0"].get(counter), facts["throttle_t1"].get(counter)
    return None if first is None or last is None else last - first


def _upstream_average(facts: Mapping[str, Any]) -> float | None:
    """Mean number of requests inside the delay server, from its own integral over the window."""
    first, last = facts["upstream_t0"], facts["upstream_t1"]
    if not first or not last:
        return None
    elapsed = last["monotonic_ns"] - first["monotonic_ns"]
    area = last["in_flight"]["integral_ns"] - first["in_flight"]["integral_ns"]
    return float(area / elapsed) if elapsed > 0 else None


def _overshoot_ms(facts: Mapping[str, Any], q: float) -> float | None:
    """A percentile of how late the delay server was, over the calls that it served in the window.

    The difference of two counts: a late answer in the warm-up is no fault of the window's.
    """
    first, last = facts["upstream_t0"], facts["upstream_t1"]
    if not first or not last:
        return None
    served = difference(first["overshoot_ms"]["buckets"], last["overshoot_ms"]["buckets"])
    late_ns = histogram_percentile(served, q)
    return None if late_ns is None else late_ns / NS_PER_MS


def _shares(raw: Raw) -> dict[str, float]:
    total = sum(log.in_window for log in raw.handlers)
    return {str(log.pid): log.in_window / total for log in raw.handlers} if total else {}


def _books(raw: Raw) -> Counters:
    facts = raw.facts
    before, after = facts["gauges_before"], facts["gauges_after"]
    upstream = facts["upstream_after"] or {}

    def counted(word: int) -> int | None:
        if not after:
            return None
        return sum(
            int(page[word]) - int(before.get(pid, [0] * len(page))[word])
            for pid, page in after.items()
        )

    return Counters(
        generator_started=raw.load["started"],
        generator_recorded=len(raw.requests.start_ns),
        app_started=counted(probe.G_STARTED),
        app_finished=counted(probe.G_FINISHED),
        handlers_begun=sum(log.begun for log in raw.handlers) if raw.handlers else None,
        handlers_ended=sum(log.ended for log in raw.handlers) if raw.handlers else None,
        log_lost=counted(probe.G_LOG_LOST),
        upstream_calls=facts["upstream_calls"],
        upstream_started=upstream.get("started"),
        upstream_served=upstream.get("served"),
        upstream_cancelled=upstream.get("cancelled"),
    )


def _process(facts: Mapping[str, Any]) -> Process:
    return Process(
        argv=tuple(facts["argv"]),
        workers=tuple(facts["workers"]),
        workers_after=tuple(facts["workers_after"]),
        loop=facts["loop"],
        http=facts["http"],
        cpus=tuple(facts["cpus"]) if facts["cpus"] else None,
        delay_exit=facts["delay_exit"],
    )
