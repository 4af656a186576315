"""``file``: read a file of a few kB as bytes, and nothing else: ``json`` without its parsing.

The awaiting twin does it in a thread of anyio's pool, as ``json`` does and for the same reason.
"""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread

WAITS = False
UPSTREAM_CALLS = 0

DOCUMENT = Path(__file__).with_name("document.json")


def blocking() -> object:
    """Read the file on the calling thread."""
    return {"bytes": len(DOCUMENT.read_bytes())}


async def awaiting() -> object:
    """The same in a thread of anyio's pool."""
    return await anyio.to_thread.run_sync(blocking)


def expected() -> object:
    """The file's size."""
    return blocking()
