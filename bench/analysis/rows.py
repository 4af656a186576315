"""A row a cell, from all its trials: what the tables and latest.json show."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from bench.analysis.background import Background, background
from bench.analysis.evidence import Evidence
from bench.analysis.fairness import Fairness, fairness
from bench.analysis.kinds import Kind, kinds
from bench.analysis.known import Known, knowledge
from bench.analysis.limit import limit_rps
from bench.analysis.metrics import METRICS
from bench.analysis.places import complete
from bench.analysis.verdict import Verdict, verdict
from bench.analysis.why import Why, why
from bench.records.model import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.analysis.counted import Counted
    from bench.records.model import Measured, OpenLoad, RunRecord, TrialRecord
    from bench.stats import Estimate, Percentile, Regimes, Spread


@dataclass(frozen=True, slots=True)
class Sample:
    """One usable trial's figures, for comparisons: as of a machine of the usual speed.

    ``corrected``: by which factor the throughput was, the others by one over it.
    """

    round: int
    corrected: float
    throughput_rps: float | None
    p50_ms: float | None
    cpu_ms_per_request: float | None
    handler_min_ms: float | None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Of an open load: medians over the trials."""

    rate: float  # requests/s that were asked for
    late_p99_ms: float | None  # by which they were sent after they were due
    in_system_avg: float | None  # due and not yet answered


@dataclass(frozen=True, slots=True)
class Row:
    """One cell's results. Figures are None when the verdict forbids or nothing is known.

    Requests and failures are sums over the trials that count, everything else medians; where there
    are two regimes, over the trials of the one seen more often.
    """

    cell: str
    experiment: str
    endpoint: str
    io: str
    server: str
    workers: int
    python: str
    verdict: Verdict
    trials: int  # those that count
    trial_s: float  # how long one took, all in all
    requests: int | None  # completed in the window, failed ones included
    failures: int | None
    failure_kinds: tuple[tuple[str, int], ...]
    unfinished: float | None  # in flight at the window's end, of one trial
    throughput_rps: Estimate | None  # None too where there are two regimes
    regimes: Regimes | None
    spread: Spread | None  # of one trial's logarithm, as pooled for its experiment
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
    why: Why | None
    waits: bool | None  # for the delay server; None where no trial ran to its end
    places: Places | None  # means over the trials, so that they still add up to all users
    background: Background
    fairness: Fairness | None  # None where no trial ran to its end
    samples: tuple[Sample, ...]
    kinds: tuple[Kind, ...]  # of a mix of requests to one's own application
    settings: Mapping[str, str] = field(default_factory=dict)  # levels of further axes
    profile: str | None = None  # which function took the time, if a profiler has looked
    arrivals: Arrivals | None = None  # of an open load
    host: int = 0  # of a merged run: its place among the run's hosts


def rows(run: RunRecord, trials: Sequence[TrialRecord]) -> tuple[Row, ...]:
    """Rows in the order in which the cells are declared; a cell never tried has none."""
    if not run.hosts:
        return rows_of(run.cells, trials, run.profile.precision, run.host.cores)
    found = {
        row.cell: row
        for at, part in enumerate(run.hosts)
        for row in on_host(run, trials, at, part.host.cores, away=False)
    }
    return tuple(found[cell] for cell in run.cells if cell in found)


def on_host(
    run: RunRecord, trials: Sequence[TrialRecord], at: int, cores: int, *, away: bool
) -> tuple[Row, ...]:
    """Of one host of a merged run, by what was measured there alone: its own cells, or the others.

    Machines have no speed in common that could be taken out of their trials.
    """
    there = [trial for trial in trials if trial.host == at and trial.away is away]
    return rows_of(run.cells, there, run.profile.precision, cores)


def rows_of(
    cells: Iterable[str], trials: Iterable[TrialRecord], precision: float, cores: int
) -> tuple[Row, ...]:
    """The same, of these cells, whose throughputs should be known to ``precision``."""
    found = knowledge(trials, cores)
    return tuple(_row(found[cell], precision, cores) for cell in cells if cell in found)


def _row(known: Known, precision: float, cores: int) -> Row:
    shown = known.shown
    measured = [one.measured for one in shown]
    limit = limit_rps([(one.trial, one.measured) for one in shown], cores)
    value = None if known.estimate is None else known.estimate.value
    first, _ = known.judged[0]
    return Row(
        cell=first.cell,
        experiment=first.experiment,
        endpoint=first.endpoint,
        io=first.io,
        server=first.server,
        workers=first.workers,
        python=first.python,
        settings=first.settings,
        verdict=verdict(known, precision),
        trials=len(known.counted),
        trial_s=median(trial.wall_s for trial, _ in known.judged),
        requests=_total(measured, lambda m: m.requests.window_succeeded + m.requests.window_failed),
        failures=_total(measured, lambda m: m.requests.window_failed),
        failure_kinds=_kinds(measured),
        unfinished=_median(
            None if m.requests.unseen else m.requests.window_unfinished for m in measured
        ),
        throughput_rps=known.estimate,
        regimes=known.regimes,
        spread=known.spread,
        p50=known.p50,
        p90=known.p90,
        p99=known.p99,
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
        share_of_limit=value / limit if value and limit else None,
        why=_typical_why(shown, cores),
        waits=any(m.load.delay_s > 0 for m in measured) if measured else None,
        places=complete(_places([m.places for m in measured if m.places is not None])),
        background=background(measured),
        fairness=fairness(measured),
        samples=tuple(
            Sample(
                one.trial.round,
                one.corrected,
                *(metric.of(one.measured) for metric in METRICS),
            )
            for one in known.counted
        ),
        kinds=kinds(measured),
        host=first.host,
        arrivals=_arrivals([m.open for m in measured if m.open is not None]),
    )


def _arrivals(found: Sequence[OpenLoad]) -> Arrivals | None:
    if not found:
        return None
    return Arrivals(
        rate=found[0].rate,
        late_p99_ms=_median(one.late_p99_ms for one in found),
        in_system_avg=_median(one.in_system_avg for one in found),
    )


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


def _places(found: Sequence[Places]) -> Places | None:
    """Their means, over the trials in which most of them are known: only these add up."""
    known = [{n: v for n, v in asdict(one).items() if v is not None} for one in found]
    fullest = max(known, key=len, default={})
    alike = [places for places in known if places.keys() == fullest.keys()]
    parts = {name: sum(places[name] for places in alike) / len(alike) for name in fullest}
    return Places(**parts) if parts else None


def _typical_why(shown: Sequence[Counted], cores: int) -> Why | None:
    """That of the trial whose throughput is nearest to the median."""
    if not shown:
        return None
    middle = median(one.measured.throughput_rps for one in shown)
    nearest = min(shown, key=lambda one: abs(one.measured.throughput_rps - middle))
    return why(Evidence(nearest.trial, nearest.measured, cores))
