"""The thread log: which thread ran a handler, from when to when, and how many were alive."""

from __future__ import annotations

import itertools
import mmap
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

# Names of this module's own: each look-up through `layout` would cost every
# request some 40 ns.
from .layout import (
    CHUNK_BYTES,
    CHUNK_SHIFT,
    LOG_MAGIC,
    R_END_NS,
    R_PACKED,
    R_START_NS,
    R_THREAD,
    RECORD_MASK,
    RECORD_WORDS,
    ROUTE_SHIFT,
)

if TYPE_CHECKING:
    from pathlib import Path


class ThreadLog:
    """One worker's log; ``begin`` and ``end`` may be called from any thread.

    A record is written in two steps, so that a handler still running when the
    worker is killed is in the log too, with no end.
    """

    def __init__(self, path: Path) -> None:
        """Create the file at ``path``.

        Raises:
            OSError: it can't be created or the disk is full.
        """
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        self._chunks: list[memoryview] = []
        self._growing = threading.Lock()
        # next() of a count is one step under the interpreter's lock: no two
        # handlers get the same place. Record 0 is the header.
        self._next = itertools.count(1)
        self.lost = 0
        self.threads_seen = 0  # distinct ones, dead ones included
        # As last counted: at each heartbeat, and when a thread is new here. To ask for each
        # request (0.3 µs, with a lock) was a tenth of what the probe costs.
        self.alive = threading.active_count()
        # By object: numbers are given out again, and the main thread of a forked
        # worker still tells its parent's (until Python 3.13).
        self._known: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        self._scanning = threading.Lock()
        self._native: dict[int, int] = {}  # Python's number of a thread: the system's
        self._grow(1)
        header = self._chunks[0]
        header[0], header[1] = LOG_MAGIC, os.getpid()

    def begin(self, route: int) -> int:
        """Note the start of a handler of ``route``; gives the place for ``end``."""
        place = next(self._next)
        chunk_index = place >> CHUNK_SHIFT
        if chunk_index >= len(self._chunks) and not self._grow(chunk_index + 1):
            self.lost += 1
            return 0
        # Python's own number of the thread costs a fifth of the system's, which
        # is asked for once. A number that is given out again is one more reason
        # for the heartbeat to scan the threads.
        ident = threading.get_ident()
        thread = self._native.get(ident)
        if thread is None:
            thread = self._native[ident] = threading.get_native_id()
            self.scan_threads()
        chunk = self._chunks[chunk_index]
        word = (place & RECORD_MASK) * RECORD_WORDS
        chunk[word + R_THREAD] = thread
        chunk[word + R_PACKED] = self.alive | route << ROUTE_SHIFT
        chunk[word + R_START_NS] = time.monotonic_ns()
        return place

    def end(self, place: int) -> None:
        """Note the end of the handler call that ``begin`` gave ``place`` for."""
        if place:
            word = (place & RECORD_MASK) * RECORD_WORDS + R_END_NS
            self._chunks[place >> CHUNK_SHIFT][word] = time.monotonic_ns()

    def scan_threads(self) -> None:
        """Add all threads alive now to those seen; the probe itself has none."""
        with self._scanning:
            for thread in threading.enumerate():
                if thread not in self._known:
                    self._known.add(thread)
                    self.threads_seen += 1
            self.alive = threading.active_count()

    def _grow(self, chunks: int) -> bool:
        with self._growing:
            while len(self._chunks) < chunks:
                offset = len(self._chunks) * CHUNK_BYTES
                try:
                    _reserve(self._fd, offset, CHUNK_BYTES)
                    mapped = mmap.mmap(self._fd, CHUNK_BYTES, offset=offset)
                except OSError:
                    if not self._chunks:
                        raise
                    return False
                self._chunks.append(memoryview(mapped).cast("Q"))
        return True


def _reserve(fd: int, offset: int, size: int) -> None:
    """Make the file longer with blocks really taken.

    A hole in a mapped file kills the process with SIGBUS when the disk is full
    at the time it is written to; a reservation fails here, where it can be told.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, offset, size)
    else:  # macOS has no such call
        os.ftruncate(fd, offset + size)
