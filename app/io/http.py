"""``http``: a new httpx client for each request, as people often write it.

On purpose: making a client loads the CA bundle, some 20 ms of CPU each time,
and that cost is a finding of its own. httpx's defaults are kept, its time-out
of 5 s among them. ``http_pooled`` is the same call with one shared client.
"""

from __future__ import annotations

import httpx

from app.io._upstream import URL, expected

__all__ = ["UPSTREAM_CALLS", "WAITS", "awaiting", "blocking", "expected"]

WAITS = True
UPSTREAM_CALLS = 1


def blocking() -> object:
    """Ask the delay server; the calling thread waits."""
    with httpx.Client() as client:
        return client.get(URL).raise_for_status().json()


async def awaiting() -> object:
    """Ask the delay server; the event loop goes on meanwhile."""
    async with httpx.AsyncClient() as client:
        return (await client.get(URL)).raise_for_status().json()
