"""Where a capacity lies, from what was measured, and which rate to try next. Pure.

At each rate an objective holds, fails, or isn't known: as the 95 % interval of the share of bad
requests lies below, above, or about what may be. That alone needs the more requests the nearer the
rate is to the capacity. So the shares about it are also taken together: their logarithm rises about
straight with that of the rate, over the little way from a fifth of what may be to five times as
much, and where that line meets what may be is the capacity, with an interval. Where a share jumps
from nothing to all, as in a full pool, there is no line, and the bracket is halved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bench.stats import Share, reach_of, together

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from bench.capacity.slo import Slo

FIRST = (0.25, 0.5, 0.8)  # of what users who wait for their answers can have
NEAR, FAR = 5.0, 20.0  # how many times what may be, or a part of it, shares on a line are
REFITS, STEPS = 3, 25
STEEPEST = 1000.0  # slopes: with more it is a step
APART = 0.01  # rates that are nearer than this tell no slope
SIDE = 0.05  # about the estimate: a rate on either side tells most
UP, DOWN = 1.1, 0.5
GIVE_UP = 1 / 128  # of what users who wait can have: with less nothing holds
STEEP = 2.0  # standard errors, by which a slope is one


class Word(Enum):
    """Of one rate."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "not known yet"


@dataclass(frozen=True, slots=True)
class Point:
    """One trial: its rate, and of each objective the share of bad requests.

    There are no shares of one that ended early, falling behind.
    """

    rate: float
    shares: tuple[Share, ...] = ()

    @property
    def overloaded(self) -> bool:
        """It ended early: more came than went."""
        return not self.shares


@dataclass(frozen=True, slots=True)
class Found:
    """A capacity, requests/s."""

    low: float | None  # it is at least; None: no rate is known to hold
    high: float | None  # and at most; None: none is known to fail
    value: float | None  # the best guess
    limited_by: int | None  # the objective that fails first; None: it can't keep up, or not known
    # A rate to be tried once more: an end of the interval that hangs on one trial alone.
    again: float | None = None

    def known(self, precision: float) -> bool:
        """Both ends are within so much of the value, and none hangs on one trial alone."""
        if self.again is not None:
            return False
        if self.low is None or self.high is None or self.value is None:
            return False
        return (
            self.value / self.low - 1.0 <= precision and self.high / self.value - 1.0 <= precision
        )


@dataclass(frozen=True, slots=True)
class _Crossing:
    """Where a share reaches what may be."""

    value: float
    low: float
    high: float


def word(points: Sequence[Point], slos: Sequence[Slo]) -> Word:
    """Of trials at one rate.

    That no request failed shows few failures only after many: an objective of those alone is not
    what keeps a rate from holding (`bench.capacity.told.Capacity.open_errors` asks).
    """
    if any(point.overloaded for point in points):
        return Word.FAILS
    words = []
    for at, slo in enumerate(slos):
        low, high = together([point.shares[at] for point in points]).interval()
        if low > slo.share:
            return Word.FAILS
        words.append(Word.HOLDS if high < slo.share or slo.within_s is None else Word.OPEN)
    return Word.HOLDS if set(words) <= {Word.HOLDS} else Word.OPEN


def by_rate(points: Sequence[Point]) -> dict[float, list[Point]]:
    """Ascending."""
    found: dict[float, list[Point]] = {}
    for point in sorted(points, key=lambda one: one.rate):
        found.setdefault(point.rate, []).append(point)
    return found


def find(points: Sequence[Point], slos: Sequence[Slo]) -> Found:
    """What is known of the capacity."""
    low, high = _bracket(points, slos)
    crossings = {at: _crossing(points, at, slo) for at, slo in enumerate(slos)}
    known = {at: one for at, one in crossings.items() if one is not None}
    if known:
        at = min(known, key=lambda each: known[each].value)
        line = known[at]
        inside_low = line.low if low is None else max(low, line.low)
        inside_high = line.high if high is None else min(high, line.high)
        if inside_low < inside_high:
            inside = min(max(line.value, inside_low), inside_high)
            ends = {inside_low, inside_high} & {low, high}
            return Found(inside_low, inside_high, inside, at, _again(points, ends))
    value = None if low is None or high is None else math.sqrt(low * high)
    by = _failed_by(points, slos, high)
    return Found(low, high, value, by, _again(points, {low, high}))


