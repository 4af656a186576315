"""Whether a trial can be used: its figures may be wrong, or those of a disturbed machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bench.analysis.arrivals import arrivals
from bench.analysis.disturbances import disturbances
from bench.analysis.doubts import doubts
from bench.analysis.evidence import (
    GENERATOR_CORES,
    Evidence,
    delay_server_late,
    generator_bound,
)
from bench.analysis.reason import Kind, Reason
from bench.analysis.reconcile import disagreements
from bench.records.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.records.model import Measured, TrialRecord


CLOCK_SHARE = 0.01  # of the window, that translated times may be wrong by
CLOCK_RATE = 1e-3  # by which a clock may run fast or slow: so wrong are its latencies
NOTABLE_WAIT = 0.05  # of the generator's time, waiting for a core


class Fitness(Enum):
    """Of one trial; the best comes first."""

    CLEAN = "clean"
    DISTURBED = "disturbed"  # by what else ran on the machine: set aside while others are clean
    INVALID = "invalid"  # no numbers: they would be those of something else
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Judged:
    """One trial, and what is to be said of it."""

    fitness: Fitness
    reasons: tuple[Reason, ...] = ()  # for not being clean
    doubts: tuple[Reason, ...] = ()  # that stay with its figures all the same

    @property
    def usable(self) -> bool:
        """It has numbers that may be printed."""
        return self.fitness in {Fitness.CLEAN, Fitness.DISTURBED}


def judge(trial: TrialRecord, cores: int) -> Judged:
    """One trial that could use so many cores."""
    if trial.measured is None or trial.outcome is not Outcome.MEASURED:
        skipped = trial.outcome is Outcome.SKIPPED
        why = trial.reason or "no reason was recorded"
        fitness = Fitness.SKIPPED if skipped else Fitness.FAILED
        return Judged(fitness, (Reason(Kind.NOT_MEASURED, words=(why,)),))
    requests = trial.measured.requests
    if requests.failed and not requests.succeeded:
        kinds = requests.failure_kinds.items()
        reasons = tuple(Reason(Kind.ALL_FAILED, (count,), (name,)) for name, count in kinds)
        return Judged(Fitness.FAILED, reasons)
    evidence = Evidence(trial, trial.measured, cores)
    if invalid := _invalidating(evidence):
        return Judged(Fitness.INVALID, invalid)
    disturbed = disturbances(evidence)
    fitness = Fitness.DISTURBED if disturbed else Fitness.CLEAN
    return Judged(fitness, disturbed, doubts(evidence))


def _invalidating(evidence: Evidence) -> tuple[Reason, ...]:
    measured = evidence.measured
    signals, process = measured.signals, measured.process
    reasons = []
    if generator_bound(evidence):
        reasons.append(_generator(measured))
    if process.workers != process.workers_after:
        before, after = set(process.workers), set(process.workers_after)
        figures = (len(before), len(before - after), len(after - before))
        reasons.append(Reason(Kind.WORKERS_CHANGED, figures))
    if measured.requests.redirects:
        reasons.append(Reason(Kind.REDIRECTS, (measured.requests.redirects,)))
    if process.delay_exit is not None:
        reasons.append(Reason(Kind.DELAY_SERVER_ENDED, words=(str(process.delay_exit),)))
    if delay_server_late(measured) and signals.overshoot_p99_ms is not None:
        reasons.append(Reason(Kind.DELAY_SERVER_LATE, (signals.overshoot_p99_ms,)))
    return (*reasons, *_clocks(measured), *arrivals(measured), *disagreements(measured))


def _clocks(measured: Measured) -> Iterator[Reason]:
    """Of generators on other machines: when their requests were, by this machine's clock."""
    load = measured.load
    if (
        load.clock_bound_ms is not None
        and load.clock_bound_ms > CLOCK_SHARE * load.duration_s * 1e3
    ):
        yield Reason(Kind.CLOCKS_APART, (load.clock_bound_ms, load.duration_s, CLOCK_SHARE))
    if load.clock_fast is not None and load.clock_fast > CLOCK_RATE:
        yield Reason(Kind.CLOCK_RATE, (load.clock_fast, CLOCK_RATE))


def _generator(measured: Measured) -> Reason:
    signals, of = measured.signals, measured.load.generators
    waited = signals.generator_waited
    if of > 1 and signals.generator_busiest is not None:
        busiest = (signals.generator_busiest, waited or 0.0)
        return Reason(Kind.GENERATORS_BOUND, (of, *busiest, GENERATOR_CORES))
    used = signals.generator_busiest if measured.load.away else signals.generator_cores
    if used is None:
        return Reason(Kind.GENERATOR_WAITED, (waited or 0.0, GENERATOR_CORES))
    if waited is None or waited < NOTABLE_WAIT:
        return Reason(Kind.GENERATOR_BOUND, (used, GENERATOR_CORES))
    return Reason(Kind.GENERATOR_STARVED, (used, waited, GENERATOR_CORES))
