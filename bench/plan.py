"""What will be measured, and in which order. Pure: values in, values out."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.axes import SETTINGS, tags
from bench.config.combine import combinations, entry_mistake
from bench.config.durations import format_duration, parse_duration
from bench.config.mistakes import Mistake, nearest, refuse
from bench.records.model import FIRST, Purpose
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.axes import Levels
    from bench.config.combine import Combination
    from bench.config.settings import Config, Level, Profile
    from bench.config.target import Target
    from bench.records.model import ShardRecord

_MOST_TRIALS = 100_000  # at some ten seconds each, twelve days
FIRST_PASSES = 2  # of a budget: so every cell has two independent trials
_LIST = "`nox -s plan` lists all cells"


@dataclass(frozen=True, slots=True)
class Cell:
    """An experiment on a server with so many workers, on one Python: what a trial runs."""

    endpoint: str  # "" of one's own application,
    io: str  # and then the name of what is asked
    server: str
    workers: int
    python: str | None = None  # "3.12"; None: the one at hand
    names_python: bool = False  # the id tells it, as the plan has more than one
    settings: Levels = ()  # levels of further axes (`bench.axes`)
    named: tuple[str, ...] = ()  # those of them that the id tells, as they vary

    @property
    def experiment(self) -> str:
        """As people say it: `sync_http`, `async_http`, `async_http_sync`."""
        if not self.endpoint:
            return self.io
        if self.endpoint == "async_sync":
            return f"async_{self.io}_sync"
        return f"{self.endpoint}_{self.io}"

    @property
    def route(self) -> str:
        """`/sync/http`, `/async/http`, `/async/http/sync`."""
        if self.endpoint == "async_sync":
            return f"/async/{self.io}/sync"
        return f"/{self.endpoint}/{self.io}"

    @property
    def id(self) -> str:
        """`sync_json-uvicorn-w2`, with `-py3.12` or `-t200` where Python or threads vary."""
        name = f"{self.experiment}-{self.server}-w{self.workers}"
        name = f"{name}-py{self.python}" if self.names_python else name
        return name + tags((axis, level) for axis, level in self.settings if axis in self.named)

    def load(self, profile: Profile) -> Profile:
        """The profile with the users and the delay that are this cell's own."""
        own = dict(self.settings)
        changed: dict[str, Any] = {}
        if "users" in own:
            changed["users"] = int(own["users"])
        if "delay" in own:
            changed["delay_s"] = parse_duration(own["delay"])
        return replace(profile, **changed) if changed else profile

    @property
    def environment(self) -> tuple[str | None, str]:
        """The (python, server) whose environment it needs."""
        return self.python, self.server


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """One timed run to come; `index` counts through the plan, both count from 1."""

    index: int
    round: int
    cell: Cell
    twin: bool = False  # the second entry of the cell that each round has twice (A/A)
    stretch: int = 1  # how many times as long a window as its cell needs at least
    generators: int = 1  # processes that its load needs, where it isn't said how many there are
    purpose: Purpose = FIRST


@dataclass(frozen=True, slots=True)
class Plan:
    """All trials of a run, in order. Two plans of the same `hash` measure the same."""

    cells: tuple[Cell, ...]
    trials: tuple[PlannedTrial, ...]
    profile: Profile
    seed: int
    hash: str
    target: Target | None = None  # a person's own application
    shard: ShardRecord | None = None  # of which plan this is a part

    @property
    def settings(self) -> dict[str, str]:
        """Levels of axes that don't vary, which no cell's id tells."""
        pairs = (
            (axis, level)
            for cell in self.cells
            for axis, level in cell.settings
            if axis not in cell.named
        )
        return dict(pairs)

    @property
    def varied(self) -> tuple[str, ...]:
        """The axes that ids tell, in which cells may differ."""
        return tuple(dict.fromkeys(axis for cell in self.cells for axis in cell.named))


def expand(config: Config, default_python: str) -> tuple[Cell, ...]:
    """The cells of a configuration, in declared order; those of `include` come last.

    `default_python` ("3.12") runs the cells that name none.

    Raises:
        BadInputError: entries without effect, incomplete or repeated cells, none or over 100,000.
    """
    made, mistakes = combinations(config)
    pythons = {combination.levels.get("python", default_python) for combination in made}
    found = {axis: {combination.levels.get(axis) for combination in made} for axis in SETTINGS}
    named = tuple(axis for axis, each in found.items() if len(each) > 1)
    cells: dict[str, Cell] = {}
    at_matrix = f"{shown(str(config.path), 300)}:{config.matrix.line}: matrix"
    for combination in made:
        cell = _cell(combination, default_python, named, names_python=len(pythons) > 1)
        twin = cells.setdefault(cell.id, cell)
        if twin is cell or (twin == cell and config.axes_replaced):
            continue
        if combination.made_by:
            again, allowed = f"the cell {cell.id} again", "cells that are not there yet"
            mistakes.append(entry_mistake(config, combination.made_by, again, allowed))
        else:  # two kinds named x and x_sync: both have an async_x_sync
            again, allowed = f"two cells named {cell.id}", "io kinds that don't end in _sync"
            mistakes.append(Mistake(at_matrix, again, allowed, config.matrix.line))
    if not cells:
        mistakes.append(Mistake(at_matrix, "no cell left by exclude", "one at least"))
    if mistakes:
        refuse(mistakes)
    return tuple(cells.values())


