"""What the trials of a run tell of each cell's throughput, all cells taken together.

What the machine's speed did to trials is taken out of them first (`usual_speed`). How far those of
one cell still differ is pooled over the cells of its experiment (`stats.spread`), or of its
experiment and worker count where these are not alike (`stats.alike`), so the same trials of one
cell tell more in a run of many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.analysis.counted import Counted, counted
from bench.analysis.fitness import Fitness, Judged, judge
from bench.analysis.usual_speed import NOTHING, Corrections, Left, at_usual_speed
from bench.axes import tags
from bench.stats import (
    Estimate,
    Percentile,
    Regimes,
    estimate,
    find_regimes,
    groups_alike,
    pooled_percentile,
    spreads,
    without_regimes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.records.model import TrialRecord
    from bench.stats import Spread


LEVELS = ("p50", "p90", "p99")


@dataclass(frozen=True, slots=True)
class Known:
    """Of one cell."""

    judged: tuple[tuple[TrialRecord, Judged], ...]  # all its trials
    counted: tuple[Counted, ...]
    disturbed: bool  # none was clean, so disturbed ones count
    regimes: Regimes | None  # where noise can't explain the gap
    more: int  # trials that a gap needs before it is judged
    estimate: Estimate | None  # of the throughput, requests/s; None if nothing counts
    spread: Spread | None  # of one trial's logarithm
    p50: Percentile
    p90: Percentile
    p99: Percentile

    @property
    def shown(self) -> Sequence[Counted]:
        """The trials whose other figures are shown: of two regimes, those of one."""
        return _of_one_regime(self.counted, self.regimes)

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """Those that count."""
        return tuple(one.trial for one in self.counted)

    @property
    def half_width(self) -> float | None:
        """Of the interval, as a share of the value: 0.11 for ± 11 %; None if unknown."""
        found = None if self.estimate is None else self.estimate.half_width
        return None if found is None else math.expm1(found)

    @property
    def swings(self) -> tuple[float, float] | None:
        """The tapered and the plain rate of the last trial that swings, if most that count do."""
        found = [one.measured.steadiness for one in self.counted]
        swinging = [steady for steady in found if steady is not None and steady.swings]
        if 2 * len(swinging) <= len(found):
            return None
        return swinging[-1].tapered_rps, swinging[-1].plain_rps


def knowledge(trials: Iterable[TrialRecord], cores: int) -> dict[str, Known]:
    """By cell, in the order in which they first appear; twins belong to the noise floor."""
    judged: dict[str, list[tuple[TrialRecord, Judged]]] = {}
    for trial in trials:
        if not trial.twin:
            judged.setdefault(trial.cell, []).append((trial, judge(trial, cores)))
    read = {cell: counted(found, cores) for cell, found in judged.items()}
    experiments = {cell: found[0][0].experiment for cell, found in judged.items()}
    apart = _regimes(read, experiments)
    usual = at_usual_speed(read, experiments, cores, {c for c, two in apart.items() if _told(two)})
    regimes = _regimes(usual.cells, experiments)
    logs = {cell: _logs(found) for cell, found in usual.cells.items() if _logs(found)}
    of_one = without_regimes(logs, regimes)
    group_of = experiments | groups_alike(of_one, experiments, _workers(judged))
    pooled = spreads(of_one, group_of)
    percentiles = {level: _percentiles(usual, regimes, judged, level) for level in LEVELS}
    return {
        cell: _known(
            found,
            usual.cells[cell],
            regimes.get(cell),
            pooled.get(group_of[cell]) if cell in logs else None,
            usual.left.get(cell, NOTHING),
            _ascending({level: percentiles[level][cell] for level in LEVELS}),
        )
        for cell, found in judged.items()
    }


def _regimes(
    cells: Mapping[str, Sequence[Counted]], group_of: Mapping[str, str]
) -> dict[str, Regimes]:
    logs = {cell: _logs(found) for cell, found in cells.items()}
    return find_regimes({cell: each for cell, each in logs.items() if each}, group_of)


def _told(regimes: Regimes | None) -> bool:
    """A gap that noise can't explain, or seen often enough."""
    return regimes is not None and (regimes.settled or regimes.clear)


