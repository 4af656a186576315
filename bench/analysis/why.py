"""Why a number is what it is: the first rule that holds, as one sentence with its figures.

The rules are data, in the order in which they are asked. A cause that makes
the number one of something else (the generator, the delay server) comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.limit import delay_limit_rps, usable_cores
from bench.text import milliseconds, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.records.model import Measured, TrialRecord


GENERATOR_CORES = 0.85  # of the one core that the generator can use
NOTABLE_CORES = 0.05  # of other programs
NOTABLE_WAIT = 0.05  # of its time, waiting for a core
BUSY = 0.80  # of the cores that the server may use
MACHINE_BUSY = 0.80  # of all cores, if the server uses half of what it may
MOST_STOLEN = 0.5  # that is allowed for: with more, the machine is full by itself
MACHINE_FULL = 0.95  # of all cores, whoever uses them
LATE_SHARE, LATE_MS = 0.05, 20.0  # of the delay server, whichever is more
BLOCKED_MS = 100.0  # median age of the loop's heartbeat beyond its interval
POOL_FULL = 0.95
MOSTLY = 0.5
AT_LIMIT = 0.90


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
            ("the load generator's CPU", signals.generator_cores),
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
    def own_cores(self) -> int | None:
        """CPUs that the server has for itself; None where it shares all that the trial may use."""
        cpus = self.measured.process.cpus
        return (
            len(cpus) if cpus and self.measured.signals.server_foreign_cores is not None else None
        )

    @property
    def server_busy(self) -> float | None:
        """Share of the cores that the server could use which it did use; None if not known.

        What the hypervisor took it took from all cores alike, as far as can be known.
        """
        used = self.measured.signals.server_cores
        if used is None:
            return None
        left = 1.0 - min(self.stolen, MOST_STOLEN)
        return used / (left * usable_cores(self.trial, self.measured, self.cores))

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
            signals.foreign_cores,
            signals.steal_cores,
        )
        return sum(cores for cores in used if cores is not None) / self.cores


@dataclass(frozen=True, slots=True)
class Rule:
    """A cause, when it holds, and the figures it is told with."""

    cause: str
    holds: Callable[[Evidence], bool]
    figures: Callable[[Evidence], str]


def generator_bound(evidence: Evidence) -> bool:
    """The generator had no time to ask more often: it ran, or waited for a core, all the time."""
    signals = evidence.measured.signals
    known = (signals.generator_cores, signals.generator_waited)
    return sum(share for share in known if share is not None) > GENERATOR_CORES


def _generator_figures(evidence: Evidence) -> str:
    """What it did with its time, as far as is known."""
    signals = evidence.measured.signals
    used, waited = signals.generator_cores, signals.generator_waited
    told = [] if used is None else [f"used {used:.2f} of its 1 core"]
    if waited is not None and waited >= NOTABLE_WAIT:
        told.append(f"waited for {'a core' if used is None else 'it'} {waited:.0%} of the time")
    return f"the load generator {' and '.join(told)}"


def delay_server_late(measured: Measured) -> bool:
    """The delay server's p99 overshoot is over 5 % of the delay or 20 ms, whichever is more."""
    overshoot_ms = measured.signals.overshoot_p99_ms
    return overshoot_ms is not None and overshoot_ms > max(
        LATE_MS, LATE_SHARE * measured.load.delay_s * 1e3
    )


def _loop_blocked(evidence: Evidence) -> bool:
    """The loop does not run, and not because it computes."""
    delay_ms, busy = evidence.measured.signals.loop_delay_p50_ms, evidence.server_busy
    return delay_ms is not None and busy is not None and delay_ms >= BLOCKED_MS and busy < BUSY


def _loop_figures(evidence: Evidence) -> str:
    signals = evidence.measured.signals
    # A block that goes on at the window's end may last for longer yet.
    over = "over " if signals.loop_delay_open else ""
    return (
        f"its heartbeat was {milliseconds(signals.loop_delay_p50_ms)} late in the median,"
        f" {over}{milliseconds(signals.loop_delay_max_ms)} at worst, at"
        f" {evidence.server_busy or 0:.0%} CPU"
    )


