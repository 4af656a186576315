"""``http_pooled``: one httpx client a worker, shared by all requests.

Its limits are opened (httpx allows 100 connections, 20 of them kept alive, by
default), so what is measured is the client, not its cap. The time-out of 5 s
is httpx's default, as in ``http``.
"""

from __future__ import annotations

import httpx

from app.io._upstream import URL, expected

__all__ = ["UPSTREAM_CALLS", "WAITS", "awaiting", "blocking", "expected"]

WAITS = True
UPSTREAM_CALLS = 1

_OPEN = httpx.Limits(max_connections=None, max_keepalive_connections=None)
# Made at import, so once a worker; neither opens a connection before it is used.
_blocking_client = httpx.Client(limits=_OPEN)
_awaiting_client = httpx.AsyncClient(limits=_OPEN)


def blocking() -> object:
    """Ask the delay server over the shared client; the calling thread waits."""
    return _blocking_client.get(URL).raise_for_status().json()


async def awaiting() -> object:
    """Ask the delay server over the shared client; the event loop goes on meanwhile."""
    return (await _awaiting_client.get(URL)).raise_for_status().json()
