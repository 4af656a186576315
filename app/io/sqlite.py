"""``sqlite``: one write and one read in a real file, in one transaction.

The blocking twin has a connection of `sqlite3` for each thread, the awaiting one a shared
connection of `aiosqlite`, which works in a thread of its own. All workers have the same file, in
WAL mode; SQLite lets one of them write at a time.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import threading
from pathlib import Path

import aiosqlite

from app.settings import SETTINGS

WAITS = False
UPSTREAM_CALLS = 0

ROWS, ASKED = 1000, 7
PATIENCE_S = 30.0  # for another one's write
# Of this trial, or of this start by hand.
FILE = SETTINGS.trial_dir or Path(tempfile.gettempdir())
FILE /= "sqlite.db" if SETTINGS.trial_dir else f"matrix-{os.getpid()}.db"

MAKE = """
CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, asked INTEGER);
"""
FILL = "INSERT OR IGNORE INTO items VALUES (?, ?, 0)"
WRITE = "UPDATE items SET asked = asked + 1 WHERE id = ?"
READ = "SELECT id, name FROM items WHERE id = ?"

_of_thread = threading.local()
_shared: list[aiosqlite.Connection] = []
_making, _opening, _turn = threading.Lock(), asyncio.Lock(), asyncio.Lock()


def blocking() -> object:
    """Write and read on the calling thread, over its own connection."""
    connection = getattr(_of_thread, "connection", None)
    if connection is None:
        connection = _of_thread.connection = _connect()
    with connection:
        connection.execute(WRITE, (ASKED,))
        row = connection.execute(READ, (ASKED,)).fetchone()
    return dict(zip(("id", "name"), row, strict=True))


async def awaiting() -> object:
    """The same over the shared connection; the event loop goes on meanwhile."""
    connection = _shared[0] if _shared else await _open()
    # A connection has one transaction at a time: another request's would end up within this one,
    # and a write after its read in one that another worker has overtaken, which SQLite refuses.
    async with _turn:
        await connection.execute(WRITE, (ASKED,))
        async with connection.execute(READ, (ASKED,)) as cursor:
            row = await cursor.fetchone()
        await connection.commit()
    return dict(zip(("id", "name"), row or (), strict=True))


async def _open() -> aiosqlite.Connection:
    async with _opening:
        if not _shared:
            _make()
            connection = await aiosqlite.connect(FILE, timeout=PATIENCE_S)
            await connection.execute("PRAGMA synchronous = NORMAL")
            _shared.append(connection)
    return _shared[0]


async def close() -> None:
    """End the shared connection's thread, which the process would wait for."""
    while _shared:
        await _shared.pop().close()


def expected() -> object:
    """The row that is read."""
    return {"id": ASKED, "name": f"item {ASKED}"}


def _connect() -> sqlite3.Connection:
    _make()
    connection = sqlite3.connect(FILE, timeout=PATIENCE_S)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _make() -> None:
    """The table, unless another thread or worker has made it."""
    with _making:
        connection = sqlite3.connect(FILE, timeout=PATIENCE_S)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(MAKE)
            with connection:
                connection.executemany(FILL, [(n, f"item {n}") for n in range(1, ROWS + 1)])
        finally:
            connection.close()
