"""The cells of a simulated run, and what a trial of one reads.

A run has 54 cells of nine experiments. What a trial of a cell reads is drawn from simulated trials
of one case, times what differs from trial to trial; how much that is differs from one experiment to
the next and, less, from one cell to the next. A cell that computes follows the machine's speed,
too, which a clock beside it tells, if not exactly and slower beside one cell than beside another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

import numpy as np

from bench.analysis.usual_speed import HOURS
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
COMPUTING: Final = (
    "loop 27 + 3 ms around 1 s",
    "loop 27 + 3 ms around 200 ms",
    "two workers, 70 and 30 %",
    "CPU 10 ms",
)
CELLS_EACH = 6  # servers and workers
WITHIN = Noise(within=0.04)
SPREADS = (0.003, 0.12)  # of an experiment's trials, drawn evenly in logarithms; measured: to 12 %
CELLS_DIFFER = 0.3  # the logarithm of a cell's spread, about its experiment's
MACHINES = (0.005, 0.2)  # how far the machine's speed spreads in a run, drawn as the former
CLOCK_OWN = 0.02  # the clock's own noise from trial to trial
CLOCK_CELLS = (0.005, 0.1)  # how far it is slower beside one cell than beside another
REGIMES_APART = float(np.log(99.5 / 35.0))


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a trial reads: logarithm of read over true, its standard error as the trial knows it,
    whether it is said to swing, how long its window was, how long all of it took, and the
    logarithm of the clock's cost.
    """

    log: float
    error: float
    swings: bool
    window_s: float
    took_s: float
    clock: float = 0.0


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell's trials are drawn from; ``regimes``: each trial has one of two by chance.

    ``machine`` is how far the machine's speed spreads, ``beside`` how much slower the clock is
    beside this cell, ``hour`` how much slower than at other hours the machine is in all of the run;
    logarithms, as is ``deviation`` of what else its trials differ by.
    """

    experiment: str
    deviation: float
    regimes: bool
    machine: float = 0.0
    beside: float = 0.0
    hour: float = 0.0

    @property
    def computes(self) -> bool:
        """Its rate is the machine's speed."""
        return self.experiment in COMPUTING

    def draw(self, pool: tuple[Drawn, ...], rng: np.random.Generator) -> Drawn:
        """One trial."""
        one = pool[int(rng.integers(len(pool)))]
        slower = self.machine * float(rng.standard_normal())
        log = one.log + self.deviation * float(rng.standard_normal())
        if self.computes:
            log -= slower + self.hour
        if self.regimes and rng.random() < 0.5:
            log += REGIMES_APART
        clock = self.beside + slower + self.hour + CLOCK_OWN * float(rng.standard_normal())
        return replace(one, log=log, clock=clock)


def cells(rng: np.random.Generator) -> dict[str, Cell]:
    """The cells of one run; the first of them has two regimes."""
    found: dict[str, Cell] = {}
    machine, besides = _between(MACHINES, rng), _between(CLOCK_CELLS, rng)
    hour = HOURS * float(rng.standard_normal())
    for experiment in EXPERIMENTS:
        spread = _between(SPREADS, rng)
        for number in range(CELLS_EACH):
            deviation = spread * float(np.exp(CELLS_DIFFER * rng.standard_normal()))
            beside = besides * float(rng.standard_normal())
            found[f"{experiment} {number}"] = Cell(
                experiment,
                deviation,
                regimes=not found,
                machine=machine,
                beside=beside,
                hour=hour,
            )
    return found


def _between(ends: tuple[float, float], rng: np.random.Generator) -> float:
    """Evenly in logarithms."""
    low, high = np.log(ends)
    return float(np.exp(rng.uniform(low, high)))


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
