"""Why a number is what it is: the first rule that holds, as one sentence with its figures.

The rules are data, in the order in which they are asked. A cause that makes
the number one of something else (the generator, the delay server) comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.limit import limit_rps, usable_cores
from bench.figures import milliseconds, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.record import Measured, TrialRecord


GENERATOR_CORES = 0.85  # of the one core that the generator can use
BUSY = 0.85  # of the cores that the server may use
MACHINE_BUSY = 0.92  # of all cores
LATE_SHARE, LATE_MS = 0.05, 20.0  # of the delay server, whichever is more
BLOCKED_MS = 100.0  # median age of the loop's heartbeat beyond its interval
POOL_FULL = 0.95
AT_LIMIT = 0.90


@dataclass(frozen=True, slots=True)
class Evidence:
    """One trial with what the rules ask of it."""

    trial: TrialRecord
    measured: Measured
    cores: int

    @property
    def share_of_limit(self) -> float | None:
        """Throughput as a share of the limit."""
        limit = limit_rps(self.trial, self.measured, self.cores)
        return None if not limit else self.measured.throughput_rps / limit

    @property
    def server_busy(self) -> float:
        """Share of the cores that the server may use which it did use."""
        return (self.measured.signals.server_cores or 0.0) / usable_cores(self.trial, self.cores)

    @property
    def machine_busy(self) -> float:
        """Share of all cores in use, by whomever."""
        signals = self.measured.signals
        used = (
            signals.server_cores,
            signals.generator_cores,
            signals.delay_server_cores,
            signals.harness_cores,
            signals.foreign_cores,
            signals.steal_cores,
        )
        return sum(cores or 0.0 for cores in used) / self.cores


@dataclass(frozen=True, slots=True)
class Rule:
    """A cause, when it holds, and the figures it is told with."""

    cause: str
    holds: Callable[[Evidence], bool]
    figures: Callable[[Evidence], str]


def generator_bound(evidence: Evidence) -> bool:
    """The generator had no time to ask more often."""
    return (evidence.measured.signals.generator_cores or 0.0) > GENERATOR_CORES


def delay_server_late(measured: Measured) -> bool:
    """The delay server's p99 overshoot is over 5 % of the delay or 20 ms, whichever is more."""
    overshoot_ms = measured.signals.overshoot_p99_ms or 0.0
    return overshoot_ms > max(LATE_MS, LATE_SHARE * measured.load.delay_s * 1e3)


def _loop_blocked(evidence: Evidence) -> bool:
    """The loop does not run, and not because it computes."""
    delay_ms = evidence.measured.signals.loop_delay_p50_ms or 0.0
    return delay_ms >= BLOCKED_MS and evidence.server_busy < BUSY


def _pool_bound(evidence: Evidence) -> bool:
    """All threads taken, requests waiting for one, and not just for want of CPU.

    Threads that compete for the interpreter lock fill the pool too; more of
    them would not help, so that is no pool-bound cell.
    """
    signals = evidence.measured.signals
    size, busy, waiting = signals.pool_size, signals.pool_busy_avg, signals.pool_waiting_avg
    if not size or busy is None or waiting is None:
        return False
    at_limit = evidence.measured.load.delay_s > 0 and (evidence.share_of_limit or 0) >= AT_LIMIT
    return busy >= POOL_FULL * size and waiting >= 1 and (at_limit or evidence.server_busy < BUSY)


def _cpu_bound(evidence: Evidence) -> bool:
    return evidence.server_busy >= BUSY or (
        evidence.machine_busy >= MACHINE_BUSY and evidence.server_busy >= 0.5
    )


def _delay_bound(evidence: Evidence) -> bool:
    return evidence.measured.load.delay_s > 0 and (evidence.share_of_limit or 0) >= AT_LIMIT


def _cpu_figures(evidence: Evidence) -> str:
    signals = evidence.measured.signals
    cost = signals.server_ms_per_request
    per_request = "" if cost is None else f"{number(cost)} ms of CPU a request, "
    text = (
        f"{per_request}{signals.server_cores:.2f} of"
        f" {_cores(usable_cores(evidence.trial, evidence.cores))} used"
    )
    if evidence.server_busy < BUSY:
        text += (
            f"; the machine's {evidence.cores} cores are full"
            f" (load generator {signals.generator_cores or 0:.2f})"
        )
    return text


def _cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count} cores"


def _unexplained(evidence: Evidence) -> str:
    share = evidence.share_of_limit
    at = "" if share is None else f" at {share:.0%} of the limit"
    return f"no signal stands out{at}; server CPU {evidence.server_busy:.0%} of what it may use"


RULES: tuple[Rule, ...] = (
    Rule(
        "generator-bound",
        generator_bound,
        lambda e: f"the load generator used {e.measured.signals.generator_cores:.2f} of its 1 core",
    ),
    Rule(
        "upstream-bound",
        lambda e: delay_server_late(e.measured),
        lambda e: (
            f"the delay server answered {e.measured.signals.overshoot_p99_ms:.0f} ms late (p99)"
        ),
    ),
    Rule(
        "loop blocked",
        _loop_blocked,
        lambda e: (
            f"its heartbeat was {milliseconds(e.measured.signals.loop_delay_p50_ms)} late in the"
            f" median, {milliseconds(e.measured.signals.loop_delay_max_ms)} at worst, at"
            f" {e.server_busy:.0%} CPU"
        ),
    ),
    Rule(
        "pool-bound",
        _pool_bound,
        lambda e: (
            f"{e.measured.signals.pool_busy_avg:.0f} of {e.measured.signals.pool_size} threads"
            f" busy, {e.measured.signals.pool_waiting_avg:.0f} waiting"
        ),
    ),
    Rule("CPU-bound", _cpu_bound, _cpu_figures),
    Rule(
        "delay-bound",
        _delay_bound,
        lambda e: f"at {e.share_of_limit:.0%} of the limit: nothing to gain",
    ),
    Rule("unexplained", lambda _: True, _unexplained),
)


def why(evidence: Evidence) -> str:
    """The sentence."""
    rule = next(rule for rule in RULES if rule.holds(evidence))
    return f"{rule.cause}: {rule.figures(evidence)}"
