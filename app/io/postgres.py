"""``postgres``: one row by its key, over a pool of connections of psycopg.

Both twins are psycopg's own pools, as large. The rows are in a temporary table of each connection,
so nothing stays in a database of yours.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

from psycopg_pool import AsyncConnectionPool, ConnectionPool

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection

WAITS = False
UPSTREAM_CALLS = 0

DSN = os.environ.get("MATRIX_POSTGRES_DSN", "postgresql://localhost/postgres")
POOL = 20  # connections of a worker, all open before the first is used
PATIENCE_S = 30.0  # for one of them
ASKED = 7

MAKE = "CREATE TEMPORARY TABLE items (id integer PRIMARY KEY, name text NOT NULL)"
FILL = "INSERT INTO items SELECT id, 'item ' || id FROM generate_series(1, 1000) AS id"
READ = "SELECT id, name FROM items WHERE id = %s"

_pools: list[ConnectionPool] = []
_awaited: list[AsyncConnectionPool] = []
_making, _opening = threading.Lock(), asyncio.Lock()


def blocking() -> object:
    """Take a connection of the blocking pool and ask; the calling thread waits."""
    pool = _pools[0] if _pools else _make()
    with pool.connection() as connection:
        row = connection.execute(READ, (ASKED,)).fetchone()
    return dict(zip(("id", "name"), row or (), strict=True))


async def awaiting() -> object:
    """The same of the awaiting pool; the event loop goes on meanwhile."""
    pool = _awaited[0] if _awaited else await _open()
    async with pool.connection() as connection:
        cursor = await connection.execute(READ, (ASKED,))
        row = await cursor.fetchone()
    return dict(zip(("id", "name"), row or (), strict=True))


async def close() -> None:
    """End the pools, and their threads."""
    while _awaited:
        await _awaited.pop().close()
    while _pools:
        _pools.pop().close()


def expected() -> object:
    """The row."""
    return {"id": ASKED, "name": f"item {ASKED}"}


def _fill(connection: Connection) -> None:
    connection.execute(MAKE)
    connection.execute(FILL)


async def _fill_awaiting(connection: AsyncConnection) -> None:
    await connection.execute(MAKE)
    await connection.execute(FILL)


def _make() -> ConnectionPool:
    with _making:
        if not _pools:
            pool = ConnectionPool(
                DSN, min_size=POOL, max_size=POOL, timeout=PATIENCE_S, open=False,
                kwargs={"autocommit": True}, configure=_fill,
            )  # fmt: skip
            pool.open(wait=True, timeout=PATIENCE_S)
            _pools.append(pool)
    return _pools[0]


async def _open() -> AsyncConnectionPool:
    async with _opening:
        if not _awaited:
            pool = AsyncConnectionPool(
                DSN, min_size=POOL, max_size=POOL, timeout=PATIENCE_S, open=False,
                kwargs={"autocommit": True}, configure=_fill_awaiting,
            )  # fmt: skip
            await pool.open(wait=True, timeout=PATIENCE_S)
            _awaited.append(pool)
    return _awaited[0]
