"""What makes a trial suspect: its numbers are printed, with the reason beside them.

Each doubt is a function from the evidence to its reason, None where there is none. A signal that
is not known is no evidence of anything, and is named as missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.reason import Kind, Reason
from bench.analysis.why import LATE_MS, LATE_SHARE
from bench.stats import little_disagrees
from locustfiles.layout import WRONG_BODY

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.analysis.why import Evidence

FEWEST_COMPLETIONS = 30
NOISE_SHARE = 0.05  # of the cores, for steal and for other programs
LEAKED = 4  # threads more, in each half of the window
LOOKS = 3  # at how many are alive: start, middle and end


def doubts(evidence: Evidence) -> tuple[Reason, ...]:
    """All reasons for doubt."""
    return tuple(reason for doubt in DOUBTS if (reason := doubt(evidence)))


def _unknown(evidence: Evidence) -> Reason | None:
    missing = evidence.missing_signals
    return Reason(Kind.UNKNOWN_SIGNALS, words=(", ".join(missing),)) if missing else None


def _few(evidence: Evidence) -> Reason | None:
    completions = evidence.measured.requests.window_succeeded
    return (
        Reason(Kind.FEW_COMPLETIONS, (completions,)) if completions < FEWEST_COMPLETIONS else None
    )


def _little(evidence: Evidence) -> Reason | None:
    latency = evidence.measured.latency
    little, mean = latency.mean_by_little_ms, latency.mean_measured_ms
    if little is None or mean is None or not little_disagrees(mean, little):
        return None
    return Reason(Kind.LITTLE_DISAGREES, (mean, little))


def _wrong_bodies(evidence: Evidence) -> Reason | None:
    requests = evidence.measured.requests
    wrong = requests.failure_kinds.get(WRONG_BODY)
    return Reason(Kind.WRONG_BODIES, (wrong, requests.started)) if wrong else None


def _late_generator(evidence: Evidence) -> Reason | None:
    p99 = evidence.measured.latency.p99
    late_ms = evidence.measured.signals.generator_late_p99_ms
    tail_ms = p99.over_ms if p99.value_ms is None else p99.value_ms
    if not late_ms or not tail_ms or late_ms <= max(LATE_MS, LATE_SHARE * tail_ms):
        return None
    return Reason(Kind.GENERATOR_LATE, (late_ms,))


def _leak(evidence: Evidence) -> Reason | None:
    """Threads grow in both halves of the window, the second as the first, beyond all pools.

    A pool may fill slowly: its threads, and those that the workers had before the load, are none
    too many.
    """
    signals = evidence.measured.signals
    alive = signals.threads_alive
    if len(alive) < LOOKS:
        return None
    first, middle, last = alive
    early, late = middle - first, last - middle
    accounted = (signals.pool_size or 0) + (signals.threads_before or evidence.trial.workers)
    if last <= accounted or min(early, late) < LEAKED or late < early / 2:
        return None
    return Reason(Kind.LEAK, (first, last, accounted))


def _quota(evidence: Evidence) -> Reason | None:
    stopped_s = evidence.measured.signals.quota_throttled_s
    return Reason(Kind.QUOTA, (stopped_s * 1e3,)) if stopped_s else None


def _heat(evidence: Evidence) -> Reason | None:
    times = evidence.measured.signals.heat_throttles
    return Reason(Kind.HEAT, (times,)) if times else None


def _steal(evidence: Evidence) -> Reason | None:
    signals = evidence.measured.signals
    at_server = _taken(Kind.STEAL_AT_SERVER, signals.server_steal_cores, evidence.own_cores)
    return _taken(Kind.STEAL, signals.steal_cores, evidence.cores) or at_server


def _foreign(evidence: Evidence) -> Reason | None:
    """Of all cores, or of the server's own: one full core of sixteen may be the server's."""
    signals = evidence.measured.signals
    at_server = _taken(Kind.FOREIGN_AT_SERVER, signals.server_foreign_cores, evidence.own_cores)
    return _taken(Kind.FOREIGN, signals.foreign_cores, evidence.cores) or at_server


def _taken(kind: Kind, used: float | None, cores: int | None) -> Reason | None:
    if used is None or not cores or used <= NOISE_SHARE * cores:
        return None
    return Reason(kind, (used / cores, cores))


DOUBTS: tuple[Callable[[Evidence], Reason | None], ...] = (
    _unknown,
    _few,
    _little,
    _wrong_bodies,
    _late_generator,
    _leak,
    _quota,
    _heat,
    _steal,
    _foreign,
)
