"""Trials as they would have read on a machine of the usual speed.

A hypervisor that gives a core to someone else doesn't always say so, and neighbours share caches,
memory and clock rate: then all work takes more CPU, and no counter of the system's shows why. But
the harness does the same work in each window, ten looks a second at the same files: the CPU that
takes is a clock of the machine's speed beside the cell. What a cell that computes all the time does
goes up and down with it (measured: within cells by 0.5 to 0.9); one that waits is left as it was
read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.stats import Pairs, fit_control

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from bench.analysis.counted import Counted
    from bench.records.model import KindFigures, Latency, Measured
    from bench.stats import Percentile

COMPUTES = 0.6  # of the cores that its workers may use, for its rate to hang on their speed


# How far the usual speed itself differs from one run to the next: of five runs within 80 minutes,
# the mean over 24 cells that compute went up and down by 1.7 % (those that wait: 0.15 %).
HOURS = 0.015


@dataclass(frozen=True, slots=True)
class Left:
    """What of a cell's mean stays open that its trials don't show: standard errors of its log.

    ``own``: of that cell alone; ``common``: of all that compute alike.
    """

    own: float = 0.0
    common: float = 0.0

    @property
    def whole(self) -> float:
        """Both together."""
        return math.hypot(self.own, self.common)


NOTHING = Left()


@dataclass(frozen=True, slots=True)
class Corrections:
    """Of a run's cells: their trials, and what stays open of each one's mean; absent: nothing."""

    cells: Mapping[str, tuple[Counted, ...]]
    left: Mapping[str, Left]


def at_usual_speed(
    cells: Mapping[str, tuple[Counted, ...]],
    group_of: Mapping[str, str],
    cores: int,
    apart: Collection[str] = (),
) -> Corrections:
    """Those cells corrected that compute and whose clock is known, if the run tells how.

    Args:
        cells: the trials of each that count, as they were read.
        group_of: cells whose trials differ alike: their experiment.
        cores: that a trial may use.
        apart: cells of two regimes: what lies between these is not the machine's doing.
    """
    left = {cell: Left(0.0, HOURS) for cell, trials in cells.items() if _computes(trials, cores)}
    clocks = {cell: _clock(cells[cell]) for cell in left}
    known = {cell: clock for cell, clock in clocks.items() if clock is not None}
    pairs = {
        cell: Pairs(group_of[cell], _logs(cells[cell]), np.array(clock))
        for cell, clock in known.items()
    }
    control = fit_control({cell: pair for cell, pair in pairs.items() if cell not in apart})
    if control is None:
        return Corrections(cells, left)
    found = dict(cells)
    for cell, clock in known.items():
        corrected = control.correct(clock)
        left[cell] = Left(corrected.own_error, math.hypot(HOURS, corrected.common_error))
        found[cell] = tuple(
            _times(one, math.exp(shift))
            for one, shift in zip(cells[cell], corrected.shifts, strict=True)
        )
    return Corrections(found, left)


def _computes(trials: Sequence[Counted], cores: int) -> bool:
    """A cell that mostly waits is hardly slower on a slower machine."""
    used = [one.measured.signals.server_cores for one in trials]
    able = [min(one.trial.workers, cores) for one in trials]
    return bool(trials) and all(
        known is not None and known >= COMPUTES * most
        for known, most in zip(used, able, strict=True)
    )


def _clock(trials: Sequence[Counted]) -> list[float] | None:
    """The logarithm of what the harness's work cost in each trial; None if not known of all."""
    costs = [one.measured.signals.harness_cores_tapered for one in trials]
    known = [math.log(cost) for cost in costs if cost]
    rates = [one.measured.throughput_rps for one in trials]
    return known if len(known) == len(trials) and all(rates) else None


def _logs(trials: Sequence[Counted]) -> NDArray[np.float64]:
    return np.log(np.array([one.measured.throughput_rps for one in trials], dtype=np.float64))


def _times(one: Counted, factor: float) -> Counted:
    """So many times the rate, and all that a request takes that many times less."""
    return replace(one, measured=_scaled(one.measured, factor), corrected=factor)


def _scaled(measured: Measured, factor: float) -> Measured:
    """Throughput times CPU per request stays what was used, and times latency who was there."""
    cost_ms = measured.signals.server_ms_per_request
    return replace(
        measured,
        throughput_rps=measured.throughput_rps * factor,
        latency=_latency(measured.latency, factor),
        signals=replace(
            measured.signals, server_ms_per_request=None if cost_ms is None else cost_ms / factor
        ),
        kinds=tuple(_kind(kind, factor) for kind in measured.kinds),
    )


def _kind(kind: KindFigures, factor: float) -> KindFigures:
    return replace(
        kind,
        throughput_rps=kind.throughput_rps * factor,
        latency=_latency(kind.latency, factor),
    )


def _latency(latency: Latency, factor: float) -> Latency:
    def less(ms: float | None) -> float | None:
        return None if ms is None else ms / factor

    def each(found: Percentile) -> Percentile:
        return replace(
            found,
            value_ms=less(found.value_ms),
            over_ms=less(found.over_ms),
            low_ms=less(found.low_ms),
            high_ms=less(found.high_ms),
        )

    return replace(
        latency,
        p50=each(latency.p50),
        p90=each(latency.p90),
        p99=each(latency.p99),
        mean_measured_ms=less(latency.mean_measured_ms),
        mean_by_little_ms=less(latency.mean_by_little_ms),
    )
