"""Whole trials of all sides, one after another: for cells whose servers wait, block or leak."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.fitness import Fitness, judge
from bench.plan import PlannedTrial
from bench.report.reasons import sentence
from bench.run.failure import TrialFailed
from bench.turns.model import TRIALS, Cost, Start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.plan import Cell
    from bench.run.trial_runner import TrialRunner
    from bench.turns.model import Contest


@dataclass(frozen=True, slots=True)
class Trials:
    """Runs them; one runner a side."""

    runners: Mapping[str, TrialRunner]

    def start(self, contest: Contest, *, number: int) -> Start:
        """One trial on each side, in an order that turns from start to start.

        Of an even number it is the one before backwards: whatever drifts evenly then falls on
        all sides alike, as in A B B A.

        Raises:
            TrialFailed: a side has no figures.
        """
        began = time.monotonic()
        names = [*self.runners]
        shift = (number - 1) // 2 % len(names)
        order = names[shift:] + names[:shift]
        if number % 2 == 0:
            order.reverse()
        costs = {name: self._cost(name, contest.cells[name], number) for name in order}
        return Start(
            cell=contest.name,
            number=number,
            method=TRIALS,
            costs={name: costs[name] for name in names},
            took_s=round(time.monotonic() - began, 3),
        )

    def _cost(self, name: str, cell: Cell, number: int) -> Cost:
        runner = self.runners[name]
        record = runner(PlannedTrial(number, number, cell))
        runner.put_away(record)
        measured = record.measured
        if measured is None:
            raise TrialFailed(f"{name}: {record.reason}")
        judged = judge(record, runner.cores)
        if judged.fitness is Fitness.INVALID:
            raise TrialFailed(f"{name}: {sentence(judged.reasons)}")
        if not measured.throughput_rps > 0 or measured.signals.server_ms_per_request is None:
            raise TrialFailed(f"{name}: nothing was completed in the window")
        latency_ms = measured.load.users / measured.throughput_rps * 1e3
        if measured.load.theirs:  # who may wait between two requests
            latency_ms = measured.latency.mean_measured_ms or latency_ms
        return Cost(
            latency_ms=latency_ms,
            cpu_ms=measured.signals.server_ms_per_request,
            requests=measured.requests.window_succeeded,
            rss_mb=measured.signals.rss_mb,
        )
