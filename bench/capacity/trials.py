"""One trial at one rate: how long it is to be, and what it says of the objectives."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.capacity.search import Point
from bench.stats import share_of
from locustfiles import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.capacity.slo import Slo
    from bench.config import Profile
    from bench.digest.raw import Raw
    from bench.records.model import Measured

# Of a warm-up and a window, in the times that the queue takes to forget its beginning.
FORGETS, SEEN = 5.0, 40.0
LEAST_WARMUP_S, MOST_WARMUP_S = 1.0, 20.0
LEAST_WINDOW_S, MOST_WINDOW_S = 8.0, 40.0
REQUESTS = 2000  # in a window
BOUNDS = 4.0  # that an objective names, in a window
FULL = 0.98  # of the ceiling: at it a queue never forgets
# In flight at once: so many times what there would be if each took as long as an objective allows.
OVER, LEAST_IN_FLIGHT, MOST_IN_FLIGHT = 10.0, 200, 20_000
WITHOUT_BOUND = 1000


@dataclass(frozen=True, slots=True)
class Cell:
    """What users who wait for their answers have shown of it."""

    ceiling_rps: float  # the most that they got
    alone_s: float  # what a request takes with hardly anybody there


@dataclass(frozen=True, slots=True)
class Trial:
    """What one rate gave."""

    rate: float
    point: Point | None  # None: it tells nothing of the cell,
    reason: str | None = None  # and why; or why it ended early
    measured: Measured | None = None
    why: str | None = None  # what limits it
    disturbed: bool = False
    late: bool = False  # the generator was, by what is nothing to the objectives


def horizon_s(slos: Sequence[Slo]) -> float:
    """The longest that a good request may take."""
    return max((slo.within_s for slo in slos if slo.within_s is not None), default=0.0)


def relaxation_s(rate: float, ceiling_rps: float) -> float:
    """In which a queue forgets how it began, about: 1 / (mu (1 - sqrt(rho))^2) of an M/M/1 queue.

    Cohen, The Single Server Queue, 1982, II.2.1. It is longer than that of more even services.
    """
    load = min(FULL, rate / ceiling_rps)
    return 1.0 / (ceiling_rps * (1.0 - math.sqrt(load)) ** 2)


def paced(profile: Profile, rate: float, cell: Cell, slos: Sequence[Slo], most_s: float) -> Profile:
    """The profile of an open load at that rate; warm-up and window take ``most_s`` at most."""
    forgets_s, bound_s = relaxation_s(rate, cell.ceiling_rps), horizon_s(slos)
    warmup_s = max(LEAST_WARMUP_S, FORGETS * forgets_s, FORGETS * cell.alone_s)
    window_s = max(LEAST_WINDOW_S, SEEN * forgets_s, REQUESTS / rate, BOUNDS * bound_s)
    warmup_s = min(warmup_s, MOST_WARMUP_S, most_s / 4.0)
    window_s = max(1.0, min(window_s + bound_s, MOST_WINDOW_S + bound_s, most_s - warmup_s))
    in_flight = math.ceil(OVER * rate * bound_s) if bound_s else WITHOUT_BOUND
    return replace(
        profile,
        rate=rate,
        in_flight=min(MOST_IN_FLIGHT, LEAST_IN_FLIGHT + in_flight),
        spawn_rate=None,
        warmup_s=round(warmup_s, 3),
        duration_s=round(window_s, 3),
    )


def point(raw: Raw, rate: float, slos: Sequence[Slo]) -> Point:
    """What the requests that were due in the window say of each objective.

    Those due so late in it that their outcome can't be known at its end are left out. A request
    that failed, or was not answered in time, is bad whatever it was that it waited for.
    """
    log, t0 = raw.requests.whole(), raw.facts.t0_ns
    t1 = raw.facts.t1_ns - int(horizon_s(slos) * 1e9)
    due = (log.start_ns >= t0) & (log.start_ns < t1)
    start_ns, outcome = log.start_ns[due], log.outcome[due]
    took_ns = log.end_ns[due] - start_ns
    good, failed = outcome == layout.SUCCEEDED, outcome >= layout.FIRST_FAILURE
    shares = []
    for slo in slos:
        slow = slo.within_s is not None
        bad = ~good | (took_ns > np.int64((slo.within_s or 0.0) * 1e9)) if slow else failed
        shares.append(share_of(bad, start_ns, took_ns if slow else None, t0, max(t1, t0 + 1)))
    return Point(rate, tuple(shares))
