"""What the probe costs."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.selfcheck.figure import Figure
from bench.selfcheck.trials import cell, short, trials

if TYPE_CHECKING:
    from bench.paths import Paths
    from bench.plan import Cell
    from bench.selfcheck.trials import Trials

PAIRS = 9
BOUNDS = (("async", "json", 1.03), ("sync", "json", 1.03), ("async", "noop", 1.08))


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """CPU time per request with the probe over that without, pairs interleaved."""
    # Few users: with many, generator and server fight for the cores and the
    # caches, and the figure is one of that fight.
    profile = short(users=4, warmup_s=0.5, duration_s=0.5 if quick else 4.0)
    bounds = BOUNDS[:1] if quick else BOUNDS
    cells = [cell(endpoint, io) for endpoint, io, _ in bounds]
    ratios: dict[str, list[float]] = {which.id: [] for which in cells}
    with trials(paths, profile, cells, delay_s=1.0) as bench:
        for pair in range(1 if quick else PAIRS):
            for which in cells:
                # Which of the two comes first alternates, so that drift cancels.
                ratios[which.id].append(_ratio(bench, which, probe_first=bool(pair % 2)))
    return [
        Figure(
            f"CPU per request with the probe / without, {which.experiment}",
            statistics.median(ratios[which.id]),
            bound,
            detail="pairs: " + ", ".join(f"{ratio:.3f}" for ratio in sorted(ratios[which.id])),
        )
        for which, (_, _, bound) in zip(cells, bounds, strict=True)
    ]


def _ratio(bench: Trials, which: Cell, *, probe_first: bool) -> float:
    cost = {probe: _cost_ms(bench, which, probe=probe) for probe in (probe_first, not probe_first)}
    return cost[True] / cost[False]


def _cost_ms(bench: Trials, which: Cell, *, probe: bool) -> float:
    _, measured = bench.measured(which, probe=probe)
    return measured.signals.server_ms_per_request or float("nan")
