"""How alike the machines of a merged run are: its reference cells, which each of them has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.rows import Row, on_host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.model import MergedHost, RunRecord, TrialRecord


@dataclass(frozen=True, slots=True)
class Reference:
    """One cell on each host; None where it has no figures."""

    cell: str
    throughput_rps: tuple[float | None, ...]
    half_widths: tuple[float | None, ...]  # of their intervals, as a logarithm

    @property
    def spread(self) -> float | None:
        """The fastest host's as a multiple of the slowest's; None of fewer than two."""
        known = [rate for rate in self.throughput_rps if rate]
        return max(known) / min(known) if len(known) > 1 else None


@dataclass(frozen=True, slots=True)
class Hosts:
    """The machines, and what all of them measured."""

    hosts: tuple[MergedHost, ...]
    references: tuple[Reference, ...]
    missing: tuple[int, ...]  # parts that nobody has brought
    of: int  # parts


def hosts(run: RunRecord, trials: Sequence[TrialRecord]) -> Hosts | None:
    """Of a merged run; None of one machine's."""
    if not run.hosts:
        return None
    by_host = [
        {
            row.cell: row
            for away in (False, True)
            for row in on_host(run, trials, at, part.host.cores, away=away)
        }
        for at, part in enumerate(run.hosts)
    ]
    shared = [cell for cell in run.cells if all(cell in rows for rows in by_host)]
    return Hosts(
        hosts=run.hosts,
        references=tuple(_reference(cell, [rows[cell] for rows in by_host]) for cell in shared)
        if len(run.hosts) > 1
        else (),
        missing=run.missing,
        of=len(run.hosts) + len(run.missing),
    )


def _reference(cell: str, rows: Sequence[Row]) -> Reference:
    known = [row.throughput_rps if row.verdict.usable else None for row in rows]
    return Reference(
        cell,
        tuple(None if one is None else one.value for one in known),
        tuple(None if one is None else one.half_width for one in known),
    )