def _pool_bound(evidence: Evidence) -> bool:
    """Requests wait for a thread, and the threads wait for the delay or have CPU to spare.

    Threads that compete for the interpreter fill the pool too; more of them
    would not help, so that is no pool-bound cell. The share of the limit is the
    share of a thread's time that the delay takes.
    """
    signals = evidence.measured.signals
    size, waiting = signals.pool_size, signals.pool_waiting_avg
    if not size or signals.pool_busy_avg is None or waiting is None or waiting < 1:
        return False
    waits = evidence.measured.load.delay_s > 0 and (evidence.share_of_limit or 0) >= MOSTLY
    busy = evidence.server_busy
    spare = busy is not None and busy < BUSY
    return waits or (signals.pool_busy_avg >= POOL_FULL * size and spare)


def _pool_figures(evidence: Evidence) -> str:
    signals = evidence.measured.signals
    size, busy = signals.pool_size or 0, signals.pool_busy_avg or 0.0
    text = f"{busy:.0f} of {size} threads busy, {signals.pool_waiting_avg:.0f} waiting"
    if busy < POOL_FULL * size:
        # One pool is full while another is not: connections stay with a worker.
        text += "; the workers have unequal shares of the connections"
    return text


def _cpu_bound(evidence: Evidence) -> bool:
    busy = evidence.server_busy
    if busy is None:
        return False
    return (
        busy >= BUSY
        or (evidence.machine_busy >= MACHINE_BUSY and busy >= 0.5)
        or evidence.machine_busy >= MACHINE_FULL
    )


def _delay_bound(evidence: Evidence) -> bool:
    return evidence.measured.load.delay_s > 0 and (evidence.share_of_limit or 0) >= AT_LIMIT


def _cpu_figures(evidence: Evidence) -> str:
    signals = evidence.measured.signals
    cost = signals.server_ms_per_request
    per_request = "" if cost is None else f"{number(cost)} ms of CPU a request, "
    used = signals.server_cores or 0.0
    text = f"{per_request}{used:.2f} cores used by {_workers(evidence.trial.workers)}"
    if (evidence.server_busy or 0.0) < BUSY:
        told = f"the {evidence.cores} cores were {evidence.machine_busy:.0%} busy"
        text += f"; {told}{_others(evidence)}"
    elif evidence.stolen >= NOTABLE_CORES:
        text += f"; the hypervisor took {evidence.stolen:.0%} of the cores"
    return text


def _others(evidence: Evidence) -> str:
    signals = evidence.measured.signals
    others = [
        ("load generator", signals.generator_cores, 0.0),
        ("other programs", signals.foreign_cores, NOTABLE_CORES),
        ("taken by the hypervisor", signals.steal_cores, NOTABLE_CORES),
    ]
    told = [
        f"{who} {used:.2f}" for who, used, least in others if used is not None and used >= least
    ]
    return f" ({', '.join(told)})" if told else ""


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _unexplained(evidence: Evidence) -> str:
    share = evidence.share_of_limit
    at = "" if share is None else f" at {share:.0%} of the limit"
    told = [f"no signal stands out{at}"]
    used = evidence.measured.signals.server_cores
    if used is not None:
        told.append(f"the server used {used:.2f} cores")
    if missing := evidence.missing_signals:
        told.append(f"not known: {', '.join(missing)}")
    return "; ".join(told)


RULES: tuple[Rule, ...] = (
    Rule(
        "generator-bound",
        generator_bound,
        _generator_figures,
    ),
    Rule(
        "upstream-bound",
        lambda e: delay_server_late(e.measured),
        lambda e: (
            f"the delay server answered {e.measured.signals.overshoot_p99_ms:.0f} ms late (p99)"
        ),
    ),
    Rule("loop blocked", _loop_blocked, _loop_figures),
    Rule("pool-bound", _pool_bound, _pool_figures),
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
