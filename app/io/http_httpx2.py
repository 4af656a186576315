"""``http_httpx2``: as ``http_pooled``, with httpx2, which `fastapi[standard]` brings."""

from __future__ import annotations

import httpx2

from app.io._upstream import URL, expected

__all__ = ["UPSTREAM_CALLS", "WAITS", "awaiting", "blocking", "expected"]

WAITS = True
UPSTREAM_CALLS = 1

_OPEN = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
_blocking_client = httpx2.Client(limits=_OPEN)
_awaiting_client = httpx2.AsyncClient(limits=_OPEN)


def blocking() -> object:
    """Ask the delay server over the shared client; the calling thread waits."""
    return _blocking_client.get(URL).raise_for_status().json()


async def awaiting() -> object:
    """Ask the delay server over the shared client; the event loop goes on meanwhile."""
    return (await _awaiting_client.get(URL)).raise_for_status().json()
