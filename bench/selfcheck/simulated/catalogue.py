"""The targets that the harness is tried on, by name."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np

from bench.selfcheck.simulated.delays import Batches, Mixture
from bench.selfcheck.simulated.loops import Loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.selfcheck.simulated.log import Log
    from bench.selfcheck.simulated.speed import Speed


class Target(Hashable, Protocol):
    """A server and what it does, whatever load comes."""

    @property
    def delay_s(self) -> float:
        """Of the delay server, as a window's length goes by it."""

    @property
    def blocked(self) -> bool:
        """Whether it does one request after the other, each to its end."""

    def simulate(
        self, starts_ns: NDArray[np.int64], horizon_ns: int, speed: Speed, rng: np.random.Generator
    ) -> Log:
        """All requests of users that begin at ``starts_ns``, shape (users,), until the horizon."""


@dataclass(frozen=True, slots=True)
class Case:
    """Targets of which each trial has one by chance; what happens in the middle of its window.

    ``users``: where it is not the profile's. ``event``: the machine becomes 20 % slower
    (``step``) or does nothing for 0.5 s (``stall``).
    """

    targets: tuple[Target, ...]
    users: int | None = None
    event: Literal["step", "stall"] | None = None


def _loop(before_ms: float, wait_ms: float, after_ms: float, *shares: float) -> Loop:
    return Loop(before_ms / 1e3, wait_ms / 1e3, after_ms / 1e3, shares or (1.0,))


def _batches(from_s: float, to_s: float) -> tuple[Target, ...]:
    return tuple(Batches(float(period)) for period in np.linspace(from_s, to_s, 29))


_CPU: Final = _loop(10.0, 0.0, 0.0)
CASES: Final[dict[str, Case]] = {
    "constant 200 ms": Case((Mixture(((1.0, 200.0, 0.0),)),)),
    "loop 27 + 3 ms around 1 s": Case((_loop(27.0, 1000.0, 3.0),)),
    "loop 27 + 3 ms around 200 ms": Case((_loop(27.0, 200.0, 3.0),)),
    # Three rounds are longer than any window, and it is always busy: yet it swings.
    "loop 90 + 10 ms around 1 s": Case((_loop(90.0, 1000.0, 10.0),)),
    "two workers, 50 % each": Case((_loop(27.0, 1000.0, 3.0, 0.5, 0.5),)),
    "two workers, 70 and 30 %": Case((_loop(27.0, 1000.0, 3.0, 0.7, 0.3),)),
    "blocked loop 200 ms": Case((_loop(200.0, 0.0, 0.0),)),
    "batches each 0.2 to 1 s": Case(_batches(0.2, 1.0)),
    "batches each 1 to 3 s": Case(_batches(1.0, 3.0)),
    "batches each 3 to 6 s": Case(_batches(3.0, 6.0)),
    "lognormal, 20 users": Case((Mixture(((1.0, 100.0, 1.0),)),), users=20),
    "10 ms, 0.9 % 500 ms, 20 users": Case(
        (Mixture(((0.991, 10.0, 0.0), (0.009, 500.0, 0.0))),), users=20
    ),
    "1 % starve": Case((Mixture(((1.0, 100.0, 0.2),), starved=0.01),), users=100),
    "9 % starve": Case((Mixture(((1.0, 100.0, 0.2),), starved=0.09),), users=100),
    "90 % starve": Case((Mixture(((1.0, 100.0, 0.2),), starved=0.90),), users=100),
    "CPU 10 ms": Case((_CPU,)),
    "CPU 10 ms, step of 20 %": Case((_CPU,), event="step"),
    "CPU 10 ms, stall of 0.5 s": Case((_CPU,), event="stall"),
    "two regimes": Case((_loop(25.0, 1000.0, 3.57), _loop(0.5, 1000.0, 4.5))),
}
