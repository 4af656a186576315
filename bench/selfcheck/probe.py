"""What the probe costs: the application with it and without it, in turn on one core."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.config import fixed
from bench.selfcheck.alternate import alternate
from bench.selfcheck.figure import Figure
from bench.selfcheck.trials import cell, trials
from bench.text import number

if TYPE_CHECKING:
    from bench.paths import Paths

SECONDS, QUICK_SECONDS = 20.0, 0.5
BOUNDS = (("async", "json", 1.03), ("sync", "json", 1.03), ("async", "noop", 1.08))


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """CPU time per request with the probe over that without, from two servers in turn."""
    bounds = BOUNDS[:1] if quick else BOUNDS
    cells = [cell(endpoint, io) for endpoint, io, _ in bounds]
    figures = []
    with trials(paths, fixed(4, 0.5, 1.0), cells, delay_s=0.0) as bench:
        with_probe = replace(bench.runner.lab, probe=True)
        labs = (replace(with_probe, probe=False), with_probe)
        for which, (_, _, bound) in zip(cells, bounds, strict=True):
            folder = bench.runner.folder / which.id
            seconds = QUICK_SECONDS if quick else SECONDS
            found = alternate(which, labs, folder, seconds=seconds)
            low, high = (number(end) for end in (found.cpu.low, found.cpu.high))
            told = f"95 % between {low} and {high}; latency {number(found.latency.ratio)}"
            what = f"CPU per request with the probe / without, {which.experiment}"
            figures.append(Figure(what, found.cpu.ratio, bound, detail=told))
    return figures
