"""A row a cell, from all its trials: what the tables and latest.json show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.analysis.background import Background, background
from bench.analysis.limit import limit_rps
from bench.analysis.metrics import METRICS
from bench.analysis.verdict import Verdict, judge, together
from bench.analysis.why import Evidence, why
from bench.stats import Percentile, Summary, summarise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.records.model import Measured, RunRecord, TrialRecord


@dataclass(frozen=True, slots=True)
class Sample:
    """One usable trial's figures, for comparisons."""

    round: int
    throughput_rps: float | None
    p50_ms: float | None
    cpu_ms_per_request: float | None
    handler_min_ms: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One cell's results. Figures are None when the verdict forbids or nothing is known.

    Requests and failures are sums over the usable trials, everything else medians.
    """

    cell: str
    experiment: str
    endpoint: str
    io: str
    server: str
    workers: int
    python: str
    verdict: Verdict
    trials: int  # usable ones
    requests: int | None  # completed in the window, failed ones included
    failures: int | None
    failure_kinds: tuple[tuple[str, int], ...]
    unfinished: float | None  # in flight at the window's end, of one trial
    throughput_rps: Summary | None
    p50: Percentile
    p90: Percentile
    p99: Percentile
    mean_by_little_ms: float | None
    threads_spawned: float | None
    threads_active_avg: float | None
    cpu_ms_per_request: float | None
    rss_mb: float | None
    loop_delay_p50_ms: float | None
    loop_delay_max_ms: float | None
    loop_delay_open: bool | None  # that maximum may be a part only: the loop was still blocked
    pool_size: float | None
    pool_busy_avg: float | None
    pool_waiting_avg: float | None
    upstream_in_flight_avg: float | None
    limit_rps: float | None
    share_of_limit: float | None
    why: str | None
    background: Background
    samples: tuple[Sample, ...]


def rows(run: RunRecord, trials: Sequence[TrialRecord]) -> tuple[Row, ...]:
    """Rows in the order in which the cells are declared; a cell never tried has none."""
    by_cell: dict[str, list[TrialRecord]] = {}
    for trial in trials:
        if not trial.twin:  # the noise floor's, and no repeat of the cell
            by_cell.setdefault(trial.cell, []).append(trial)
    cores = run.host.cores
    return tuple(_row(by_cell[cell], cores) for cell in run.cells if cell in by_cell)


def _row(trials: Sequence[TrialRecord], cores: int) -> Row:
    judged = [(trial, judge(trial, cores)) for trial in trials]
    usable = [
        (trial, trial.measured)
        for trial, verdict in judged
        if verdict.usable and trial.measured is not None
    ]
    measured = [m for _, m in usable]
    limits = [limit_rps(trial, m, cores) for trial, m in usable]
    known_limits = [limit for limit in limits if limit is not None]
    limit = median(known_limits) if known_limits else None
    throughput = summarise([m.throughput_rps for m in measured]) if measured else None
    first = trials[0]
    return Row(
        cell=first.cell,
        experiment=first.experiment,
        endpoint=first.endpoint,
        io=first.io,
        server=first.server,
        workers=first.workers,
        python=first.python,
        verdict=together([verdict for _, verdict in judged]),
        trials=len(usable),
        requests=_total(measured, lambda m: m.requests.window_succeeded + m.requests.window_failed),
        failures=_total(measured, lambda m: m.requests.window_failed),
        failure_kinds=_kinds(measured),
        unfinished=_median(m.requests.window_unfinished for m in measured),
        throughput_rps=throughput,
        p50=_percentile([m.latency.p50 for m in measured]),
        p90=_percentile([m.latency.p90 for m in measured]),
        p99=_percentile([m.latency.p99 for m in measured]),
        mean_by_little_ms=_median(m.latency.mean_by_little_ms for m in measured),
        threads_spawned=_median(m.threads.spawned for m in measured),
        threads_active_avg=_median(m.threads.active_avg for m in measured),
        cpu_ms_per_request=_median(m.signals.server_ms_per_request for m in measured),
        rss_mb=_median(m.signals.rss_mb for m in measured),
        loop_delay_p50_ms=_median(m.signals.loop_delay_p50_ms for m in measured),
        loop_delay_max_ms=_median(m.signals.loop_delay_max_ms for m in measured),
        loop_delay_open=any(m.signals.loop_delay_open for m in measured) if measured else None,
        pool_size=_median(m.signals.pool_size for m in measured),
        pool_busy_avg=_median(m.signals.pool_busy_avg for m in measured),
        pool_waiting_avg=_median(m.signals.pool_waiting_avg for m in measured),
        upstream_in_flight_avg=_median(
            m.signals.upstream_in_flight_avg for m in measured if m.counters.upstream_calls
        ),
        limit_rps=limit,
        share_of_limit=throughput.median / limit if throughput and limit else None,
        why=_typical_why(usable, cores),
        background=background(measured),
        samples=tuple(
            Sample(trial.round, *(metric.of(m) for metric in METRICS)) for trial, m in usable
        ),
    )


def _percentile(found: Sequence[Percentile]) -> Percentile:
    """The median over trials; a bound where any trial has no value: median(x) >= median(bounds)."""
    if not found:
        return Percentile(None, None, None)
    values = [p.value_ms for p in found if p.value_ms is not None]
    if len(values) == len(found):
        return Percentile(median(values), None, None)
    bounds = [p.value_ms if p.value_ms is not None else p.over_ms for p in found]
    known = [bound for bound in bounds if bound is not None]
    reason = next((p.reason for p in found if p.reason), None)
    return Percentile(None, median(known) if len(known) == len(found) else None, reason)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None


def _total(measured: Sequence[Measured], count: Callable[[Measured], int]) -> int | None:
    return sum(count(m) for m in measured) if measured else None


def _kinds(measured: Sequence[Measured]) -> tuple[tuple[str, int], ...]:
    kinds: Counter[str] = Counter()
    for m in measured:
        kinds.update(m.requests.failure_kinds)
    return tuple(kinds.most_common())


def _typical_why(usable: Sequence[tuple[TrialRecord, Measured]], cores: int) -> str | None:
    """The sentence of the trial whose throughput is nearest to the median."""
    if not usable:
        return None
    middle = median(m.throughput_rps for _, m in usable)
    trial, measured = min(usable, key=lambda pair: abs(pair[1].throughput_rps - middle))
    return why(Evidence(trial, measured, cores))
