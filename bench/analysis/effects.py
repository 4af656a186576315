"""Effects: how many times the throughput of one level of an axis another has, all else equal.

Each pair of cells that differ in the axis alone gives a ratio, with its error from the trials of
the two. Where pairs agree they are one answer, weighted by how well each is known. Where they
don't, the answer is given apart for each worker count, server or experiment: a mean would be true
of none of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import TYPE_CHECKING

from bench.analysis.resources import Resource
from bench.analysis.verdict import Word
from bench.axes import SETTINGS
from bench.axes import levels as levels_of
from bench.stats import LogEffect, benjamini_hochberg, combine, disagree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bench.analysis.rows import Row

SAME = 0.05  # a smaller effect is none worth the name
APART = 0.10  # by which pairs may differ and still be one answer
LEAST = 2  # trials of each cell: one alone may be of either of two regimes
# Of each cell's interval, as a logarithm: ± 50 %. With a wider one anything agrees, and a mean over
# pairs would hide that they differ.
VAGUE = math.log(1.5)
NARROW = math.log1p(SAME) / 2  # half an interval's width, which the scheduler aims for
ANYWAY = 1.2
LONGEST_S = 12 * 3600.0  # nobody waits longer for an answer


class Outcome(Enum):
    """What can be said of two levels."""

    SAME = "same"  # the interval lies inside ± 5 %
    DIFFERENT = "different"  # it lies wholly outside
    UNKNOWN = "not known yet"


@dataclass(frozen=True, slots=True)
class Part:
    """An answer for the pairs of cells that agree."""

    where: tuple[tuple[str, str], ...]  # axes and levels that all its pairs have
    ratio: float
    low: float  # 95 % confidence interval
    high: float
    pairs: int
    outcome: Outcome
    more_s: (
        float | None
    )  # of measuring that would tell, if it isn't known; None: no reasonable time
    turns: tuple[str, str] | None = None  # of what isn't known: a pair, base first, that compute


@dataclass(frozen=True, slots=True)
class Effect:
    """The throughput of ``level`` as a multiple of ``base``'s."""

    axis: str
    level: str
    base: str
    of: str | None  # the io kind, where it is one's
    users: int | None  # None where they vary
    parts: tuple[Part, ...]  # none where all pairs are left out
    unstable: int  # pairs left out, as one of the two has two regimes,
    alone: int = 0  # or as a single trial of one of the two counts,
    vague: int = 0  # or as one of the two is known to worse than ± 50 %
    packages: tuple[str, ...] = ()  # of two Pythons, whose versions differ as well


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two levels of an axis, and the io kind that it is about; None: all."""

    axis: str
    level: str
    base: str
    io: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two cells that differ in one axis alone."""

    axes: tuple[tuple[str, str], ...]  # that they share, with their levels
    cells: tuple[str, str]
    effect: LogEffect
    trials_s: float  # what one more trial of both takes
    compute: bool  # both, with as many workers: they can be asked in turn


def effects(rows: Sequence[Row], users: int) -> tuple[Effect, ...]:
    """All effects that the rows hold, in the order in which people ask.

    ``users`` are those of all rows that have none of their own.
    """
    varied = any("users" in row.settings for row in rows)
    compared = [
        (contrast, pairs(rows, contrast), _left_out(rows, contrast)) for contrast in contrasts(rows)
    ]
    parted = [
        (contrast, _parted(found), left_out)
        for contrast, found, left_out in compared
        if found or any(left_out)
    ]
    whole = [combine([pair.effect for pair in part]) for _, parts, _ in parted for part in parts]
    # Many answers are looked at: those called different must hold after the correction.
    holds = iter(benjamini_hochberg([one.p_beyond(math.log1p(SAME)) for one in whole]))
    return tuple(
        Effect(
            axis=contrast.axis,
            level=contrast.level,
            base=contrast.base,
            of=contrast.io,
            users=None if varied else users,
            parts=tuple(_part(part, differs=next(holds)) for part in parts),
            unstable=unstable,
            alone=alone,
            vague=vague,
        )
        for contrast, parts, (unstable, alone, vague) in parted
    )


