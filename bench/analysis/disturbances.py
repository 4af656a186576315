"""What makes a trial disturbed: something else had its machine, so another one takes its place.

Each is a function from the evidence to its reason, None where there is none. A signal that is not
known is no evidence of anything; `doubts` names it as missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.evidence import LATE_MS, LATE_SHARE
from bench.analysis.reason import Kind, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.analysis.evidence import Evidence

NOISE_SHARE = 0.05  # of the cores, for steal and for other programs


def disturbances(evidence: Evidence) -> tuple[Reason, ...]:
    """All that disturbed the trial."""
    return tuple(reason for one in DISTURBANCES if (reason := one(evidence)))


def _late_generator(evidence: Evidence) -> Reason | None:
    p99 = evidence.measured.latency.p99
    late_ms = evidence.measured.signals.generator_late_p99_ms
    tail_ms = p99.over_ms if p99.value_ms is None else p99.value_ms
    if not late_ms or not tail_ms or late_ms <= max(LATE_MS, LATE_SHARE * tail_ms):
        return None
    return Reason(Kind.GENERATOR_LATE, (late_ms,))


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


DISTURBANCES: tuple[Callable[[Evidence], Reason | None], ...] = (
    _late_generator,
    _quota,
    _heat,
    _steal,
    _foreign,
)
