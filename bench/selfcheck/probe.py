"""What the probe costs: the application with it and without it, asked in turn."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.config import fixed
from bench.errors import RequirementError
from bench.run.failure import TrialFailed
from bench.selfcheck.figure import Figure
from bench.selfcheck.trials import cell, trials
from bench.stats import FIRST_STAGE
from bench.text import number
from bench.turns.engine import Unfit, cores, take_turns
from bench.turns.judge import judge
from bench.turns.model import CPU, LATENCY, TWIN, A, B, same

if TYPE_CHECKING:
    from pathlib import Path

    from bench.paths import Paths
    from bench.plan import Cell
    from bench.run.lab import Lab
    from bench.turns.model import Start

SECONDS, QUICK_SECONDS = 5.0, 0.3
STARTS, QUICK_STARTS = FIRST_STAGE, 2
USERS = 8
BOUNDS = (("async", "json", 1.03), ("sync", "json", 1.03), ("async", "noop", 1.08))


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """CPU time per request with the probe over that without, from servers asked in turn."""
    bounds = BOUNDS[:1] if quick else BOUNDS
    cells = [cell(endpoint, io) for endpoint, io, _ in bounds]
    figures = []
    with trials(paths, fixed(4, 0.5, 1.0), cells, delay_s=0.0) as bench:
        lab = bench.runner.lab
        without, with_probe = replace(lab, probe=False), replace(lab, probe=True)
        labs = {A: without, TWIN: without, B: with_probe}
        for which, (_, _, bound) in zip(cells, bounds, strict=True):
            found = judge(_starts(which, labs, bench.runner.folder, quick=quick), 0.05)
            cpu, latency = found[CPU].contrast, found[LATENCY].contrast
            if cpu is None or latency is None:
                raise AssertionError  # of two starts there is a contrast
            low, high = number(cpu.low), number(cpu.high)
            told = f"95 % between {low} and {high}; latency {number(latency.ratio)}"
            what = f"CPU per request with the probe / without, {which.experiment}"
            detail = f"{told}; A/A {number(cpu.twin)}"
            figures.append(Figure(what, cpu.ratio, bound, detail=detail))
    return figures


def _starts(which: Cell, labs: dict[str, Lab], folder: Path, *, quick: bool) -> list[Start]:
    """So many.

    Raises:
        RequirementError: the servers can't be asked in turn here.
    """
    try:
        return [
            _start(which, labs, folder / f"turns-{at}", at, quick=quick)
            for at in range(1, (QUICK_STARTS if quick else STARTS) + 1)
        ]
    except (TrialFailed, Unfit, OSError) as failed:
        raise RequirementError(f"{which.id} can't be measured in turn: {failed}") from failed


def _start(which: Cell, labs: dict[str, Lab], folder: Path, number: int, *, quick: bool) -> Start:
    try:
        return take_turns(
            *(labs, same(which), folder),
            number=number,
            cpus=cores(same(which), number),
            users=USERS,
            seconds=QUICK_SECONDS if quick else SECONDS,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
