"""The cells of a simulated run, and what a trial of one reads.

A run has 54 cells of nine experiments. What a trial of a cell reads is drawn from simulated trials
of one case, times what its machine adds from trial to trial; how much that is differs from one
experiment to the next and, less, from one cell to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

import numpy as np

from bench.selfcheck.simulated.catalogue import CASES
from bench.selfcheck.simulated.log import NS_PER_S
from bench.selfcheck.simulated.throughput import ROUNDS, USERS, reading
from bench.selfcheck.simulated.trial import Noise, trials

EXPERIMENTS: Final = (
    "constant 200 ms",
    "loop 27 + 3 ms around 1 s",
    "loop 27 + 3 ms around 200 ms",
    "two workers, 70 and 30 %",
    "blocked loop 200 ms",
    "batches each 0.2 to 1 s",
    "lognormal, 20 users",
    "10 ms, 0.9 % 500 ms, 20 users",
    "CPU 10 ms",
)
CELLS_EACH = 6  # servers and workers
WITHIN = Noise(within=0.04)
SPREADS = (0.003, 0.12)  # of an experiment's trials, drawn evenly in logarithms; measured: to 12 %
CELLS_DIFFER = 0.3  # the logarithm of a cell's spread, about its experiment's
REGIMES_APART = float(np.log(99.5 / 35.0))


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a trial reads: logarithm of read over true, its standard error as the trial knows it,
    whether it is said to swing, how long its window was, and how long all of it took.
    """

    log: float
    error: float
    swings: bool
    window_s: float
    took_s: float


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell's trials are drawn from; ``regimes``: each trial has one of two by chance."""

    experiment: str
    deviation: float
    regimes: bool

    def draw(self, pool: tuple[Drawn, ...], rng: np.random.Generator) -> Drawn:
        """One trial."""
        one = pool[int(rng.integers(len(pool)))]
        log = one.log + self.deviation * float(rng.standard_normal())
        higher = self.regimes and rng.random() < 0.5
        return replace(one, log=log + REGIMES_APART if higher else log)


def cells(rng: np.random.Generator) -> dict[str, Cell]:
    """The cells of one run; the first of them has two regimes."""
    found: dict[str, Cell] = {}
    for experiment in EXPERIMENTS:
        low, high = np.log(SPREADS)
        spread = float(np.exp(rng.uniform(low, high)))
        for number in range(CELLS_EACH):
            deviation = spread * float(np.exp(CELLS_DIFFER * rng.standard_normal()))
            found[f"{experiment} {number}"] = Cell(experiment, deviation, regimes=not found)
    return found


class Draws(Protocol):
    """What trials are drawn from."""

    def of(self, name: str, stretch: int) -> tuple[Drawn, ...]:
        """Of an experiment, with windows so many times as long as it needs at least."""


@dataclass(frozen=True, slots=True)
class Pools:
    """So many simulated trials of a case, of each length of window."""

    count: int

    def of(self, name: str, stretch: int) -> tuple[Drawn, ...]:
        """As `Draws` has it."""
        return _pool(name, self.count, stretch)


@lru_cache(maxsize=128)
def _pool(name: str, count: int, stretch: int) -> tuple[Drawn, ...]:
    found = (
        one
        for number in range(count)
        for one in trials(
            *(CASES[name], USERS[0], (3, number)), rounds=(ROUNDS,), noise=WITHIN, stretch=stretch
        )
    )
    return tuple(
        Drawn(
            float(np.log1p(read.off)),
            read.error or 0.0,
            read.swings,
            (one.t1_ns - one.t0_ns) / NS_PER_S,
            one.t1_ns / NS_PER_S,
        )
        for one in found
        for read in (reading(one),)
    )
