"""The few answers that a person should read if no others, chosen by rule. Pure.

A question is two levels of one axis: a blocking call against an awaited one, two workers against
one. Of each question the answer that matters most is told: known and different before the same,
the same before not known, and of alike ones the largest. So five lines answer five questions,
where there are as many, and not one question for five io kinds; what room is left is filled with
the next in that order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.analysis.effects import Effect, Outcome
from bench.report import answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.effects import Part

LINES = 5
ORDER = (Outcome.DIFFERENT, Outcome.SAME, Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Answer:
    effect: Effect
    at: int  # which of its parts

    @property
    def part(self) -> Part:
        return self.effect.parts[self.at]

    @property
    def question(self) -> tuple[str, str, str]:
        return self.effect.axis, self.effect.level, self.effect.base

    @property
    def rank(self) -> tuple[int, float]:
        """The lowest is read first."""
        return ORDER.index(self.part.outcome), -abs(math.log(self.part.ratio))


def highlights(found: Sequence[Effect], most: int = LINES) -> list[str]:
    """So many answers at most, a sentence each, the one that matters most first."""
    ranked = sorted(
        (_Answer(effect, at) for effect in found for at in range(len(effect.parts))),
        key=lambda answer: answer.rank,
    )
    first: dict[tuple[str, str, str], _Answer] = {}
    for answer in ranked:
        first.setdefault(answer.question, answer)
    rest = [answer for answer in ranked if answer not in first.values()]
    chosen = [*first.values(), *rest][:most]
    return [_sentence(answer) for answer in sorted(chosen, key=lambda answer: answer.rank)]


def _sentence(answer: _Answer) -> str:
    """Where pairs disagree, for the part alone, which says what it is about."""
    head, parts = answers.told(replace(answer.effect, unstable=0), lambda name: f"`{name}`")
    return f"{head}: {parts[answer.at]}" if parts else head
