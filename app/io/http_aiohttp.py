"""``http_aiohttp``: one aiohttp session a worker, and for blocking endpoints one urllib3 pool.

aiohttp has no blocking twin; urllib3 is what requests, and most blocking clients, are made of. Both
keep connections open and cap none, as in ``http_pooled``, with its time-out.
"""

from __future__ import annotations

import aiohttp
import urllib3

from app.io._upstream import URL, expected

__all__ = ["UPSTREAM_CALLS", "WAITS", "awaiting", "blocking", "expected"]

WAITS = True
UPSTREAM_CALLS = 1

TIMEOUT_S = 5.0
KEPT = 1000  # connections that wait for their next use: more than a worker has threads

_pool = urllib3.PoolManager(maxsize=KEPT, retries=False, timeout=TIMEOUT_S)
_sessions: list[aiohttp.ClientSession] = []  # one, made on the running loop


def blocking() -> object:
    """Ask the delay server over the shared pool; the calling thread waits."""
    response = _pool.request("GET", URL)
    if response.status != 200:
        raise OSError(f"HTTP {response.status}")
    return response.json()


async def close() -> None:
    """End the session, as aiohttp complains of those that nobody has closed."""
    while _sessions:
        await _sessions.pop().close()


async def awaiting() -> object:
    """Ask the delay server over the shared session; the event loop goes on meanwhile."""
    if not _sessions:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        _sessions.append(aiohttp.ClientSession(connector=connector, timeout=timeout))
    async with _sessions[0].get(URL, raise_for_status=True) as response:
        return await response.json()
