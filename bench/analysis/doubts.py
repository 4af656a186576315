"""What makes a trial suspect: its numbers are printed, with the reason beside them.

Each doubt is a function from the evidence to its reason, None where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.why import LATE_MS, LATE_SHARE
from bench.stats import little_disagrees
from bench.text import milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.analysis.why import Evidence

FEWEST_COMPLETIONS = 30
NOISE_SHARE = 0.05  # of all cores, for steal and for other programs
WRONG_BODY = "wrong body"  # as locustfiles/users.py calls it
LEAKED = 4  # threads more, in each half of the window
LOOKS = 3  # at how many are alive: start, middle and end


def doubts(evidence: Evidence) -> tuple[str, ...]:
    """All reasons for doubt."""
    return tuple(reason for doubt in DOUBTS if (reason := doubt(evidence)))


def _few(evidence: Evidence) -> str | None:
    completions = evidence.measured.requests.window_succeeded
    if completions >= FEWEST_COMPLETIONS:
        return None
    return f"only {completions} completions in the window"


def _little(evidence: Evidence) -> str | None:
    latency = evidence.measured.latency
    little, mean = latency.mean_by_little_ms, latency.mean_measured_ms
    if little is None or mean is None or not little_disagrees(mean, little):
        return None
    return (
        f"what finished took {milliseconds(mean)} on average, users / throughput is"
        f" {milliseconds(little)}: the warm-up was too short, or some users starve"
    )


def _wrong_bodies(evidence: Evidence) -> str | None:
    requests = evidence.measured.requests
    wrong = requests.failure_kinds.get(WRONG_BODY)
    if not wrong:
        return None
    return (
        f"{wrong} of {requests.started} answers had another body than the verifying request's: the"
        " work measured may not be the work asked for"
    )


def _late_generator(evidence: Evidence) -> str | None:
    p99 = evidence.measured.latency.p99
    late_ms = evidence.measured.signals.generator_late_p99_ms
    tail_ms = p99.over_ms if p99.value_ms is None else p99.value_ms
    if not late_ms or not tail_ms or late_ms <= max(LATE_MS, LATE_SHARE * tail_ms):
        return None
    return (
        f"the load generator's own timer was {milliseconds(late_ms)} late (p99), which its"
        " latencies contain"
    )


def _leak(evidence: Evidence) -> str | None:
    """Threads grow in both halves of the window, and in the second as in the first.

    A pool grows too, but fills within moments of a steady load.
    """
    alive = evidence.measured.signals.threads_alive
    if len(alive) < LOOKS:
        return None
    first, middle, last = alive
    early, late = middle - first, last - middle
    if min(early, late) < LEAKED or late < early / 2:
        return None
    return (
        f"the application's threads grew from {first} to {last} throughout the window: it leaks"
        " them, so its figures depend on when one looks"
    )


def _quota(evidence: Evidence) -> str | None:
    stopped_s = evidence.measured.signals.quota_throttled_s
    if not stopped_s:
        return None
    return f"a CPU quota stopped processes for {milliseconds(stopped_s * 1e3)} of the window"


def _heat(evidence: Evidence) -> str | None:
    times = evidence.measured.signals.heat_throttles
    return f"the CPU slowed itself down for heat {times} times" if times else None


def _steal(evidence: Evidence) -> str | None:
    return _taken("steal", evidence.measured.signals.steal_cores, evidence.cores)


def _foreign(evidence: Evidence) -> str | None:
    return _taken("other programs", evidence.measured.signals.foreign_cores, evidence.cores)


def _taken(who: str, used: float | None, cores: int) -> str | None:
    if used is None or used <= NOISE_SHARE * cores:
        return None
    return f"{who} took {used / cores:.0%} of the machine's CPU"


DOUBTS: tuple[Callable[[Evidence], str | None], ...] = (
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
