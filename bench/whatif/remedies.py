"""From what limits a cell to what may relieve it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.analysis.limit import DEFAULT_POOL
from bench.analysis.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.analysis.why import Why
    from bench.plan import Cell

MORE_THREADS = 5  # times as many
CLIENTS = {"http": "http_pooled", "http_pooled": "http_aiohttp"}  # by how much CPU they take
UVLOOP, ASYNCIO = "uvloop", "asyncio"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change of a cell."""

    says: str  # what it is, in words: `200 threads`
    cell: Cell


def remedies(cell: Cell, why: Why, *, users: int, cores: int) -> list[Remedy]:
    """What is worth a try, the likeliest first; nothing where nothing of a cell would help.

    Args:
        cell: as it is.
        why: what limits it.
        users: who ask it.
        cores: that a trial may use.
    """
    causes = frozenset(use.resource for use in why.causes)
    found = {remedy.says: remedy for remedy in _all(cell, causes, users, cores)}
    return [*found.values()]


def _all(cell: Cell, causes: frozenset[Resource], users: int, cores: int) -> Iterator[Remedy]:
    if Resource.POOL in causes:
        threads = int(dict(cell.settings).get("threads", DEFAULT_POOL))
        more = max(threads * MORE_THREADS, users)
        yield Remedy(f"{more} threads", with_setting(cell, "threads", str(more)))
    if cell.endpoint == "async_sync" and causes & {Resource.LOOP, Resource.CORE}:
        yield Remedy("`def`", replace(cell, endpoint="sync"))
        yield Remedy("an awaited call", replace(cell, endpoint="async"))
    if cell.endpoint == "sync" and Resource.POOL in causes:
        yield Remedy("`async def` that awaits", replace(cell, endpoint="async"))
    if causes & {Resource.CORE, Resource.LOOP} and cell.workers < cores:
        workers = cell.workers + 1
        yield Remedy(f"{workers} workers", replace(cell, workers=workers))
    if Resource.CORE in causes:
        if dict(cell.settings).get("loop", UVLOOP) == ASYNCIO:
            yield Remedy(UVLOOP, with_setting(cell, "loop", UVLOOP))
        if cell.io in CLIENTS and cell.endpoint:
            client = CLIENTS[cell.io]
            yield Remedy(f"the client of {client}", replace(cell, io=client))
    if Resource.DELAY in causes or not causes:
        yield Remedy(f"{2 * users} users", with_setting(cell, "users", str(2 * users)))


def with_setting(cell: Cell, axis: str, level: str) -> Cell:
    """The cell with another level, which its id then tells."""
    settings = tuple(sorted({**dict(cell.settings), axis: level}.items()))
    return replace(cell, settings=settings, named=tuple(sorted({*cell.named, axis})))