def _percentiles(
    usual: Corrections,
    regimes: Mapping[str, Regimes],
    judged: Mapping[str, Sequence[tuple[TrialRecord, Judged]]],
    level: str,
) -> dict[str, Percentile]:
    """One of the latency's percentiles of each cell; how far trials differ is pooled, too."""
    found = {
        cell: [
            getattr(one.measured.latency, level)
            for one in _of_one_regime(trials, regimes.get(cell))
        ]
        for cell, trials in usual.cells.items()
    }
    logs = {
        cell: [math.log(p.value_ms) for p in each if p.value_ms is not None and p.value_ms > 0]
        for cell, each in found.items()
    }
    known = {cell: each for cell, each in logs.items() if each}
    group_of = {cell: judged[cell][0][0].experiment for cell in known}
    group_of |= groups_alike(known, group_of, _workers(judged))
    pooled = spreads(known, group_of)
    return {
        cell: pooled_percentile(
            each,
            pooled.get(group_of[cell]) if cell in group_of else None,
            usual.left.get(cell, NOTHING).whole,
        )
        for cell, each in found.items()
    }


def _workers(judged: Mapping[str, Sequence[tuple[TrialRecord, Judged]]]) -> dict[str, str]:
    first = {cell: found[0][0] for cell, found in judged.items()}
    return {
        cell: f"w{trial.workers}{tags(trial.settings.items())}" for cell, trial in first.items()
    }


def _ascending(found: Mapping[str, Percentile]) -> dict[str, Percentile]:
    """Each at least as slow as what is known of the one before: a bound of its own may be lower."""
    floor_ms = 0.0
    ascending = {}
    for level, one in found.items():
        if one.value_ms is None and one.over_ms is not None:
            one = replace(one, over_ms=max(one.over_ms, floor_ms))  # noqa: PLW2901
        elif one.low_ms is not None:
            one = replace(one, low_ms=max(one.low_ms, floor_ms))  # noqa: PLW2901
        ascending[level] = one
        known = one.over_ms if one.value_ms is None else one.low_ms
        floor_ms = max(floor_ms, known or 0.0)
    return ascending


def _of_one_regime(counted: Sequence[Counted], regimes: Regimes | None) -> Sequence[Counted]:
    """The trials that count; of two regimes those of the one seen more often, else the slower."""
    if regimes is None or not _told(regimes):
        return counted
    between = math.sqrt(regimes.low[-1] * regimes.high[0])
    slow = len(regimes.low) >= len(regimes.high)
    return [one for one in counted if (one.measured.throughput_rps < between) == slow]


def _known(
    judged: Sequence[tuple[TrialRecord, Judged]],
    counted: Sequence[Counted],
    regimes: Regimes | None,
    spread: Spread | None,
    left: Left,
    percentiles: Mapping[str, Percentile],
) -> Known:
    told = regimes if _told(regimes) else None
    return Known(
        judged=tuple(judged),
        counted=tuple(counted),
        disturbed=any(one.judged.fitness is Fitness.DISTURBED for one in counted),
        regimes=told,
        more=0 if regimes is None else regimes.more,
        estimate=(_estimate(counted, spread, left) if counted and told is None else None),
        spread=spread,
        **percentiles,
    )


def _estimate(counted: Sequence[Counted], spread: Spread | None, left: Left) -> Estimate | None:
    logs = _logs(counted)
    if len(logs) < len(counted):  # nothing was completed in one: no logarithm, and no interval
        rates = [one.measured.throughput_rps for one in counted]
        return Estimate(min(rates), None, None, len(counted)) if not any(rates) else None
    return estimate(logs, spread, within=_error(counted), own=left.own, common=left.common)


def _logs(counted: Sequence[Counted]) -> list[float]:
    rates = [one.measured.throughput_rps for one in counted]
    return [math.log(rate) for rate in rates if rate > 0]


def _error(counted: Sequence[Counted]) -> float:
    """Of the mean logarithm, from within the trials: the floor of what is known between them."""
    errors = [
        one.measured.steadiness.error
        for one in counted
        if one.measured.steadiness is not None and one.measured.steadiness.error is not None
    ]
    return math.sqrt(sum(error**2 for error in errors)) / len(errors) if errors else 0.0
