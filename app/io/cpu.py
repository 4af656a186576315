"""``cpu``: some ms of pure Python, which holds the interpreter's lock all the time.

There is nothing to await in it. The awaiting twin does it in a thread of anyio's pool, which keeps
the event loop answering and makes nothing faster.
"""

from __future__ import annotations

import anyio.to_thread

WAITS = False
UPSTREAM_CALLS = 0

LOOPS = 50_000  # 1 to 3 ms


def blocking() -> object:
    """Reckon on the calling thread."""
    total = 0
    for number in range(LOOPS):
        total += number & 7
    return {"total": total}


async def awaiting() -> object:
    """The same in a thread of anyio's pool."""
    return await anyio.to_thread.run_sync(blocking)


def expected() -> object:
    """Eight numbers over and over."""
    return {"total": LOOPS // 8 * 28}
