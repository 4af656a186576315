"""The combinations that `matrix`, `include` and `exclude` stand for, as in GitHub Actions.

`exclude` takes out each combination that has all of an entry's values. Then `include`: an entry
is added to each combination of the matrix none of whose *matrix* values it would change (values
that came from `include` may be changed); an entry that fits none makes a combination of its own,
to which later entries add nothing.
https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax (strategy.matrix)

Stricter than there: entries without effect and incomplete combinations are errors.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.config.mistakes import Mistake, refuse
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.config.settings import Config, Entry, Level

_MOST = 100_000  # at some ten seconds each, twelve days
_MOST_HELD = 10_000_000  # combinations times entries, each held against each: some seconds


@dataclass(frozen=True, slots=True)
class Combination:
    """A value for each needed axis, perhaps for python, and the entry that made it."""

    levels: Mapping[str, Level]
    made_by: Entry | None  # None: the matrix


def combinations(config: Config) -> tuple[list[Combination], list[Mistake]]:
    """All combinations in declared order, repeated ones included, and what is wrong.

    Raises:
        BadInputError: there are over 100,000, or too many for so many entries.
    """
    axes = config.matrix.levels()
    count = math.prod(len(levels) for levels in axes.values())
    entries = len(config.include) + len(config.exclude)
    most = min(_MOST, _MOST_HELD // max(1, entries))
    if count > most:
        where = f"{shown(str(config.path), 300)}:{config.matrix.line}: matrix"
        beside = f" beside {entries} entries of include and exclude" if most < _MOST else ""
        refuse([Mistake(where, f"{count} combinations", f"at most {most}{beside}")])
    base = [dict(zip(axes, levels, strict=True)) for levels in itertools.product(*axes.values())]
    kept, unused = _exclude(base, config)
    added, idle = _include(kept, config)
    made = [Combination(levels, None) for levels in kept]
    return made + added, [] if config.axes_replaced else unused + idle


def entry_mistake(config: Config, entry: Entry, found: str, allowed: str) -> Mistake:
    """What is wrong with an entry, and where it stands."""
    where = f"{shown(str(config.path), 300)}:{entry.line}: {entry.key}"
    return Mistake(where, found, allowed, entry.line)


def _exclude(
    base: list[dict[str, Level]], config: Config
) -> tuple[list[dict[str, Level]], list[Mistake]]:
    gone: set[int] = set()
    mistakes = []
    for entry in config.exclude:
        wanted = entry.levels.items()
        hits = [index for index, levels in enumerate(base) if wanted <= levels.items()]
        gone.update(hits)
        if not hits:
            found = f"{_said(entry)}, which takes out nothing"
            mistakes.append(entry_mistake(config, entry, found, "values listed under matrix"))
    return [levels for index, levels in enumerate(base) if index not in gone], mistakes


def _include(
    kept: list[dict[str, Level]], config: Config
) -> tuple[list[Combination], list[Mistake]]:
    """Extend the kept ones in place; give those that entries make, and what is wrong."""
    axes = config.matrix.levels()
    made: list[Combination] = []
    mistakes: list[Mistake] = []
    for entry in config.include:
        fixed = {axis: level for axis, level in entry.levels.items() if axis in axes}
        extra = {axis: level for axis, level in entry.levels.items() if axis not in axes}
        lacking = [axis for axis in (*axes, *config.needed_axes) if axis not in entry.levels]
        fitting = [levels for levels in kept if fixed.items() <= levels.items()]
        if fitting and extra:
            for levels in fitting:
                levels.update(extra)
        elif fitting and lacking:
            found = f"{_said(entry)}, which adds nothing to the cells that have it"
            allowed = "a level of another axis, or values that are not in the matrix"
            mistakes.append(entry_mistake(config, entry, found, allowed))
        elif lacking:
            found = f"{_said(entry)}, a new cell without {', '.join(dict.fromkeys(lacking))}"
            allowed = (
                f"a new cell with all of {', '.join(dict.fromkeys((*axes, *config.needed_axes)))}"
            )
            mistakes.append(entry_mistake(config, entry, found, allowed))
        else:
            made.append(Combination(entry.levels, entry))
    return made, mistakes


def _said(entry: Entry) -> str:
    return shown(", ".join(f"{axis} {level}" for axis, level in entry.levels.items()), 120)
