"""Targets that serve all users at once: a request takes its time, however many others there are.

All is reckoned in the work that the machine's speed allows, and told in time at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.log import NS_PER_S, Log, joined, log_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bench.selfcheck.simulated.speed import Speed

_MORE = 1.2  # times as many draws as the mean needs, so that few users need a second lot


@dataclass(frozen=True, slots=True)
class Mixture:
    """Each latency drawn from one of (share, median in ms, sigma of its logarithm).

    Sigma 0 is a constant, and shares add up to 1. ``starved``: the share of the users that are
    never answered at all, while the others are.
    """

    parts: tuple[tuple[float, float, float], ...]
    starved: float = 0.0
    delay_s: float = 0.2

    @property
    def mean_s(self) -> float:
        """exp(mu + sigma²/2) for each part."""
        return sum(share * ms * float(np.exp(s * s / 2)) for share, ms, s in self.parts) / 1e3

    def hungry(self, users: int) -> int:
        """How many users are never answered."""
        return round(self.starved * users)

    def throughput_rps(self, users: int) -> float:
        """By Little's law: users served at once, over what each takes."""
        return (users - self.hungry(users)) / self.mean_s

    @property
    def blocked(self) -> bool:
        """It always has room for more."""
        return False

    def simulate(
        self, starts_ns: NDArray[np.int64], horizon_ns: int, speed: Speed, rng: np.random.Generator
    ) -> Log:
        """The users' requests; shape of the starts (users,)."""
        never = np.zeros(starts_ns.size, dtype=np.bool_)
        never[rng.permutation(starts_ns.size)[: self.hungry(starts_ns.size)]] = True
        served = renewals(starts_ns, ~never, horizon_ns, speed, lambda shape: self.draw(rng, shape))
        waiting_s = starts_ns[never] / NS_PER_S
        ever = np.full(waiting_s.size, np.inf)
        return joined([served, log_of(waiting_s, ever, np.flatnonzero(never), horizon_ns)])

    def draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Latencies in seconds."""
        shares, medians, sigmas = (np.array(column) for column in zip(*self.parts, strict=True))
        if len(self.parts) == 1:
            part = np.zeros(shape, dtype=np.intp)
        else:
            part = np.searchsorted(np.cumsum(shares)[:-1], rng.random(shape), side="right")
        drawn_s = medians[part] / 1e3
        if sigmas.any():
            drawn_s *= np.exp(sigmas[part] * rng.standard_normal(shape))
        return drawn_s


def renewals(
    starts_ns: NDArray[np.int64],
    who: NDArray[np.bool_],
    horizon_ns: int,
    speed: Speed,
    draw: Callable[[tuple[int, int]], NDArray[np.float64]],
) -> Log:
    """Users that each send one request after the other, independent of the others.

    Args:
        starts_ns: when each user sends its first, shape (users,).
        who: the users that are meant, shape (users,).
        horizon_ns: from here on nothing is seen.
        speed: of the machine.
        draw: the work of requests in seconds, of the shape asked for.
    """
    users = np.flatnonzero(who)
    limit_s = float(speed.work(np.array([horizon_ns / NS_PER_S]))[0])
    edges = speed.work(starts_ns[who] / NS_PER_S)[:, None]
    while edges.size and float(edges[:, -1].min()) < limit_s:
        some = draw((users.size, 16)) if edges.shape[1] == 1 else None
        mean_s = float(some.mean()) if some is not None else float(np.diff(edges).mean())
        left_s = limit_s - float(edges[:, -1].min())
        lot = draw((users.size, int(_MORE * left_s / mean_s) + 16))
        edges = np.concatenate([edges, edges[:, -1:] + np.cumsum(lot, axis=1)], axis=1)
    at_s = speed.when(edges)
    count = at_s.shape[1] - 1
    return log_of(
        at_s[:, :-1].ravel(), at_s[:, 1:].ravel(), np.repeat(users, max(count, 0)), horizon_ns
    )


@dataclass(frozen=True, slots=True)
class Batches:
    """All who wait are answered together, each ``period_s``; the phase is drawn by trial."""

    period_s: float
    delay_s: float = 0.2

    def throughput_rps(self, users: int) -> float:
        """All users, once a period."""
        return users / self.period_s

    @property
    def blocked(self) -> bool:
        """It always has room for more."""
        return False

    def simulate(
        self, starts_ns: NDArray[np.int64], horizon_ns: int, speed: Speed, rng: np.random.Generator
    ) -> Log:
        """The users' requests; shape of the starts (users,)."""
        phase_s = self.period_s * rng.random()
        first = speed.work(starts_ns / NS_PER_S)
        until = float(speed.work(np.array([horizon_ns / NS_PER_S]))[0])
        next_s = phase_s + self.period_s * np.ceil((first - phase_s) / self.period_s + 1e-9)
        beats = int((until - float(next_s.min())) / self.period_s) + 2
        edges = np.concatenate(
            [first[:, None], next_s[:, None] + self.period_s * np.arange(beats)], axis=1
        )
        at_s = speed.when(edges)
        user = np.repeat(np.arange(starts_ns.size), beats)
        return log_of(at_s[:, :-1].ravel(), at_s[:, 1:].ravel(), user, horizon_ns)