def contrasts(rows: Sequence[Row]) -> Iterator[Contrast]:
    """What is compared: blocking against awaited calls, `async def` against `def`, then axes."""
    for level, base in (("async_sync", "async"), ("async", "sync")):
        for io in dict.fromkeys(row.io for row in rows):
            yield Contrast("endpoint", level, base, io)
    for axis in ("workers", "server", "python", *SETTINGS):
        found = [levels_of(row)[axis] for row in rows if axis in levels_of(row)]
        base, *others = dict.fromkeys(found) or [""]
        for other in others:
            yield Contrast(axis, other, base, None)


def pairs(rows: Iterable[Row], contrast: Contrast) -> list[Pair]:
    """Those of valid and rough rows, both known with an interval, from two trials or more."""
    found: dict[tuple[tuple[tuple[str, str], ...], int], dict[str, Row]] = {}
    for row in rows:
        if _known(row) and row.trials >= LEAST and not _vague(row):
            rest, level = _rest(row, contrast)
            if contrast.io in {None, row.io}:
                # Of two machines a ratio would be theirs.
                found.setdefault((rest, row.host), {})[level] = row
    return [
        _pair(rest, levels[contrast.level], levels[contrast.base])
        for (rest, _), levels in found.items()
        if contrast.level in levels and contrast.base in levels
    ]


def between(level: Row, base: Row) -> Part | None:
    """The throughput of one row as a multiple of another's; None where either isn't known."""
    sides = (level, base)
    if level.host != base.host:  # of two machines a ratio would be theirs
        return None
    if any(not _known(row) or row.trials < LEAST or _vague(row) for row in sides):
        return None
    return _part([_pair((), level, base)], differs=True)


def _known(row: Row) -> bool:
    """An open load's throughput is what was asked for: it says nothing of the cell."""
    return (
        row.arrivals is None
        and row.verdict.word in {Word.VALID, Word.ROUGH}
        and _error(row) is not None
    )


def _vague(row: Row) -> bool:
    found = row.throughput_rps
    return found is not None and found.half_width is not None and found.half_width > VAGUE


def _rest(row: Row, contrast: Contrast) -> tuple[tuple[tuple[str, str], ...], str]:
    """The levels of the other axes, and of this one."""
    rest = levels_of(row)
    level = rest.pop(contrast.axis, "")
    return tuple(rest.items()), level


def _error(row: Row) -> tuple[float, float] | None:
    """Of the logarithm of its throughput: the standard error, and its freedom."""
    found, spread = row.throughput_rps, row.spread
    if found is None or spread is None or found.half_width is None or found.value <= 0:
        return None
    alone = LogEffect(0.0, 1.0, spread.freedom)
    return found.half_width / alone.reach(), spread.freedom


def _pair(rest: tuple[tuple[str, str], ...], level: Row, base: Row) -> Pair:
    known = (_error(level), _error(base))
    (error, freedom), (base_error, base_freedom) = (one or (0.0, 0.0) for one in known)
    found = [row.throughput_rps for row in (level, base) if row.throughput_rps is not None]
    rates = [one.value for one in found]
    common = min(one.common for one in found)  # the same in both: none of their ratio
    return Pair(
        axes=rest,
        cells=(level.cell, base.cell),
        effect=LogEffect(
            math.log(rates[0] / rates[1]),
            math.sqrt(max(0.0, error**2 + base_error**2 - 2.0 * common**2)),
            min(freedom, base_freedom),
        ),
        trials_s=level.trial_s * level.trials + base.trial_s * base.trials,
        compute=_computes(level) and _computes(base) and level.workers == base.workers,
    )


def _computes(row: Row) -> bool:
    causes = () if row.why is None else row.why.causes
    return row.waits is False and any(use.resource is Resource.CORE for use in causes)


