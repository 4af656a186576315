"""What one start of all sides gave, and which sides there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.plan import Cell

A, TWIN, B = "a", "twin", "b"
SIDES = (A, TWIN, B)  # the twin is a second A: how far it lies from A is noise
TURNS, TRIALS = "turns", "trials"
CPU, LATENCY = "cpu_ms", "latency_ms"
METRICS = (LATENCY, CPU)


@dataclass(frozen=True, slots=True)
class Contest:
    """What each side runs, by one name: of two revisions the same cell."""

    name: str
    cells: Mapping[str, Cell]  # by side


def same(cell: Cell) -> Contest:
    """The same cell on all sides."""
    return Contest(cell.id, dict.fromkeys(SIDES, cell))


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a request, on one side: means over all requests of a start."""

    latency_ms: float
    cpu_ms: float  # of the server
    requests: int
    rss_mb: float | None = None  # of the server; not known in turn

    def of(self, metric: str) -> float:
        """One of `METRICS`."""
        return self.cpu_ms if metric == CPU else self.latency_ms


@dataclass(frozen=True, slots=True)
class Start:
    """All sides started anew and measured once; ``number`` counts from 1, by contest."""

    cell: str  # the contest's name
    number: int
    method: str  # turns or trials
    costs: Mapping[str, Cost]  # by side
    took_s: float = 0.0  # of all, with starting
    block: int | None = None  # requests, of turns
    busy: float | None = None  # share of a core that the idlest server used within its blocks
    hash_seed: int | None = None  # of Python's string hashes, on all sides; None: each its own
