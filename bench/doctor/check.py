"""One look at the machine: what was found, whether it matters, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fitness(Enum):
    """How fit something is for measuring."""

    GOOD = "good"
    UNKNOWN = "unknown"  # this system doesn't tell
    POOR = "poor"  # numbers get worse
    MISSING = "missing"  # nothing can run


@dataclass(frozen=True, slots=True)
class Command:
    """What would help, to be typed by a person: nothing here is ever run."""

    text: str
    root: bool  # whether it takes the administrator


@dataclass(frozen=True, slots=True)
class Check:
    """One look."""

    what: str
    found: str
    fitness: Fitness
    matters: str = ""  # what it does to the numbers; empty where it does nothing
    advice: str = ""
    commands: tuple[Command, ...] = ()


def unknown(what: str) -> Check:
    """For what this system doesn't tell."""
    return Check(what, "unknown: this system doesn't tell", Fitness.UNKNOWN)


def root(text: str) -> Command:
    """One that takes the administrator."""
    return Command(text, root=True)


def own(text: str) -> Command:
    """One that anybody may run."""
    return Command(text, root=False)
