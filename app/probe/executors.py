"""Pools of threads beside anyio's: how many threads they have, and how many tasks wait for one.

`asyncio.to_thread` and `run_in_executor` have an executor that no application sees, and uvloop's
can't be reached from its loop. But concurrent.futures keeps the queue of each executor's thread
(`_threads_queues`, CPython 3.8 to 3.14), so that they end at exit.
"""

from __future__ import annotations

import sys
from typing import Any


def executors() -> tuple[int, int]:
    """Threads of all executors, and tasks that wait for one of them; none where that isn't known.

    An executor makes a thread for a task as long as it may: where tasks wait, it has all it may
    have, and all are busy.
    """
    module = sys.modules.get("concurrent.futures.thread")
    kept: Any = getattr(module, "_threads_queues", None)
    if not kept:
        return 0, 0
    try:
        queues = list(kept.values())
    except RuntimeError:  # another thread has just made one more
        return 0, 0
    waiting = sum(queue.qsize() for queue in {id(queue): queue for queue in queues}.values())
    return len(queues), waiting
