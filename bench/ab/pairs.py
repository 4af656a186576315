"""Which cells are held against which: two that differ in what the sides name, and in nothing else.

Pure: cells and what a person types in, contests out.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from bench.axes import AXES, tags
from bench.axes import levels as levels_of
from bench.errors import BadInputError
from bench.text import shown
from bench.turns.model import TWIN, A, B, Contest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.axes import Levels
    from bench.plan import Cell

EXPERIMENT = ("endpoint", "io")
OWN = "request"  # what people call the io of an application of their own
MOST = 5  # names shown of those that there are


def pairs(cells: Sequence[Cell], a: str, b: str, *, every: bool) -> tuple[Contest, ...]:
    """The contests of side ``b`` against side ``a``, in declared order.

    Args:
        cells: all that there are.
        a: a cell's id, an experiment, or levels such as ``server=uvicorn,workers=1``.
        b: the same for the other side.
        every: of each experiment all pairs, and not just the first server's and worker count's.

    Raises:
        BadInputError: a side names no cell, or the two have no pair.
    """
    named_a, left = _side(cells, a)
    named_b, right = _side(cells, b)
    named = named_a | named_b
    lefts, rights = _by_rest(left, named), _by_rest(right, named)
    shared = [key for key in lefts if key in rights]
    if any(len(lefts[key]) > 1 or len(rights[key]) > 1 for key in shared):
        raise BadInputError(
            f"versus: found {shown(a)} and {shown(b)}, allowed: two that name the same axes, as"
            " server=uvicorn and server=gunicorn do"
        )
    found = [
        _contest(lefts[key][0], rights[key][0], named)
        for key in shared
        if lefts[key] != rights[key]
    ]
    if not found:
        raise BadInputError(
            f"versus: found {shown(a)} and {shown(b)}, allowed: two of which cells differ in that"
            " alone; `nox -s plan` lists all cells"
        )
    return tuple(found if every else _first_of_each(found))


def _side(cells: Sequence[Cell], text: str) -> tuple[set[str], list[Cell]]:
    """The axes that a side names, and its cells.

    Raises:
        BadInputError: there are none.
    """
    if "=" in text:
        return _by_levels(cells, text)
    exact = [cell for cell in cells if cell.id == text]
    if exact:
        return set(AXES), exact
    found = [cell for cell in cells if cell.experiment == text]
    if found:
        return set(EXPERIMENT), found
    close = [cell.id for cell in cells if fnmatch.fnmatchcase(cell.id, f"*{text}*")]
    there = close or [*dict.fromkeys(cell.experiment for cell in cells)]
    raise BadInputError(
        f"versus: found {shown(text)}, allowed: a cell, an experiment or levels such as"
        f" server=uvicorn; there are: {', '.join(there[:MOST])}"
    )


def _by_levels(cells: Sequence[Cell], text: str) -> tuple[set[str], list[Cell]]:
    wanted = dict(piece.partition("=")[::2] for piece in text.split(","))
    if OWN in wanted:
        wanted["io"] = wanted.pop(OWN)
    for axis in wanted:
        if axis not in AXES:
            allowed = ", ".join((*AXES, OWN))
            raise BadInputError(f"versus: found {shown(axis)}, allowed: {allowed}")
    found = [
        cell
        for cell in cells
        if all(levels_of(cell).get(axis) == level for axis, level in wanted.items())
    ]
    if not found:
        there = {
            axis: [*dict.fromkeys(levels_of(cell).get(axis, "none") for cell in cells)]
            for axis in wanted
        }
        levels = "; ".join(f"{axis}: {', '.join(each)}" for axis, each in there.items())
        raise BadInputError(
            f"versus: found {shown(text)}, which has no cells; there are: {shown(levels, 300)}"
        )
    return set(wanted), found


def _by_rest(cells: Sequence[Cell], named: set[str]) -> dict[Levels, list[Cell]]:
    """By the levels of the axes that neither side names."""
    found: dict[Levels, list[Cell]] = {}
    for cell in cells:
        key = tuple(pair for pair in levels_of(cell).items() if pair[0] not in named)
        found.setdefault(key, []).append(cell)
    return found


def _contest(a: Cell, b: Cell, named: set[str]) -> Contest:
    return Contest(_name(a, b, named), {A: a, TWIN: a, B: b})


def _name(a: Cell, b: Cell, named: set[str]) -> str:
    """What the two have in common: `json-uvicorn-w1` of two endpoints."""
    experiment = [a.experiment] if not named & set(EXPERIMENT) else []
    if not experiment:
        experiment = [getattr(a, axis) for axis in EXPERIMENT if axis not in named]
    rest = [
        *experiment,
        *([a.server] if "server" not in named else []),
        *([f"w{a.workers}"] if "workers" not in named else []),
        *([f"py{a.python}"] if "python" not in named and a.names_python else []),
        tags(pair for pair in a.settings if pair[0] not in named and pair[0] in a.named)[1:],
    ]
    return "-".join(part for part in rest if part) or f"{a.id} → {b.id}"


def _first_of_each(found: Sequence[Contest]) -> list[Contest]:
    """One of each experiment on both sides: the first server and worker count listed."""
    first: dict[tuple[str, str], Contest] = {}
    for contest in found:
        a, b = contest.cells[A], contest.cells[B]
        first.setdefault((a.experiment, b.experiment), contest)
    return [*first.values()]
