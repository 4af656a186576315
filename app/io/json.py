"""``json``: read a file of a few kB from disk, parse it, return it.

The awaiting twin runs the very same function in anyio's default thread pool:
the 40 threads a worker that Starlette also runs ``def`` endpoints in. There is
no awaitable file IO underneath: aiofiles would use asyncio's own executor, a
second pool, and would be threads too.
"""

from __future__ import annotations

import json
from pathlib import Path

import anyio.to_thread

WAITS = False
UPSTREAM_CALLS = 0

DOCUMENT = Path(__file__).with_name("document.json")


def blocking() -> object:
    """Open, read and parse the file on the calling thread."""
    with DOCUMENT.open("rb") as file:
        return json.load(file)


async def awaiting() -> object:
    """The same in a thread of anyio's pool, so the event loop is never held up."""
    return await anyio.to_thread.run_sync(blocking)


def expected() -> object:
    """The file's content."""
    return blocking()
