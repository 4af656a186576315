"""Cells that differ in their users alone: a curve, and the law that it may follow."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.axes import levels
from bench.stats import LogEffect, fit_law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.rows import Row
    from bench.stats import Law

STEPS = 2  # at least, to be a ladder
GAIN = 0.5  # of what as many more users would bring at the first step's rate: less, and it is bent


@dataclass(frozen=True, slots=True)
class Step:
    """One of its cells."""

    users: int
    row: Row


@dataclass(frozen=True, slots=True)
class Ladder:
    """Of one experiment on one server: its steps by users, ascending."""

    name: str  # the cell's id without its users
    steps: tuple[Step, ...]
    law: Law | None  # None: too few steps with a rate, or one has two regimes
    knee: Step | None  # the last step before users bring less than half of what they should


def ladders(rows: Sequence[Row]) -> tuple[Ladder, ...]:
    """All that the rows hold, in declared order."""
    found: dict[tuple[tuple[str, str], ...], list[Row]] = {}
    for row in rows:
        if "users" in row.settings:
            rest = tuple(pair for pair in levels(row).items() if pair[0] != "users")
            found.setdefault(rest, []).append(row)
    return tuple(_ladder(each) for each in found.values() if len(each) >= STEPS)


def _ladder(rows: Sequence[Row]) -> Ladder:
    steps = sorted((Step(int(row.settings["users"]), row) for row in rows), key=lambda s: s.users)
    name = rows[0].cell.removesuffix(f"-u{rows[0].settings['users']}")
    known = [step for step in steps if _rate(step) is not None]
    return Ladder(name, tuple(steps), _law(known), _knee(known))


def _rate(step: Step) -> float | None:
    found = step.row.throughput_rps if step.row.verdict.usable else None
    return None if found is None or found.value <= 0 else found.value


def _law(known: Sequence[Step]) -> Law | None:
    points = [
        (float(step.users), found, found.half_width, step.row.spread)
        for step in known
        if (found := step.row.throughput_rps) is not None
    ]
    usable = [
        (users, found.value, width / LogEffect(0.0, 1.0, spread.freedom).reach(), found.common)
        for users, found, width, spread in points
        if width is not None and spread is not None
    ]
    if not usable:
        return None
    users, rates, errors, shared = zip(*usable, strict=True)
    # What all steps have alike bends no curve.
    common = min(shared)
    own = [math.sqrt(max(0.0, error**2 - common**2)) for error in errors]
    return fit_law(users, rates, own, common)


def _knee(known: Sequence[Step]) -> Step | None:
    """None where throughput still rises with the users at the last step."""
    for before, after in itertools.pairwise(known):
        low, high = _rate(before), _rate(after)
        if low and high and high / low - 1.0 < GAIN * (after.users / before.users - 1.0):
            return before
    return None
