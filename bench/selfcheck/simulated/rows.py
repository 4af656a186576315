"""The percentiles of rows: several trials pooled, on a machine that is not always as fast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.catalogue import CASES
from bench.selfcheck.simulated.cells import EXPERIMENTS, WITHIN, cells
from bench.selfcheck.simulated.throughput import ROUNDS, USERS
from bench.selfcheck.simulated.trial import trials
from bench.selfcheck.simulated.truth import LEVELS, truth
from bench.stats import latency, pooled_percentile, spreads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.selfcheck.simulated.cells import Cell
    from bench.stats import Percentile

Pool = tuple[tuple["Percentile", ...], ...]  # by trial, by level; the truth is 1

_TRIALS = (2, 2, 3, 4)  # of a cell, one of these by chance


@dataclass(frozen=True, slots=True)
class Rows:
    """Of the rows of many runs: the share ``told``, and of these the share that is ``held``."""

    experiment: str
    level: float
    told: float
    held: float


@lru_cache(maxsize=32)
def pool(name: str, count: int) -> Pool:
    """The percentiles of so many simulated trials of a case, as shares of the truth."""
    found = []
    for number in range(count):
        seed = (5, number)
        one = trials(CASES[name], USERS[0], seed, rounds=(ROUNDS,), noise=WITHIN)[0]
        log = one.log
        read = latency(
            log.start_ns, log.end_ns, log.succeeded, one.t0_ns, one.t1_ns, one.released_ns
        )
        true_ms = truth(one.target, one.users, WITHIN.within).latency_ms
        levels = zip((read.p50, read.p90, read.p99), true_ms, strict=True)
        found.append(tuple(_times(percentile, 1.0 / ms) for percentile, ms in levels))
    return tuple(found)


def rows(runs: int, pools: Mapping[str, Pool], *, seed: int = 8) -> Iterator[Rows]:
    """Of that many runs, whose trials are drawn from the pool of each experiment."""
    seen: dict[tuple[str, int], list[bool | None]] = {}
    for number in range(runs):
        rng = np.random.default_rng((seed, number))
        plan = cells(rng)
        drawn = {name: _drawn(cell, pools[cell.experiment], rng) for name, cell in plan.items()}
        for at in range(len(LEVELS)):
            found = {name: [one[at] for one in several] for name, several in drawn.items()}
            for name, held in _held(plan, found).items():
                seen.setdefault((plan[name].experiment, at), []).append(held)
    for experiment in EXPERIMENTS:
        for at, level in enumerate(LEVELS):
            every = seen[experiment, at]
            told = [held for held in every if held is not None]
            share = float(np.mean(told)) if told else 1.0
            yield Rows(experiment, level, told=len(told) / len(every), held=share)


def _drawn(cell: Cell, found: Pool, rng: np.random.Generator) -> list[tuple[Percentile, ...]]:
    """Trials, each of a machine that is as fast as it happens to be."""
    return [
        tuple(_times(one, factor) for one in found[int(rng.integers(len(found)))])
        for _ in range(int(rng.choice(_TRIALS)))
        for factor in (float(np.exp(cell.deviation * rng.standard_normal())),)
    ]


def _held(
    plan: Mapping[str, Cell], found: Mapping[str, Sequence[Percentile]]
) -> dict[str, bool | None]:
    """Whether each cell's interval has the truth in it; None if the row has no value."""
    logs = {
        name: [float(np.log(one.value_ms)) for one in several if one.value_ms is not None]
        for name, several in found.items()
    }
    known = {name: values for name, values in logs.items() if values}
    pooled = spreads(known, {name: plan[name].experiment for name in known})
    held: dict[str, bool | None] = {}
    for name, several in found.items():
        row = pooled_percentile(several, pooled.get(plan[name].experiment))
        low, high = row.low_ms or 0.0, float("inf") if row.high_ms is None else row.high_ms
        held[name] = None if row.value_ms is None else low <= 1.0 <= high
    return held


def _times(one: Percentile, factor: float) -> Percentile:
    value, over, low, high = (
        None if ms is None else ms * factor
        for ms in (one.value_ms, one.over_ms, one.low_ms, one.high_ms)
    )
    return replace(one, value_ms=value, over_ms=over, low_ms=low, high_ms=high)
