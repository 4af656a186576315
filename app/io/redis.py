"""``redis``: one value by its key, over redis-py's own pools of connections.

The key is gone an hour later: nothing stays in a Redis of yours.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import redis
import redis.asyncio

WAITS = False
UPSTREAM_CALLS = 0

URL = os.environ.get("MATRIX_REDIS_URL", "redis://localhost")
KEY, VALUE, KEPT_S = "matrix:item:7", "item 7", 3600

_clients: list[redis.Redis] = []
_awaited: list[Any] = []
_making = threading.Lock()


def blocking() -> object:
    """Ask over the blocking client; the calling thread waits."""
    client = _clients[0] if _clients else _make()
    return {"name": client.get(KEY)}


async def awaiting() -> object:
    """Ask over the awaiting client; the event loop goes on meanwhile."""
    if not _awaited:
        client = redis.asyncio.Redis.from_url(URL, decode_responses=True)
        await client.set(KEY, VALUE, ex=KEPT_S)
        _awaited.append(client)
    return {"name": await _awaited[0].get(KEY)}


async def close() -> None:
    """End the clients' connections."""
    while _awaited:
        await _awaited.pop().aclose()
    while _clients:
        _clients.pop().close()


def expected() -> object:
    """The value."""
    return {"name": VALUE}


def _make() -> redis.Redis:
    with _making:
        if not _clients:
            client = redis.Redis.from_url(URL, decode_responses=True)
            client.set(KEY, VALUE, ex=KEPT_S)
            _clients.append(client)
    return _clients[0]
