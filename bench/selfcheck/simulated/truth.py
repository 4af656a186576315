"""What is true of a target in its steady state, from one long seeded simulation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated import speed as speeds
from bench.selfcheck.simulated.log import NS_PER_S
from bench.selfcheck.simulated.pacing import releases
from bench.stats import hann_rate

if TYPE_CHECKING:
    from bench.selfcheck.simulated.catalogue import Target

_TIMES, _SETTLED_S, _LOOKED_S, _AFTER_S = 12, 30, 100, 30
_SEED = 20_240_229
_NS = int(NS_PER_S)
LEVELS = (0.50, 0.90, 0.99)


@dataclass(frozen=True, slots=True)
class Truth:
    """Requests per second; the latencies of p50, p90 and p99, ms."""

    throughput_rps: float
    latency_ms: tuple[float, float, float]


@lru_cache(maxsize=256)
def truth(target: Target, users: int, within: float = 0.0) -> Truth:
    """Twelve starts of 30 s each, then 100 s that are looked at: 10 rounds of the slowest.

    Latencies are of the requests that begin in these 100 s, with 30 s more to end; who starves
    has none. Rates are Hann's: there is no better one at that length, whatever the waves. Users
    start over one round, as in a trial: a loop without chance keeps the order in which they
    came for ever, so another start would have other latencies. The round is found out first.

    Args:
        target: what is simulated.
        users: of the closed loop.
        within: the noise of the speed within a trial, as in `speed.noisy`.
    """
    first = _long_run(target, users, within, round_s=np.inf, times=1)
    return _long_run(target, users, within, round_s=users / first.throughput_rps, times=_TIMES)


def _long_run(target: Target, users: int, within: float, *, round_s: float, times: int) -> Truth:
    rng = np.random.default_rng(_SEED)
    t0, t1 = _SETTLED_S * _NS, (_SETTLED_S + _LOOKED_S) * _NS
    horizon_ns = t1 + _AFTER_S * _NS
    rates, took = [], []
    for _ in range(times):
        speed = speeds.noisy(rng, horizon_ns / NS_PER_S, within=within)
        log = target.simulate(releases(users, round_s, rng), horizon_ns, speed, rng)
        rates.append(hann_rate(log.end_ns[log.succeeded], t0, t1))
        looked_at = log.succeeded & (log.start_ns >= t0) & (log.start_ns < t1)
        took.append((log.end_ns - log.start_ns)[looked_at])
    p50, p90, p99 = np.quantile(np.concatenate(took) / 1e6, LEVELS, method="inverted_cdf")
    return Truth(float(np.mean(rates)), (float(p50), float(p90), float(p99)))