def _cell(
    combination: Combination, default_python: str, named: tuple[str, ...], *, names_python: bool
) -> Cell:
    levels = combination.levels
    return Cell(
        endpoint=str(levels.get("endpoint", "")),
        io=str(levels.get("request", levels.get("io"))),
        server=str(levels["server"]),
        workers=int(levels["workers"]),
        python=str(levels.get("python", default_python)),
        names_python=names_python,
        settings=tuple((axis, _said(axis, levels[axis])) for axis in SETTINGS if axis in levels),
        named=named,
    )


def _said(axis: str, level: Level) -> str:
    """A level of a setting as ids and records have it."""
    return format_duration(float(level)) if axis == "delay" else str(level)


def select(cells: Sequence[Cell], globs: Sequence[str]) -> tuple[Cell, ...]:
    """The cells whose id or experiment matches one of the globs; all when there are none.

    Raises:
        BadInputError: a glob matches nothing.
    """
    if not globs:
        return tuple(cells)
    return _picked(cells, globs, "--select", every=True)


def resolve_single(
    cells: Sequence[Cell], names: Sequence[str], *, every: bool = False
) -> tuple[Cell, ...]:
    """The cells meant by names: full ids, globs on ids, or experiments.

    An experiment means its first cell (the first server and worker count listed), or each of
    its cells with `every`, for when servers or worker counts were asked for.

    Raises:
        BadInputError: a name fits no cell, or there is no name.
    """
    if not names:
        refuse([Mistake("single", "no name", f"names such as {cells[0].experiment}; {_LIST}")])
    return _picked(cells, names, "single", every=every)


def _picked(
    cells: Sequence[Cell], names: Sequence[str], where: str, *, every: bool
) -> tuple[Cell, ...]:
    by_id = {cell.id: cell for cell in cells}
    chosen: set[str] = set()
    mistakes = []
    for name in names:
        hits = [key for key, cell in by_id.items() if cell.experiment == name]
        if not every and hits:
            # Its first server, worker count and so on, with all users of a ladder.
            first = _but_users(by_id[hits[0]])
            hits = [key for key in hits if _but_users(by_id[key]) == first]
        if not hits:
            hits = [key for key in by_id if fnmatch.fnmatchcase(key, name)]
        chosen.update(hits)
        if not hits:
            mistakes.append(Mistake(where, shown(name), _suggestion(name, cells)))
    if mistakes:
        refuse(mistakes)
    return tuple(cell for key, cell in by_id.items() if key in chosen)


def _but_users(cell: Cell) -> Cell:
    return replace(cell, settings=tuple(one for one in cell.settings if one[0] != "users"))


def _suggestion(name: str, cells: Sequence[Cell]) -> str:
    experiments = [*dict.fromkeys(cell.experiment for cell in cells)]
    close = nearest(name, [*experiments, *(cell.id for cell in cells)], 5) or experiments[:5]
    return f"an experiment, a cell or a glob (nearest: {', '.join(close)}); {_LIST}"


def make_plan(
    cells: Sequence[Cell], profile: Profile, *, seed: int, target: Target | None = None
) -> Plan:
    """Every cell once in each round, each round in an order of its own, given by the seed.

    With two rounds or more the first cell is entered twice in each (A/A): what differs between
    the two entries is noise. The order comes from SHA-256, so it is the same with any Python, on
    any machine. With a budget these are the first passes; what follows them depends on what they
    find (`bench.run.schedule`).

    Raises:
        BadInputError: over 100,000 trials, or an open load of users who bring their own.
    """
    own_users = [] if target is None else [c for c in cells if c.experiment in target.locustfiles]
    if profile.rate is not None and own_users:
        allowed = "a closed load, or --select without it: a locustfile's users have their own pace"
        refuse([Mistake(own_users[0].id, f"an open load of {profile.rate:g} requests/s", allowed)])
    rounds = FIRST_PASSES if profile.rounds is None else profile.rounds
    if len(cells) * rounds > _MOST_TRIALS:
        found = f"{len(cells)} cells in {rounds} rounds"
        refuse([Mistake("plan", found, f"at most {_MOST_TRIALS} trials")])
    entries = [(cell, False) for cell in cells]
    if rounds > 1:
        entries += [(cell, True) for cell in cells[:1]]
    order = [
        (number, cell, twin)
        for number in range(1, rounds + 1)
        for cell, twin in shuffled(entries, seed, number)
    ]
    trials = (PlannedTrial(index, *entry) for index, entry in enumerate(order, 1))
    return Plan(
        cells=tuple(cells),
        trials=tuple(trials),
        profile=profile,
        seed=seed,
        hash=_plan_hash(cells, profile, seed, target),
        target=target,
    )


def shuffled(
    entries: Sequence[tuple[Cell, bool]], seed: int, number: int
) -> list[tuple[Cell, bool]]:
    """Cells, and whether it is their second entry, in the order of one round."""

    def key(entry: tuple[Cell, bool]) -> str:
        cell, twin = entry
        return _digest(f"{seed}:{number}:{cell.id}{':twin' if twin else ''}")

    return sorted(entries, key=key)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _defining(profile: Profile) -> dict[str, object]:
    """Of load machines how many processes each has: another one may take the place of one."""
    found = asdict(profile)
    machines, _ = found.pop("machines"), found.pop("listen")
    return found | ({"machines": [one["processes"] for one in machines]} if machines else {})


def _plan_hash(cells: Sequence[Cell], profile: Profile, seed: int, target: Target | None) -> str:
    defines: dict[str, object] = {
        # An axis that a cell doesn't have is none of what defines it.
        "cells": [{k: v for k, v in asdict(cell).items() if v != ()} for cell in cells],
        "profile": _defining(profile),
        "seed": seed,
    }
    if target is not None:
        defines["target"] = {**asdict(target), "path": str(target.path)}
    return _digest(json.dumps(defines, sort_keys=True, separators=(",", ":")))[:12]