def _again(points: Sequence[Point], ends: Collection[float | None]) -> float | None:
    """Of these rates the first that was tried but once, and didn't simply fall behind."""
    found = by_rate(points)
    for rate in ends:
        tried = found.get(rate, []) if rate is not None else []
        if len(tried) == 1 and not tried[0].overloaded:
            return rate
    return None


def next_rate(
    points: Sequence[Point], slos: Sequence[Slo], ceiling_rps: float, precision: float
) -> float | None:
    """The rate to try next; None where nothing holds, however little is asked for.

    Args:
        points: of all trials so far.
        slos: what is asked.
        ceiling_rps: what users who wait for their answers can have.
        precision: that the capacity is to be known to.
    """
    low, high = _bracket(points, slos)
    for part in FIRST:
        rate = part * ceiling_rps
        tried = any(point.rate >= (1.0 - APART) * rate for point in points)
        if not tried and (high is None or rate < high):
            return rate
    if high is None:
        return UP * max(point.rate for point in points)
    return _between(points, slos, (low, high), ceiling_rps, precision)


def _between(
    points: Sequence[Point],
    slos: Sequence[Slo],
    bracket: tuple[float | None, float],
    ceiling_rps: float,
    precision: float,
) -> float | None:
    """Where some rate fails."""
    low, high = bracket
    still_open = [
        rate
        for rate, found in by_rate(points).items()
        if word(found, slos) is Word.OPEN and (low or 0.0) < rate < high
    ]
    if low is None and not still_open:
        return DOWN * high if DOWN * high > GIVE_UP * ceiling_rps else None
    guess = find(points, slos)
    if guess.again is not None and replace(guess, again=None).known(precision):
        return guess.again
    if guess.value is not None and _on_a_line(points, slos):
        return _beside(points, guess.value, low or DOWN * guess.value, high)
    if low is None:
        return still_open[-1]
    return _halved(low, high, still_open, precision)


def _bracket(points: Sequence[Point], slos: Sequence[Slo]) -> tuple[float | None, float | None]:
    """The highest rate that holds below the lowest that fails."""
    words = {rate: word(found, slos) for rate, found in by_rate(points).items()}
    high = min((rate for rate, one in words.items() if one is Word.FAILS), default=None)
    holds = (
        rate for rate, one in words.items() if one is Word.HOLDS and (high is None or rate < high)
    )
    return max(holds, default=None), high


def _failed_by(points: Sequence[Point], slos: Sequence[Slo], high: float | None) -> int | None:
    found = by_rate(points).get(high or 0.0, [])
    if not found or any(point.overloaded for point in found):
        return None
    for at, slo in enumerate(slos):
        if together([point.shares[at] for point in found]).interval()[0] > slo.share:
            return at
    return None


def _on_a_line(points: Sequence[Point], slos: Sequence[Slo]) -> bool:
    return any(_crossing(points, at, slo) is not None for at, slo in enumerate(slos))


def _crossing(points: Sequence[Point], at: int, slo: Slo) -> _Crossing | None:
    """Where the line of one objective meets what may be; None where there is no line.

    A Poisson regression of the numbers of bad requests on the rate, whose variance is larger by the
    design effect; that hangs on the rate, too, and of one trial is known badly, so it is taken from
    a line of its own. Where the points lie further from the line than that, all errors are so much
    larger (Birge, Phys. Rev. 40, 1932).
    """
    if slo.within_s is None:
        return None
    chosen = [point for point in points if not point.overloaded and point.shares[at].of]
    line = _line([p for p in chosen if p.shares[at].value <= min(0.5, FAR * slo.share)], at)
    for _ in range(REFITS):
        if line is None:
            return None
        near = [p for p in chosen if slo.share / NEAR <= line.share(p.rate) <= NEAR * slo.share]
        line = _line(near, at) or _line(
            [p for p in chosen if slo.share / FAR <= line.share(p.rate) <= FAR * slo.share], at
        )
    return None if line is None else line.crossing(slo.share)


