"""The gauge page: a worker's present state, for the harness to read from outside.

Reading costs the worker nothing, and works when its event loop is blocked:
then the heartbeat is old, and that age is the loop's delay.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from . import layout
from .executors import executors
from .sockets import Audit
from .thread_queue import count_waiting

if TYPE_CHECKING:
    from pathlib import Path

    from anyio import CapacityLimiter

    from .thread_log import ThreadLog

HEARTBEAT_S = 0.05
HEARTBEAT_NS = int(HEARTBEAT_S * 1e9)


class Gauges:
    """One worker's page. All methods are for the event loop's thread only."""

    def __init__(self, path: Path) -> None:
        """Create the page at ``path``.

        Raises:
            OSError: it can't be created or the disk is full.
        """
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.write(fd, bytes(layout.GAUGE_BYTES))
            self.words = memoryview(mmap.mmap(fd, layout.GAUGE_BYTES)).cast("Q")
        finally:
            os.close(fd)
        self.words[layout.G_PID] = os.getpid()
        self._audit = Audit(path.with_name(f"audit-{os.getpid()}.json"))
        self.words[layout.G_INTERVAL_NS] = HEARTBEAT_NS

    def start(self, log: ThreadLog) -> None:
        """Let the heart beat on the running loop.

        Must be called within a task: the limiter belongs to the running loop.
        """
        loop = asyncio.get_running_loop()
        words, audit = self.words, self._audit
        words[layout.G_LOOP_TID] = threading.get_native_id()
        limiter = _thread_limiter()
        if limiter is not None:
            count_waiting(limiter, words)
        last_ns = time.monotonic_ns()

        def beat() -> None:
            nonlocal last_ns
            since_ns = time.monotonic_ns() - last_ns
            words[layout.G_HELD_NS] += layout.held_ns(since_ns, HEARTBEAT_NS)
            if limiter is not None:
                statistics = limiter.statistics()
                words[layout.G_POOL_SIZE] = int(statistics.total_tokens)
                words[layout.G_POOL_BUSY] = statistics.borrowed_tokens
                words[layout.G_POOL_WAITING] = statistics.tasks_waiting
            words[layout.G_EXECUTOR_THREADS], words[layout.G_EXECUTOR_WAITING] = executors()
            alive = log.alive = threading.active_count()
            # From the first request on: a thread that only helped the server to
            # start is none of the load's.
            if (log.threads_seen or words[layout.G_STARTED]) and alive != words[
                layout.G_THREADS_ALIVE
            ]:
                log.scan_threads()
            words[layout.G_THREADS_ALIVE] = alive
            words[layout.G_THREADS_SEEN] = log.threads_seen
            words[layout.G_LOG_LOST] = log.lost
            if audit.left and words[layout.G_STARTED]:
                audit.look()
            last_ns = words[layout.G_HEARTBEAT_NS] = time.monotonic_ns()
            loop.call_later(HEARTBEAT_S, beat)

        beat()
        # Last: a page with its magic is a page that holds figures.
        words[layout.G_MAGIC] = layout.GAUGE_MAGIC


def _thread_limiter() -> CapacityLimiter | None:
    """Of anyio's own pool, if the application uses anyio: the probe must not need it."""
    anyio = sys.modules.get("anyio.to_thread")
    return None if anyio is None else anyio.current_default_thread_limiter()
