"""Whole runs, simulated: scheduler, pooling and stopping as they are, of trials that are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.analysis.known import knowledge
from bench.plan import Cell as PlannedCell
from bench.plan import make_plan
from bench.run.schedule import Hands, run_plan
from bench.selfcheck.simulated.cells import EXPERIMENTS, REGIMES_APART
from bench.selfcheck.simulated.records import CORES, PROFILE, record

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from bench.plan import PlannedTrial
    from bench.records.model import TrialRecord
    from bench.selfcheck.simulated.cells import Cell, Draws
    from bench.stats import Estimate, Regimes

DISTURBED = 0.05  # of the trials: set aside, and the cell comes again
OVERHEAD_S = 1.2  # of a trial: to start and to stop (measured)

_ENDPOINTS = ("sync", "async", "async_sync")
_IOS = ("http", "http_pooled", "json")
_SERVERS = ("uvicorn", "gunicorn", "hypercorn")
_MOST = 2 * len(_SERVERS)  # cells of an experiment


@dataclass(frozen=True, slots=True)
class Found:
    """What a run says of a cell, of the logarithms of its trials; the truth is 0, a ratio of 1."""

    cell: Cell
    logs: tuple[float, ...]
    estimate: Estimate | None
    regimes: Regimes | None

    @property
    def half_width(self) -> float | None:
        """Of the interval, as a logarithm; None if there is none."""
        return None if self.estimate is None else self.estimate.half_width

    @property
    def held(self) -> bool:
        """Whether the interval has the truth in it."""
        known = self.estimate
        if known is None or known.low is None or known.high is None:
            return False
        return known.low <= 1.0 <= known.high

    @property
    def two(self) -> bool:
        """Whether it is said to have two regimes."""
        return self.regimes is not None

    @property
    def seen_twice(self) -> bool:
        """Whether each of two regimes has had two trials at least."""
        high = sum(log > REGIMES_APART / 2 for log in self.logs)
        return 2 <= high <= len(self.logs) - 2


def run(
    plan: Mapping[str, Cell], pools: Draws, budget_s: float, rng: np.random.Generator
) -> list[Found]:
    """One run to the end of its budget, or until all is known: of the cells that it came to.

    Args:
        plan: its cells by name, at most six of an experiment.
        pools: what trials of each experiment are drawn from.
        budget_s: of the trials' own time.
        rng: of all that is drawn.
    """
    named = _planned(plan)
    profile = replace(PROFILE, budget_s=budget_s)
    planned = make_plan([*named], profile, seed=int(rng.integers(2**31)))
    logs: dict[str, list[float]] = {}
    trials: list[TrialRecord] = []

    def measure(trial: PlannedTrial) -> TrialRecord:
        cell = named[trial.cell]
        one = cell.draw(pools.of(cell.experiment, trial.stretch), rng)
        disturbed = bool(rng.random() < DISTURBED)
        if not disturbed and not trial.twin:
            logs.setdefault(trial.cell.id, []).append(one.log)
        took_s = OVERHEAD_S + one.took_s
        return record(trial, one, took_s, disturbed=disturbed, computes=cell.computes)

    run_plan(planned, (), CORES, Hands(measure, trials.append, lambda *_: None))
    known = knowledge(trials, CORES)
    return [
        Found(cell, tuple(logs.get(one.id, ())), known[one.id].estimate, known[one.id].regimes)
        for one, cell in named.items()
        if one.id in known
    ]


def _planned(plan: Mapping[str, Cell]) -> dict[PlannedCell, Cell]:
    """The cells as a plan has them: each experiment an endpoint and an io kind of its own."""
    counts: dict[str, int] = {}
    found = {}
    for cell in plan.values():
        number = counts.get(cell.experiment, 0)
        counts[cell.experiment] = number + 1
        at = EXPERIMENTS.index(cell.experiment)
        server, workers = _SERVERS[number % len(_SERVERS)], 1 + number // len(_SERVERS)
        found[PlannedCell(_ENDPOINTS[at % 3], _IOS[at // 3], server, workers, "3.12")] = cell
    if max(counts.values()) > _MOST:
        raise ValueError(f"an experiment has {max(counts.values())} cells, at most {_MOST}")
    return found
