"""A matrix in parts, each for a machine of its own. Pure.

What is compared must be measured on one machine: answers hold cells against each other that differ
in one axis alone, and those of one io kind (or request) are such. So an io kind stays together,
with all its endpoints, servers and worker counts; only where that is far more than a part's share
of the time it is split, by its servers first. Parts are balanced by what their cells should take,
the largest first (LPT: Graham, SIAM J. Appl. Math. 17, 1969). Every part also has the reference
cells, which show how alike the machines are.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.errors import BadInputError
from bench.plan import make_plan
from bench.records.model import ShardRecord
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.plan import Cell, Plan

MOST = 256
REFERENCES = 2
LARGE = 1.25  # times a part's share of the time, for a group to be split
_SHARD = re.compile(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})")
# What keeps cells together, from the most that is compared to the least.
GROUPS: tuple[Callable[[Cell], tuple[object, ...]], ...] = (
    lambda cell: (cell.io,),
    lambda cell: (cell.io, cell.server),
    lambda cell: (cell.io, cell.server, cell.workers),
)


@dataclass(frozen=True, slots=True)
class Shard:
    """The second of five: 2, 5."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def parse(text: str) -> Shard:
    """As typed: ``2/5``.

    Raises:
        BadInputError: it is none.
    """
    match = _SHARD.fullmatch(text)
    if match is None or not int(match[1]) <= int(match[2]) <= MOST:
        allowed = f"a part of at most {MOST}, as in 2/5"
        raise BadInputError(f"--shard: found {shown(text)}, allowed: {allowed}")
    return Shard(int(match[1]), int(match[2]))


def part_of(plan: Plan, shard: Shard, costs_s: Mapping[str, float]) -> Plan:
    """A part of a plan, with the reference cells of all parts.

    Raises:
        BadInputError: there are fewer groups of cells than parts.
    """
    named = references(plan.cells, costs_s)
    mine = deal(plan.cells, costs_s, shard.of)[shard.number - 1]
    cells = with_references(mine, plan.cells, named)
    record = ShardRecord(
        number=shard.number,
        of=shard.of,
        plan_hash=plan.hash,
        cells=tuple(cell.id for cell in plan.cells),
        own=tuple(cell.id for cell in mine),
        references=named,
    )
    whole = make_plan(cells, plan.profile, seed=plan.seed, target=plan.target)
    # Of two parts with the same cells, as of other plans, each is its own.
    text = f"{whole.hash}:{plan.hash}:{shard}"
    found = hashlib.sha256(text.encode()).hexdigest()[:12]
    return replace(whole, shard=record, hash=found)


def references(cells: Sequence[Cell], costs_s: Mapping[str, float]) -> tuple[str, ...]:
    """The cells that every part has: the quickest, of different io kinds if there are any."""
    quickest = sorted(cells, key=lambda cell: (costs_s[cell.id], cells.index(cell)))
    chosen = quickest[:1]
    chosen += [cell for cell in quickest if cell.io != quickest[0].io][: REFERENCES - 1]
    return tuple(cell.id for cell in chosen)


def deal(
    cells: Sequence[Cell], costs_s: Mapping[str, float], of: int
) -> tuple[tuple[Cell, ...], ...]:
    """The cells of each part, without the references of others, in declared order.

    Raises:
        BadInputError: there are fewer groups than parts.
    """
    share_s = sum(costs_s[cell.id] for cell in cells) / of
    groups = _groups(cells, costs_s, LARGE * share_s)
    if len(groups) < of:
        raise BadInputError(
            f"--shard: found {of} parts, allowed: at most {len(groups)}: that many groups of cells"
            " are compared with one another"
        )
    parts: list[list[Cell]] = [[] for _ in range(of)]
    spent = [0.0] * of
    for group in sorted(groups, key=lambda group: -_cost(group, costs_s)):
        least = spent.index(min(spent))
        parts[least] += group
        spent[least] += _cost(group, costs_s)
    order = {cell.id: at for at, cell in enumerate(cells)}
    return tuple(tuple(sorted(part, key=lambda cell: order[cell.id])) for part in parts)


def with_references(
    part: Sequence[Cell], cells: Sequence[Cell], named: Sequence[str]
) -> tuple[Cell, ...]:
    """A part's cells after the reference cells: the first of all is the one that runs twice."""
    wanted = {*named, *(cell.id for cell in part)}
    first = [cell for name in named for cell in cells if cell.id == name]
    return tuple(dict.fromkeys([*first, *(cell for cell in cells if cell.id in wanted)]))


def _groups(
    cells: Sequence[Cell], costs_s: Mapping[str, float], most_s: float, level: int = 0
) -> list[list[Cell]]:
    found: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        found.setdefault(GROUPS[level](cell), []).append(cell)
    groups = []
    for group in found.values():
        if _cost(group, costs_s) > most_s and level + 1 < len(GROUPS):
            groups += _groups(group, costs_s, most_s, level + 1)
        else:
            groups.append(group)
    return groups


def _cost(group: Sequence[Cell], costs_s: Mapping[str, float]) -> float:
    return sum(costs_s[cell.id] for cell in group)
