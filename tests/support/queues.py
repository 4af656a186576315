"""Queues whose law is known, simulated: one server, Poisson arrivals, first come first served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.capacity.search import Point
from bench.stats import share_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.capacity.slo import Slo

S = 1_000_000_000
WARMUP_S = 2.0


def served(
    rate: float, services_s: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When each arrives, and how long it takes with its wait, s."""
    arrival_s = np.cumsum(rng.exponential(1.0 / rate, len(services_s)))
    end_s = np.empty_like(arrival_s)
    free_s = 0.0
    for at, (came_s, service_s) in enumerate(zip(arrival_s, services_s, strict=True)):
        free_s = max(free_s, came_s) + service_s
        end_s[at] = free_s
    return arrival_s, end_s - arrival_s


def trial(
    rate: float,
    service_s: float,
    slos: Sequence[Slo],
    window_s: float,
    rng: np.random.Generator,
    *,
    even: bool = False,
) -> Point:
    """One trial's point, as `bench.capacity.trials` makes it."""
    many = int(rate * (WARMUP_S + window_s) * 1.5) + 50
    services_s = np.full(many, service_s) if even else rng.exponential(service_s, many)
    came_s, took_s = served(rate, services_s, rng)
    seen = (came_s >= WARMUP_S) & (came_s < WARMUP_S + window_s)
    came_ns, took_ns = (came_s[seen] * S).astype(np.int64), (took_s[seen] * S).astype(np.int64)
    t0_ns, t1_ns = int(WARMUP_S * S), int((WARMUP_S + window_s) * S)
    return Point(
        rate,
        tuple(
            share_of(took_ns > (slo.within_s or 0.0) * S, came_ns, took_ns, t0_ns, t1_ns)
            for slo in slos
        ),
    )
