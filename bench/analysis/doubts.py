"""What keeps a trial's figures from being sure, however often it is repeated.

Each doubt is a function from the evidence to its reason, None where there is none. A signal that
is not known is no evidence of anything, and is named as missing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.analysis.places import faulty
from bench.analysis.reason import Kind, Reason
from bench.analysis.resources import USED_UP, Resource, uses
from bench.stats import little_disagrees
from locustfiles.layout import WRONG_BODY

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.analysis.evidence import Evidence

FEWEST_COMPLETIONS = 20  # a window is to hold 30, by a rate of few
FEWEST_ROUNDS = 2  # of a user in the window
LEAKED = 4  # threads more, in each half of the window
LOOKS = 3  # at how many are alive: start, middle and end
UNEVEN = 0.05  # by which tapered and plain CPU may differ


def doubts(evidence: Evidence) -> tuple[Reason, ...]:
    """All reasons to doubt the throughput."""
    return tuple(reason for doubt in DOUBTS if (reason := doubt(evidence)))


def remarks(evidence: Evidence) -> tuple[Reason, ...]:
    """What is to be known of other figures; the throughput stands."""
    return tuple(reason for remark in REMARKS if (reason := remark(evidence)))


def _unknown(evidence: Evidence) -> Reason | None:
    missing = evidence.missing_signals
    return Reason(Kind.UNKNOWN_SIGNALS, words=(", ".join(missing),)) if missing else None


def _few(evidence: Evidence) -> Reason | None:
    completions = evidence.measured.requests.window_succeeded
    return (
        Reason(Kind.FEW_COMPLETIONS, (completions,)) if completions < FEWEST_COMPLETIONS else None
    )


def _few_rounds(evidence: Evidence) -> Reason | None:
    """A window of fewer is a phase of the start, unless the server never rests."""
    load, rate = evidence.measured.load, evidence.measured.throughput_rps
    population = evidence.measured.population
    held = rate * load.duration_s / population if population else math.inf
    if not 0 < held < FEWEST_ROUNDS:
        return None
    never_rests = any(
        use.share >= USED_UP and len(use.workers) == evidence.trial.workers
        for use in uses(evidence)
        if use.resource in {Resource.LOOP, Resource.POOL, Resource.EXECUTOR}
    )
    return None if never_rests else Reason(Kind.FEW_ROUNDS, (held,))


def _wrong_bodies(evidence: Evidence) -> Reason | None:
    requests = evidence.measured.requests
    wrong = requests.failure_kinds.get(WRONG_BODY)
    return Reason(Kind.WRONG_BODIES, (wrong, requests.started)) if wrong else None


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


def _little(evidence: Evidence) -> Reason | None:
    """Asked only where a user's round fits into warm-up and window."""
    load, latency = evidence.measured.load, evidence.measured.latency
    little, mean = latency.mean_by_little_ms, latency.mean_measured_ms
    if little is None or mean is None or not little_disagrees(mean, little):
        return None
    if little > 1e3 * min(load.warmup_s, load.duration_s):
        return None
    return Reason(Kind.LITTLE_DISAGREES, (mean, little))


def _uneven(evidence: Evidence) -> Reason | None:
    """Cores used with throughput's weight and without: the work was not even in the window."""
    signals = evidence.measured.signals
    plain, tapered = signals.server_cores, signals.server_cores_tapered
    if not plain or tapered is None or abs(tapered - plain) <= UNEVEN * plain:
        return None
    return Reason(Kind.UNEVEN_CPU, (tapered, plain))


def _oldest(evidence: Evidence) -> Reason | None:
    """A request that has waited since before the window began."""
    age_ms = evidence.measured.requests.oldest_unfinished_ms
    window_ms = 1e3 * evidence.measured.load.duration_s
    return Reason(Kind.OLDER_THAN_WINDOW, (age_ms,)) if age_ms and age_ms > window_ms else None


DOUBTS: tuple[Callable[[Evidence], Reason | None], ...] = (
    _unknown,
    _few,
    _few_rounds,
    _wrong_bodies,
    _leak,
)


def _places(evidence: Evidence) -> Reason | None:
    """Less than nobody somewhere: a party counts what the one around it doesn't."""
    places = evidence.measured.places
    wrong = () if places is None else faulty(places, evidence.measured.population)
    return Reason(Kind.PLACES_WRONG, words=(", ".join(wrong),)) if wrong else None


def _nodelay(evidence: Evidence) -> Reason | None:
    """The kernel then holds back a part of an answer while another is unacknowledged (Nagle)."""
    audit = evidence.measured.process.audit
    if audit is None or audit.nodelay == audit.connections:
        return None
    return Reason(Kind.NO_NODELAY, (audit.connections - audit.nodelay, audit.connections))


REMARKS: tuple[Callable[[Evidence], Reason | None], ...] = (
    _little,
    _oldest,
    _uneven,
    _places,
    _nodelay,
)
