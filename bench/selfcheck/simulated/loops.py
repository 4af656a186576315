"""Targets with event loops: each worker does one thing at a time, first come, first served."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.log import NS_PER_S, Log, joined, log_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.selfcheck.simulated.speed import Speed


@dataclass(frozen=True, slots=True)
class Loop:
    """CPU work, a wait outside, CPU work; in seconds. ``shares`` of the users, one a worker.

    A connection stays with its worker, and a worker is a single server with one queue, first in,
    first out. A wait of 0 with no work after it is a loop that blocks.
    """

    before_s: float
    wait_s: float
    after_s: float
    shares: tuple[float, ...] = (1.0,)
    delay_s: float = 0.2

    def connections(self, users: int) -> list[int]:
        """How many users each worker has."""
        edges = np.rint(users * np.cumsum(self.shares) / sum(self.shares)).astype(int)
        return [int(count) for count in np.diff(edges, prepend=0)]

    def limit_rps(self, users: int) -> float:
        """What no closed loop exceeds: a worker's capacity, or its users over an unloaded round.

        The asymptotic bounds of Denning and Buzen, Computing Surveys 10 (1978); kept where a
        worker is clearly saturated or clearly not.
        """
        work_s = self.before_s + self.after_s
        return sum(
            min(1.0 / work_s, count / (work_s + self.wait_s)) for count in self.connections(users)
        )

    @property
    def blocked(self) -> bool:
        """Whether each request is done to its end before the next begins."""
        return self.wait_s == 0.0

    def simulate(
        self, starts_ns: NDArray[np.int64], horizon_ns: int, speed: Speed, rng: np.random.Generator
    ) -> Log:
        """The users' requests; shape of the starts (users,)."""
        order = rng.permutation(starts_ns.size)
        edges = np.cumsum(self.connections(starts_ns.size))[:-1]
        workers = [
            self._worker(starts_ns, mine, horizon_ns, speed) for mine in np.split(order, edges)
        ]
        return joined(workers)

    def _worker(
        self,
        starts_ns: NDArray[np.int64],
        users: NDArray[np.int64],
        horizon_ns: int,
        speed: Speed,
    ) -> Log:
        horizon_s = horizon_ns / NS_PER_S
        begun = [float(at) for at in starts_ns[users] / NS_PER_S]
        # What will come to the loop, by the moment it comes: (moment, user, whether it is back).
        coming = [(at, user, False) for user, at in enumerate(begun)]
        heapify(coming)
        edges, rates, done = speed.edges_s.tolist(), speed.rates.tolist(), speed.done_s.tolist()
        before_s, wait_s, after_s = self.before_s, self.wait_s, self.after_s
        free_s = free_work = 0.0
        rows: list[tuple[float, float, int]] = []
        while coming and coming[0][0] < horizon_s:
            at, user, back = heappop(coming)
            if at > free_s:
                part = bisect_right(edges, at) - 1
                free_work = done[part] + (at - edges[part]) * rates[part]
            free_work += after_s if back else before_s
            part = bisect_right(done, free_work) - 1
            free_s = edges[part] + (free_work - done[part]) / rates[part]
            if back:
                rows.append((begun[user], free_s, user))
                begun[user] = free_s
                heappush(coming, (free_s, user, False))
            elif after_s or wait_s:
                heappush(coming, (free_s + wait_s, user, True))
            else:
                rows.append((begun[user], free_s, user))
                begun[user] = free_s
                heappush(coming, (free_s, user, False))
        rows.extend((at, np.inf, user) for user, at in enumerate(begun))
        table = np.array(rows, dtype=np.float64).reshape(-1, 3)
        return log_of(table[:, 0], table[:, 1], users[table[:, 2].astype(np.intp)], horizon_ns)
