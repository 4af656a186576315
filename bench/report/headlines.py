"""The few answers that a person reads first: at most five, chosen by the rules below. Pure.

A question is two levels of one axis. `async def` against `def` has an effect for each io kind; they
are one answer here. The axes take turns, in the order in which people ask; within an axis the
question with the largest effect comes first. So five servers never push out the workers.

README, page and CI tell each question with all its parts, a terminal the one part of each that
matters most.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from bench import text
from bench.analysis.effects import SAME, Effect, Outcome, Part
from bench.report.answers import parts_told, sides, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Name = Callable[[str], str]

MOST = 5
FEW = 3  # parts that are told one by one; of more the smallest and the largest
ORDER = (Outcome.DIFFERENT, Outcome.SAME, Outcome.UNKNOWN)  # what is worth a line, first to last


def headlines(effects: Sequence[Effect], name: Name = str) -> tuple[tuple[str, str], ...]:
    """Each question and its answer in words, in the order in which people ask."""
    return tuple(_told(question, name) for question in chosen(effects))


def listed(effects: Sequence[Effect]) -> str | None:
    """The same as a Markdown list, and how to read it."""
    lines = [f"- **{question}:** {answer}" for question, answer in headlines(effects, text.code)]
    if not lines:
        return None
    return "\n".join(lines) + (
        "\n\n2.00× is twice the throughput, all else equal, with its 95 % confidence"
        f" interval; *the same* is within {SAME:.0%}, *not known yet* neither that nor beyond."
    )


def lines(effects: Sequence[Effect]) -> list[str]:
    """At most five short sentences: of each question that is told, the part that matters most.

    Known and different before the same, the same before not known, and of alike ones the largest.
    What room is left is filled with the next in that order.
    """
    questions = [
        sorted(((effect, part) for effect in question for part in effect.parts), key=_rank)
        for question in chosen(effects)
    ]
    first = [parts[0] for parts in questions if parts]
    rest = sorted((one for parts in questions for one in parts[1:]), key=_rank)
    return [_line(effect, part) for effect, part in sorted([*first, *rest][:MOST], key=_rank)]


def _rank(one: tuple[Effect, Part]) -> tuple[int, float]:
    _, part = one
    return ORDER.index(part.outcome), -abs(math.log(part.ratio))


def _line(effect: Effect, part: Part) -> str:
    """Where parts disagree, for this one alone, and which it is."""
    head, parts = told(replace(effect, unstable=0, alone=0, vague=0), text.code)
    return f"{head}: {parts[effect.parts.index(part)]}" if parts else head


def chosen(effects: Sequence[Effect]) -> tuple[tuple[Effect, ...], ...]:
    """The effects of each question that is told."""
    questions: dict[tuple[str, str, str], list[Effect]] = {}
    for effect in effects:
        questions.setdefault((effect.axis, effect.level, effect.base), []).append(effect)
    by_axis: dict[str, list[tuple[str, str, str]]] = {}
    for key in questions:
        # Both of the endpoint's are what this is about.
        axis = "/".join(key[:2]) if key[0] == "endpoint" else key[0]
        by_axis.setdefault(axis, []).append(key)
    ranked = [
        sorted(keys, key=lambda key: -max(map(_size, questions[key]))) for keys in by_axis.values()
    ]
    turns = [key for turn in zip_longest(*ranked) for key in turn if key is not None]
    kept = set(turns[:MOST])
    return tuple(tuple(found) for key, found in questions.items() if key in kept)


def _size(effect: Effect) -> float:
    """Of the largest part that is known to differ; 0 where none is."""
    differing = [part for part in effect.parts if part.outcome is Outcome.DIFFERENT]
    return max((abs(math.log(part.ratio)) for part in differing), default=0.0)


def _told(question: Sequence[Effect], name: Name) -> tuple[str, str]:
    first = question[0]
    at = first.axis == "endpoint" and first.users is not None
    scope = f", at {first.users} users" if at else ""
    parts = [_part(effect, name) for effect in question]
    return f"{sides(first, name)}{scope}", "; ".join(parts)


def _part(effect: Effect, name: Name) -> str:
    said = parts_told(effect, name, brief=True)
    of = "" if effect.of is None else f"{name(effect.of)}: "
    if len(said) <= FEW:
        return f"{of}{', '.join(said)}"
    known = [at for at, part in enumerate(effect.parts) if part.outcome is not Outcome.UNKNOWN]
    # A blocking call is told by what it costs: most where the least throughput is left.
    sign = -1.0 if effect.level == "async_sync" else 1.0
    order = sorted(
        known if len(known) > 1 else range(len(said)), key=lambda at: sign * effect.parts[at].ratio
    )
    least, most = (said[order[at]].partition("; ")[0] for at in (0, -1))
    return f"{of}least {least}; most {most}; {len(said)} kinds of cells{_open(effect.parts)}"


def _open(parts: Sequence[Part]) -> str:
    count = sum(part.outcome is Outcome.UNKNOWN for part in parts)
    return f", {count} of them not known yet" if count else ""
