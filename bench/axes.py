"""The axes of a matrix, and how a level of each is called: one place for all that show cells.

Each cell has a level of the five basic ones. The others are settings that a file may vary as well
or leave alone: an entry in `SETTINGS`, and what its level changes in a trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BASIC: Final = ("endpoint", "io", "server", "workers", "python")
Levels = tuple[tuple[str, str], ...]  # axes with their levels


@dataclass(frozen=True, slots=True)
class Setting:
    """An axis that may be left out."""

    tag: str  # before the level in a cell's id, where it varies
    told: str  # a level in a sentence: `{} users`
    alone: str  # the level "1"


SETTINGS: Final[Mapping[str, Setting]] = {
    "loop": Setting("", "{}", "{}"),
    "threads": Setting("t", "{} threads", "1 thread"),
    "cores": Setting("c", "{} cores", "1 core"),
    "delay": Setting("d", "a delay of {}", "a delay of {}"),
    "users": Setting("u", "{} users", "1 user"),
}
AXES: Final = (*BASIC, *SETTINGS)
BY_CELL: Final = "as each cell's name says"  # in place of a level, where a run's cells differ


class HasLevels(Protocol):
    """A cell, a record or a row."""

    @property
    def settings(self) -> Iterable[tuple[str, str]] | Mapping[str, str]:
        """Of the settings that its file has."""


def levels(of: HasLevels) -> dict[str, str]:
    """Each axis that a cell, a record or a row has, with its level."""
    return {axis: str(getattr(of, axis)) for axis in BASIC} | dict(of.settings)


def tags(settings: Iterable[tuple[str, str]]) -> str:
    """Their part of a cell's id: ``-t200-u500``."""
    return "".join(f"-{SETTINGS[axis].tag}{level}" for axis, level in settings)


def told(axis: str, level: str) -> str:
    """A level of a setting in words: ``200 threads``."""
    setting = SETTINGS[axis]
    return (setting.alone if level == "1" else setting.told).format(level)


def variant_of(of: HasLevels, *, but: str) -> str:
    """A cell without one of its settings: ``def, json, uvicorn, w1, 200 threads``."""
    found = levels(of)
    endpoint = {"async_sync": "async def, blocking", "async": "async def", "sync": "def"}
    basic = [endpoint.get(found["endpoint"], ""), found["io"], found["server"]]
    rest = [told(axis, level) for axis, level in dict(of.settings).items() if axis != but]
    return ", ".join(part for part in [*basic, f"w{found['workers']}", *rest] if part)


def variant(settings: Iterable[tuple[str, str]]) -> str:
    """All of them in words: ``uvloop, 200 threads``."""
    return ", ".join(told(axis, level) for axis, level in settings)
