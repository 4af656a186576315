"""``postgres_asyncpg``: one row by its key, over a pool of asyncpg.

asyncpg has no blocking twin: that is psycopg's, as in ``postgres``. A connection that is given back
is reset by a second round trip, which is asyncpg's own way (`Connection.reset`).
"""

from __future__ import annotations

import asyncio

import asyncpg

from app.io import postgres
from app.io.postgres import blocking, expected

__all__ = ["UPSTREAM_CALLS", "WAITS", "awaiting", "blocking", "close", "expected"]

WAITS = False
UPSTREAM_CALLS = 0

READ = "SELECT id, name FROM items WHERE id = $1"

_pools: list[asyncpg.Pool] = []
_opening = asyncio.Lock()


async def awaiting() -> object:
    """Take a connection of the pool and ask; the event loop goes on meanwhile."""
    pool = _pools[0] if _pools else await _open()
    return dict(await pool.fetchrow(READ, postgres.ASKED))


async def close() -> None:
    """End the pools."""
    while _pools:
        await _pools.pop().close()
    await postgres.close()


async def _fill(connection: asyncpg.Connection) -> None:
    await connection.execute(postgres.MAKE)
    await connection.execute(postgres.FILL)


async def _open() -> asyncpg.Pool:
    async with _opening:
        if not _pools:
            pool = await asyncpg.create_pool(
                postgres.DSN,
                min_size=postgres.POOL,
                max_size=postgres.POOL,
                timeout=postgres.PATIENCE_S,
                init=_fill,
            )
            _pools.append(pool)
    return _pools[0]
