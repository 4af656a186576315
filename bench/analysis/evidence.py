"""One trial with what its judges ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.limit import delay_limit_rps, usable_cores

if TYPE_CHECKING:
    from bench.records.model import Measured, Signals, TrialRecord

GENERATOR_CORES = 0.85  # of the one core that the generator can use
LATE_SHARE, LATE_MS = 0.05, 20.0  # of the delay server, whichever is more


@dataclass(frozen=True, slots=True)
class Evidence:
    """One trial with what the rules ask of it."""

    trial: TrialRecord
    measured: Measured
    cores: int

    @property
    def share_of_limit(self) -> float | None:
        """Throughput as a share of what the delay allows; None where nothing waits."""
        limit = delay_limit_rps(self.trial, self.measured)
        return None if not limit else self.measured.throughput_rps / limit

    @property
    def missing_signals(self) -> tuple[str, ...]:
        """What could not be measured of what every trial is judged by."""
        signals = self.measured.signals
        needed = [
            ("the server's CPU", signals.server_cores),
            ("the load generator's CPU", self._generator_cores),
            ("the CPU of other programs", signals.foreign_cores),
            ("what the hypervisor took", signals.steal_cores),
        ]
        if self.measured.counters.upstream_calls:
            # Known wherever its counts at both ends of the window are, from which this is, too.
            needed.append(("the delay server's lateness", signals.upstream_in_flight_avg))
        if self.measured.counters.app_started is not None:  # the probe was on
            needed += [
                ("the loop's delay", signals.loop_delay_p50_ms),
                ("the thread pool", signals.pool_busy_avg),
            ]
        return tuple(name for name, value in needed if value is None)

    @property
    def _generator_cores(self) -> float | None:
        """On other machines a process says of itself what it used."""
        signals = self.measured.signals
        return signals.generator_busiest if self.measured.load.away else signals.generator_cores

    @property
    def own_cores(self) -> int | None:
        """CPUs that the server has for itself; None where it shares all that the trial may use."""
        cpus = self.measured.process.cpus
        return (
            len(cpus) if cpus and self.measured.signals.server_foreign_cores is not None else None
        )

    @property
    def usable_cores(self) -> float:
        """Cores that the server may use (`bench.analysis.limit`)."""
        return usable_cores(self.trial, self.measured, self.cores)

    @property
    def stolen(self) -> float:
        """Share of all cores that the hypervisor took for other guests, as far as is known."""
        return (self.measured.signals.steal_cores or 0.0) / self.cores

    @property
    def machine_busy(self) -> float:
        """Share of all cores known to be in use, by whomever."""
        signals = self.measured.signals
        used = (
            signals.server_cores,
            signals.generator_cores,
            signals.delay_server_cores,
            signals.harness_cores,
            signals.database_cores,
            signals.foreign_cores,
            signals.steal_cores,
        )
        return sum(cores for cores in used if cores is not None) / self.cores


def generator_bound(evidence: Evidence) -> bool:
    """The generator had no time to ask more often: it ran, or waited for a core, all the time."""
    return sum(generator_use(evidence.measured.signals)) > GENERATOR_CORES


def generator_use(signals: Signals) -> tuple[float, ...]:
    """Of the generator's process, or the busiest of several: cores used, and waited for.

    Without what is not known.
    """
    one = (
        signals.generator_cores if signals.generator_busiest is None else signals.generator_busiest
    )
    return tuple(share for share in (one, signals.generator_waited) if share is not None)


def delay_server_late(measured: Measured) -> bool:
    """The delay server's p99 overshoot is over 5 % of the delay or 20 ms, whichever is more."""
    overshoot_ms = measured.signals.overshoot_p99_ms
    return overshoot_ms is not None and overshoot_ms > max(
        LATE_MS, LATE_SHARE * measured.load.delay_s * 1e3
    )
