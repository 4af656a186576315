"""The signals of a trial: what explains its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.probe import layout as probe
from bench.digest import integrals, signals
from bench.digest.raw import NS_PER_MS, Raw, served_in_window
from bench.digest.requests import failed, rates
from bench.digest.workers import entered
from bench.records.model import Signals
from bench.stats import histogram_percentile, percentile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.records.trial_files import TrialFacts

TRIAL, SERVER = "trial", "server"  # sets of CPUs, as the harness looks at them
GROUPS = ("server", "generator", "delay", "harness")
DATABASE = "database"  # of a trial that asks one of ours


def trial_signals(raw: Raw) -> Signals:
    """All of them, over the window."""
    looks, facts = raw.samples, raw.facts
    ours = {name: signals.group_cores(looks, name) for name in GROUPS}
    if any(DATABASE in look.groups for look in looks.looks):
        ours[DATABASE] = signals.group_cores(looks, DATABASE)
    weighted = signals.tapered_group_cores(looks, "server")
    rate = rates(raw)
    completed_rps = rate.throughput_rps + rate.failures_rps
    delay = signals.loop_delay(looks)
    away = [signals.away_use(looks, usage) for usage in raw.generated.usage.values()]
    busiest = signals.busiest_generator(looks, facts.generators, away)
    upstream, served = facts.upstream_after, served_in_window(facts)
    return Signals(
        loop_delay_p50_ms=delay.p50_ms,
        loop_delay_max_ms=delay.max_ms,
        loop_delay_open=delay.open,
        pool_size=signals.pool_size(looks),
        pool_busy_avg=signals.pool_busy(looks),
        pool_waiting_avg=integrals.queued(looks, integrals.workers(looks)),
        in_flight_avg=integrals.inside(looks, integrals.workers(looks)),
        server_cores=ours["server"],
        server_cores_tapered=weighted,
        server_ms_per_request=(
            weighted * 1e3 / completed_rps if weighted is not None and completed_rps else None
        ),
        generator_cores=ours["generator"],
        generator_late_p99_ms=_lateness_ms(raw),
        delay_server_cores=ours["delay"],
        harness_cores=ours["harness"],
        foreign_cores=_foreign(looks, TRIAL, ours),
        steal_cores=signals.stolen_cores(looks, TRIAL),
        server_foreign_cores=_foreign(looks, SERVER, _on_the_servers_cpus(facts, ours)),
        server_steal_cores=signals.stolen_cores(looks, SERVER),
        rss_mb=signals.rss_mb(looks, "server"),
        upstream_in_flight_avg=integrals.upstream(looks),
        upstream_in_flight_peak=None if upstream is None else upstream.in_flight.peak,
        overshoot_p50_ms=_overshoot_ms(served, 50),
        overshoot_p99_ms=_overshoot_ms(served, 99),
        worker_shares=_shares(raw),
        generator_waited=busiest.waited,
        generator_busiest=busiest.cores if away or len(facts.generators) > 1 else None,
        threads_alive=signals.threads_alive(looks),
        threads_before=_threads_before(facts),
        quota_throttled_s=_quota_s(facts),
        heat_throttles=_heat(facts),
        handler_min_ms=_fastest_ms(raw),
        harness_cores_tapered=signals.tapered_group_cores(looks, "harness"),
        database_cores=ours.get(DATABASE),
    )


def _foreign(looks: signals.Samples, cpus: str, ours: Mapping[str, float | None]) -> float | None:
    """Cores of a set that none of our processes used. Counters tick in hundredths: near 0 is 0."""
    busy = signals.busy_cores(looks, cpus)
    known = [cores for cores in ours.values() if cores is not None]
    return None if busy is None or len(known) < len(ours) else max(0.0, busy - sum(known))


def _on_the_servers_cpus(
    facts: TrialFacts, ours: Mapping[str, float | None]
) -> dict[str, float | None]:
    """What of ours may run on the server's CPUs: the server, and whoever isn't kept elsewhere."""
    own = set(facts.cpus.get("server", ()))
    kept_elsewhere = {
        name for name, cpus in facts.cpus.items() if name != "server" and own.isdisjoint(cpus)
    }
    # The harness may run anywhere; what little it uses is not known to be there.
    return {name: cores for name, cores in ours.items() if name not in {*kept_elsewhere, "harness"}}


def _fastest_ms(raw: Raw) -> float | None:
    """Of the handler's calls. A call that failed may have been short, and the log can't tell."""
    if any(failed(part).any() for part in raw.requests.parts()):
        return None
    known = [log.fastest_ns for log in raw.handlers if log.fastest_ns is not None]
    return min(known) / NS_PER_MS if known else None


def _lateness_ms(raw: Raw) -> float | None:
    """Of the process that was latest."""
    t0, t1 = raw.facts.t0_ns, raw.facts.t1_ns
    of_each = [
        percentile([late for due, late in told if t0 <= due < t1] or [0], 99)
        for told in raw.generated.lateness_ns
        if any(t0 <= due < t1 for due, _ in told)
    ]
    known = [late for late in of_each if late is not None]
    return max(known) / NS_PER_MS if known else None


def _quota_s(facts: TrialFacts) -> float | None:
    """For how long a CPU quota stopped processes in the window."""
    first, last = facts.throttle_t0, facts.throttle_t1
    if first is None or last is None or first.quota_s is None or last.quota_s is None:
        return None
    return last.quota_s - first.quota_s


def _heat(facts: TrialFacts) -> int | None:
    """How often a core was slowed down in the window."""
    first, last = facts.throttle_t0, facts.throttle_t1
    if first is None or last is None or first.heat is None or last.heat is None:
        return None
    return last.heat - first.heat


def _threads_before(facts: TrialFacts) -> int | None:
    pages = facts.gauges_before.values()
    return sum(page[probe.G_THREADS_ALIVE] for page in pages) if pages else None


def _overshoot_ms(served: Sequence[tuple[int, int]] | None, q: float) -> float | None:
    """A percentile of the delay server's lateness, over the calls served in the window."""
    late_ns = None if served is None else histogram_percentile(served, q)
    return None if late_ns is None else late_ns / NS_PER_MS


def _shares(raw: Raw) -> dict[str, float]:
    found = {log.pid: log.in_window for log in raw.handlers} or entered(raw)
    total = sum(found.values())
    return {str(pid): count / total for pid, count in found.items()} if total else {}
