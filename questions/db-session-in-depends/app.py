"""A connection of a small pool, held by a def dependency until after the answer, and by the route.

A def dependency with `yield` ends in a thread of the pool that def routes run in. Where all its
threads wait for a connection, none is left to give one back: nobody is answered until they give
up. SQLAlchemy's pool (5, and 10 more) waits for 30 s by default, this one for `PATIENCE_S`.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException

POOL = 15
PATIENCE_S = 2.0
QUERY_S = 0.02
app = FastAPI(openapi_url=None)
free: queue.Queue[sqlite3.Connection] = queue.Queue()
for _ in range(POOL):
    free.put(sqlite3.connect(":memory:", check_same_thread=False))


@contextlib.contextmanager
def connection() -> Iterator[sqlite3.Connection]:
    """One of the pool's."""
    try:
        held = free.get(timeout=PATIENCE_S)
    except queue.Empty:
        raise HTTPException(503) from None
    try:
        yield held
    finally:
        free.put(held)


def session() -> Iterator[sqlite3.Connection]:
    """As the tutorial has it."""
    with connection() as held:
        yield held


def query(held: sqlite3.Connection) -> dict[str, int]:
    """A database that takes a while."""
    time.sleep(QUERY_S)
    return {"one": held.execute("SELECT 1").fetchone()[0]}


@app.get("/depends", response_model=None)
def depends(held: Annotated[sqlite3.Connection, Depends(session)]) -> dict[str, int]:
    """Held from before the route until after the answer."""
    return query(held)


@app.get("/within", response_model=None)
def within() -> dict[str, int]:
    """Held while it is used."""
    with connection() as held:
        return query(held)