@dataclass(frozen=True, slots=True)
class _Line:
    """log share = level + slope × (log rate - middle), and how well it is known."""

    middle: float
    level: float
    slope: float
    level_error: float
    slope_error: float
    birge: float
    freedom: int

    def share(self, rate: float) -> float:
        """By the line."""
        return math.exp(min(0.0, self.level + self.slope * (math.log(rate) - self.middle)))

    def crossing(self, share: float) -> _Crossing | None:
        """At that share; None of a slope that may be none."""
        if self.slope <= STEEP * self.slope_error:
            return None
        off = (math.log(share) - self.level) / self.slope
        error = math.hypot(self.level_error, off * self.slope_error) / self.slope
        # Few trials, of those that happened to agree when the search could end.
        reach = reach_of(max(1.0, self.birge) * error, float(self.freedom))
        where = self.middle + off
        return _Crossing(math.exp(where), math.exp(where - reach), math.exp(where + reach))


def _line(points: Sequence[Point], at: int) -> _Line | None:
    """Through trials at two rates or more, of which some had bad requests."""
    rates = np.log([point.rate for point in points])
    found = np.array([float(point.shares[at].found) for point in points])
    of = np.array([float(point.shares[at].of) for point in points])
    if len(points) < 2 or np.ptp(rates) < APART or np.count_nonzero(found) < 2:
        return None
    effects = np.array([point.shares[at].effect for point in points])
    effect = np.exp(_straight(rates, np.log(effects), of))
    # Their logarithms' mean is below that of their mean, and trials in which a crowd came show how
    # large crowds are.
    effect = np.maximum(1.0, effect * np.average(effects / effect, weights=found))
    middle = float(np.average(rates, weights=found))
    x = rates - middle
    level, slope = math.log(found.sum() / of.sum()), 1.0
    for _ in range(STEPS):
        expected = of * np.exp(np.clip(level + slope * x, -30.0, 0.0))
        weight = expected / effect
        target = level + slope * x + (found - expected) / np.maximum(expected, 1e-9)
        mean_x = float(np.average(x, weights=weight))
        mean_y = float(np.average(target, weights=weight))
        spread = float(np.sum(weight * (x - mean_x) ** 2))
        if spread <= 0.0:
            return None
        slope = float(np.sum(weight * (x - mean_x) * (target - mean_y))) / spread
        slope = min(max(slope, 0.0), STEEPEST)
        level = mean_y - slope * mean_x
    expected = of * np.exp(np.clip(level + slope * x, -30.0, 0.0))
    weight = expected / effect
    mean_x = float(np.average(x, weights=weight))
    freedom = len(points) - 1
    off = float(np.sum((found - expected) ** 2 / np.maximum(expected * effect, 1e-9)))
    return _Line(
        middle=middle + mean_x,
        level=level + slope * mean_x,
        slope=slope,
        level_error=1.0 / math.sqrt(float(weight.sum())),
        slope_error=1.0 / math.sqrt(float(np.sum(weight * (x - mean_x) ** 2))),
        birge=math.sqrt(off / max(1, len(points) - 2)),
        freedom=freedom,
    )


def _straight(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The values of a straight line through points."""
    mean_x, mean_y = np.average(x, weights=weights), np.average(y, weights=weights)
    spread = np.sum(weights * (x - mean_x) ** 2)
    slope = np.sum(weights * (x - mean_x) * (y - mean_y)) / spread
    found: NDArray[np.float64] = mean_y + slope * (x - mean_x)
    return found


def _beside(points: Sequence[Point], value: float, low: float, high: float | None) -> float:
    """On the side of the estimate of which less is known."""
    below = sum(value * (1 - 2 * SIDE) <= point.rate < value for point in points)
    above = sum(value <= point.rate <= value * (1 + 2 * SIDE) for point in points)
    rate = value * (1.0 - SIDE if below <= above else 1.0 + SIDE)
    if high is not None and rate >= high:
        rate = math.sqrt(value * high)
    return max(rate, math.sqrt(low * value)) if rate <= low else rate


def _halved(low: float, high: float, still_open: Sequence[float], precision: float) -> float:
    """The middle of the widest gap; where all are narrow, what isn't known once more."""
    edges = [low, *still_open, high]
    gaps = [(after / before, before, after) for before, after in pairwise(edges)]
    ratio, before, after = max(gaps)
    if still_open and ratio <= 1.0 + precision:
        return still_open[len(still_open) // 2]
    return math.sqrt(before * after)