def _parted(found: Sequence[Pair]) -> list[list[Pair]]:
    """The pairs in as few groups as agree within themselves, by one axis or more that differ."""
    if not found:
        return []
    axes = [axis for axis, levels in _levels(found).items() if len(levels) > 1]
    for count in range(len(axes) + 1):
        for chosen in combinations(axes, count):
            groups = _grouped(found, chosen)
            if not any(_at_odds(group) for group in groups):
                return groups
    return [[pair] for pair in found]


def _at_odds(group: Sequence[Pair]) -> bool:
    return disagree([pair.effect for pair in group], apart=math.log1p(APART))


def _levels(found: Sequence[Pair]) -> dict[str, dict[str, None]]:
    levels: dict[str, dict[str, None]] = {}
    for pair in found:
        for axis, level in pair.axes:
            levels.setdefault(axis, {})[level] = None
    return levels


def _grouped(found: Sequence[Pair], axes: Sequence[str]) -> list[list[Pair]]:
    groups: dict[tuple[str, ...], list[Pair]] = {}
    for pair in found:
        levels = dict(pair.axes)
        groups.setdefault(tuple(levels[axis] for axis in axes), []).append(pair)
    return list(groups.values())


def _part(group: Sequence[Pair], *, differs: bool) -> Part:
    whole = combine([pair.effect for pair in group])
    reach, same = whole.reach(), math.log1p(SAME)
    inside = abs(whole.log) + reach <= same
    beyond = abs(whole.log) - reach > same
    outcome = (
        Outcome.SAME if inside else Outcome.DIFFERENT if beyond and differs else Outcome.UNKNOWN
    )
    shared = _levels(group)
    return Part(
        where=tuple((axis, next(iter(ls))) for axis, ls in shared.items() if len(ls) == 1),
        ratio=math.exp(whole.log),
        low=math.exp(whole.log - reach),
        high=math.exp(whole.log + reach),
        pairs=len(group),
        outcome=outcome,
        more_s=_more_s(group, whole, reach) if outcome is Outcome.UNKNOWN else None,
        turns=_turns(group) if outcome is Outcome.UNKNOWN else None,
    )


def _turns(group: Sequence[Pair]) -> tuple[str, str] | None:
    level, base = next((pair.cells for pair in group if pair.compute), (None, None))
    return None if base is None or level is None else (base, level)


def _more_s(group: Sequence[Pair], whole: LogEffect, reach: float) -> float | None:
    """How long to measure on, for an interval as narrow as this effect needs; None: no use."""
    needed = abs(abs(whole.log) - math.log1p(SAME))
    if needed < NARROW:
        return None
    spent_s = sum(pair.trials_s for pair in group)
    # Where only the correction for many answers stands against it, a little narrower will do.
    more_s = spent_s * (max(reach / needed, ANYWAY) ** 2 - 1.0)
    return more_s if more_s <= LONGEST_S else None


def _left_out(rows: Sequence[Row], contrast: Contrast) -> tuple[int, int, int]:
    """Pairs with a row of two regimes; of known ones those with a single trial, or a vague row."""
    found: dict[tuple[tuple[str, str], ...], dict[str, Row]] = {}
    for row in rows:
        rest, level = _rest(row, contrast)
        if contrast.io in {None, row.io}:
            found.setdefault(rest, {})[level] = row
    sides = [
        (levels[contrast.level], levels[contrast.base])
        for levels in found.values()
        if {contrast.level, contrast.base} <= levels.keys()
    ]
    unstable = sum(Word.UNSTABLE in {row.verdict.word for row in pair} for pair in sides)
    known = [pair for pair in sides if all(map(_known, pair))]
    alone = [pair for pair in known if min(row.trials for row in pair) < LEAST]
    vague = sum(any(map(_vague, pair)) for pair in known if pair not in alone)
    return unstable, len(alone), vague
