"""What has changed between two runs, by the effects inside each: never by absolute rates.

Two runs may be of two machines, or of one that is slower today: their rates say nothing about each
other. How many times the throughput of `def` an `async def` has is told by each run within itself,
from trials that stood side by side, and the machine's speed cancels out. So the change of an effect
is the ratio of its two ratios.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bench.stats import LogEffect, benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Sequence

# A document tells an interval, but not on how many degrees of freedom of Student's t it rests. Few
# are assumed: tails are then long, and of many effects fewer seem to have changed.
FREEDOM = 4.0


class Changed(Enum):
    """What can be said of an effect in b beside the same in a."""

    CHANGED = "changed"
    SAME = "the same"
    UNKNOWN = "not known yet"  # neither beyond the threshold nor within it, as far as is known


@dataclass(frozen=True, slots=True)
class KnownPart:
    """A part of an effect, as latest.json has it."""

    where: tuple[tuple[str, str], ...]
    ratio: float
    low: float  # 95 % confidence interval
    high: float


@dataclass(frozen=True, slots=True)
class KnownEffect:
    """The throughput of ``level`` as a multiple of ``base``'s, as latest.json has it."""

    axis: str
    level: str
    base: str
    of: str | None
    parts: tuple[KnownPart, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """Which effect: what is compared, of which io kind, and what sets the part apart."""

    axis: str
    level: str
    base: str
    of: str | None
    where: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """An effect in both runs, and b's ratio as a multiple of a's with its 95 % interval."""

    key: Key
    a: KnownPart
    b: KnownPart
    ratio: float
    low: float
    high: float
    word: Changed


@dataclass(frozen=True, slots=True)
class Changes:
    """All effects that both runs have."""

    threshold: float
    compared: tuple[Change, ...]
    only_a: tuple[Key, ...]  # effects, or parts where b's pairs of cells fall into other parts
    only_b: tuple[Key, ...]

    def of(self, word: Changed) -> tuple[Change, ...]:
        """Those of which this is said."""
        return tuple(change for change in self.compared if change.word is word)


def changes(
    a: Sequence[KnownEffect], b: Sequence[KnownEffect], *, threshold: float = 0.05
) -> Changes:
    """Judge each effect that both runs have.

    An effect has changed if the interval of the ratio of ratios lies wholly beyond ``threshold``
    (0.05: by 5 %, either way), and that holds after Benjamini and Hochberg's correction for the
    number of effects, at 5 %. Each ratio then lies beyond the other's interval, too, since that of
    their ratio is the wider one. It is the same if the interval lies within the threshold.
    """
    left, right = _parts(a), _parts(b)
    both = [key for key in left if key in right]
    found = [_difference(left[key][1], right[key][1]) for key in both]
    holds = benjamini_hochberg([one.p_beyond(math.log1p(threshold)) for one in found])
    return Changes(
        threshold=threshold,
        compared=tuple(
            _change(left[key][0], left[key][1], right[key][1], one, threshold, holds=held)
            for key, one, held in zip(both, found, holds, strict=True)
        ),
        only_a=tuple(told for key, (told, _) in left.items() if key not in right),
        only_b=tuple(told for key, (told, _) in right.items() if key not in left),
    )


# What makes two parts the same: what is compared, what sets the part apart, and of which cells.
_Match = tuple[str, str, str, str | None, frozenset[tuple[str, str]], frozenset[tuple[str, str]]]


def _parts(effects: Sequence[KnownEffect]) -> dict[_Match, tuple[Key, KnownPart]]:
    """Each part of each effect by what makes it the same in another run."""
    found: dict[_Match, tuple[Key, KnownPart]] = {}
    for effect in effects:
        if not effect.parts:
            continue
        shared = frozenset.intersection(*(frozenset(part.where) for part in effect.parts))
        # Another Python is a change that is asked about, and not another question.
        scope = frozenset((axis, level) for axis, level in shared if axis != "python")
        for part in effect.parts:
            apart = tuple(pair for pair in part.where if pair not in shared)
            key = Key(effect.axis, effect.level, effect.base, effect.of, apart)
            match = (key.axis, key.level, key.base, key.of, frozenset(apart), scope)
            found[match] = (key, part)
    return found


def _difference(a: KnownPart, b: KnownPart) -> LogEffect:
    """The logarithm of b's ratio over a's; the errors are independent, as the runs are."""
    reach = math.hypot(*(math.log(part.high / part.low) / 2 for part in (a, b)))
    alone = LogEffect(0.0, 1.0, FREEDOM)
    return LogEffect(math.log(b.ratio / a.ratio), reach / alone.reach(), FREEDOM)


def _change(
    key: Key, a: KnownPart, b: KnownPart, found: LogEffect, threshold: float, *, holds: bool
) -> Change:
    reach, same = found.reach(), math.log1p(threshold)
    inside = abs(found.log) + reach <= same
    beyond = abs(found.log) - reach > same
    return Change(
        key=key,
        a=a,
        b=b,
        ratio=math.exp(found.log),
        low=math.exp(found.log - reach),
        high=math.exp(found.log + reach),
        word=Changed.SAME if inside else Changed.CHANGED if beyond and holds else Changed.UNKNOWN,
    )
