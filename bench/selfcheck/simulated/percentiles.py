"""Errors of the latency percentiles, what their intervals hold, what is withheld for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.catalogue import CASES
from bench.selfcheck.simulated.delays import Mixture
from bench.selfcheck.simulated.log import NS_PER_S
from bench.selfcheck.simulated.trial import trials
from bench.selfcheck.simulated.truth import LEVELS, truth
from bench.stats import latency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.selfcheck.simulated.trial import Noise, Trial
    from bench.stats import Percentile

_BEYOND = 10  # completions beyond a percentile, of which one can tell: twice what is asked for
SHARP = 1.2  # ends of an interval further apart are printed, instead of the value
FAR = 0.10  # half of that
_ROUNDING = 1e-6  # nanoseconds, told in ms


@dataclass(frozen=True, slots=True)
class Read:
    """One percentile of one trial: its error as a share of the truth, None if withheld.

    ``held``: whether the interval has the truth in it. ``wide``: the interval's ends as a ratio,
    infinite where it is open. ``knowable``: whether the window has enough of it to be told;
    ``starved``: whether it must not be, as it is the latency of those who get no answer.
    """

    error: float | None
    held: bool
    wide: float
    knowable: bool
    starved: bool


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of many trials' percentile; shares of all trials, but ``typical`` and ``held``.

    ``told``: not withheld. ``sharp``: printed as one value, since the ends of its interval are
    within 20 % of one another; ``far``: so printed, and off by over 10 %; ``typical``: the median
    error of what is so printed. ``held``: the share of the told whose interval has the truth in
    it. ``withheld_wrongly``: though it could be told. ``told_wrongly``: though those who starve
    are more than it leaves out.
    """

    level: float
    count: int
    told: float
    sharp: float
    far: float
    typical: float
    held: float
    withheld_wrongly: float
    told_wrongly: float


def percentiles(
    name: str, users: int, noise: Noise, count: int, *, rounds: float, seed: int = 2
) -> Iterator[Percentiles]:
    """Of ``count`` trials of a case, for each level of `LEVELS`."""
    found = [
        _read(one, noise.within)
        for number in range(count)
        for one in trials(CASES[name], users, (seed, number), rounds=(rounds,), noise=noise)
    ]
    for level, same in zip(LEVELS, zip(*found, strict=True), strict=True):
        told = [one for one in same if one.error is not None]
        sharp = [abs(one.error) for one in same if one.error is not None and one.wide <= SHARP]
        lost = sum(one.knowable for one in same if one.error is None)
        yield Percentiles(
            level,
            count,
            told=len(told) / count,
            sharp=len(sharp) / count,
            far=sum(error > FAR for error in sharp) / count,
            typical=float(np.median(sharp)) if sharp else 0.0,
            held=sum(one.held for one in told) / len(told) if told else 1.0,
            withheld_wrongly=lost / count,
            told_wrongly=sum(one.starved for one in told) / count,
        )


def _read(one: Trial, within: float) -> tuple[Read, ...]:
    log = one.log
    found = latency(log.start_ns, log.end_ns, log.succeeded, one.t0_ns, one.t1_ns, one.released_ns)
    true_ms = truth(one.target, one.users, within).latency_ms
    read = (found.p50, found.p90, found.p99)
    return tuple(
        _compared(one, percentile, ms, 1.0 - level)
        for percentile, ms, level in zip(read, true_ms, LEVELS, strict=True)
    )


def _compared(one: Trial, found: Percentile, true_ms: float, tail: float) -> Read:
    low_ms = found.low_ms or 0.0
    high_ms = float("inf") if found.high_ms is None else found.high_ms
    return Read(
        error=None if found.value_ms is None else found.value_ms / true_ms - 1.0,
        held=low_ms - _ROUNDING <= true_ms <= high_ms + _ROUNDING,
        wide=high_ms / low_ms if low_ms > 0 else float("inf"),
        knowable=_knowable(one, true_ms, tail),
        starved=_hungry(one, tail) >= 1.0,
    )


def _knowable(one: Trial, true_ms: float, tail: float) -> bool:
    """Whether the window has what it takes: enough beyond, long enough, and few who starve."""
    window_s = (one.t1_ns - one.t0_ns) / NS_PER_S
    return (
        one.throughput_rps * window_s * tail >= _BEYOND
        and 2.0 * true_ms <= 1e3 * window_s
        and _hungry(one, tail) <= 0.5
    )


def _hungry(one: Trial, tail: float) -> float:
    """Who starves, over the share that a percentile leaves out: from 1 on it is theirs.

    The median speaks of requests, p90 and p99 of users (`bench.stats.latency`).
    """
    hungry = one.target.hungry(one.users) if isinstance(one.target, Mixture) else 0
    answered = one.throughput_rps * (one.t1_ns - one.t0_ns) / NS_PER_S
    return hungry / tail / (one.users if tail < 0.5 else answered + one.users)
