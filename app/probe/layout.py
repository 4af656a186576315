"""The binary form of what the probe writes; the harness reads it with the same constants.

Everything is unsigned 64-bit words in native order, written one word at a time:
a word is copied whole, so a reader in another process never sees half of one,
and a worker killed with SIGKILL loses nothing it had written, since the pages
belong to the file and not to the process. Times are CLOCK_MONOTONIC nanoseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD = 8

# The gauge page: one word each, in a file of its own for each worker.
GAUGE_MAGIC = 0x3345_4755_4147_584D  # "MXGAUGE3"
GAUGE_BYTES = 4096
(
    G_MAGIC,
    G_PID,
    G_LOOP_TID,  # the system's id of the loop's thread
    G_HEARTBEAT_NS,  # when the loop last ran the probe's timer
    G_INTERVAL_NS,  # how often it should
    G_HELD_NS,  # time in which the loop was held up: before each late heartbeat
    G_POOL_SIZE,  # anyio's default limiter: tokens in all,
    G_POOL_BUSY,  # in use,
    G_POOL_WAITING,  # and tasks waiting for one
    G_STARTED,  # requests that entered the application
    G_STARTED_SUM,
    G_FINISHED,  # requests that left it, however they ended
    G_FINISHED_SUM,
    G_QUEUED,  # tasks that had to wait for a thread
    G_QUEUED_SUM,
    G_DEQUEUED,  # those that no longer wait: they have one, or gave up
    G_DEQUEUED_SUM,
    G_THREADS_ALIVE,
    G_THREADS_SEEN,  # distinct threads ever seen alive
    G_LOG_LOST,  # handler calls that could not be recorded (disk full)
    G_EXECUTOR_THREADS,  # of executors, such as the one of asyncio.to_thread,
    G_EXECUTOR_WAITING,  # and tasks that wait for one of them
) = range(22)
GAUGE_WORDS = 22
BEAT_LATE_NS = 5_000_000  # a heartbeat that comes later than this is a late one

# Counters that tell more than how many: the word after each is the sum of the
# instants at which it counted, modulo 2^64. So its time integral is known exactly at
# any instant t, whatever went on between two looks: count × t - sum. How many were
# inside on average is the growth of (started's integral - finished's) over the time.
# A sum of 0 beside a count that isn't 0: the two are being changed.
TIMED = (G_STARTED, G_FINISHED, G_QUEUED, G_DEQUEUED)
SUM_MASK = 0xFFFF_FFFF_FFFF_FFFF


def settled(page: Sequence[int]) -> bool:
    """Whether no count was being changed together with its sum when the page was copied."""
    return all(page[counter + 1] or not page[counter] for counter in TIMED)


def held_ns(since_ns: int, interval_ns: int) -> int:
    """Of the time since a heartbeat, that in which the loop was held up.

    None of it if the next one isn't late.

    All of it counts: a heartbeat finds the loop as it is on average, so what held it up began as
    long before it was due as other such things began after one.
    """
    return since_ns if since_ns > interval_ns + BEAT_LATE_NS else 0


def held_until_ns(page: Sequence[int], ns: int) -> int:
    """The same of all heartbeats so far, that which is still owed at ``ns`` included."""
    return page[G_HELD_NS] + held_ns(ns - page[G_HEARTBEAT_NS], page[G_INTERVAL_NS])


# The thread log: a header of one record's size, then a record a handler call.
LOG_MAGIC = 0x3147_4F4C_5254_584D  # "MXTRLOG1"
RECORD_WORDS = 4
RECORD_BYTES = RECORD_WORDS * WORD
# Words of a record.
R_START_NS = 0  # 0: a record that was never begun; to be passed over
R_END_NS = 1  # 0: the handler had not returned
R_THREAD = 2  # the operating system's thread id
R_PACKED = 3  # threads alive at the start | route << 16
ALIVE_MASK = 0xFFFF
ROUTE_SHIFT = 16
# The file grows by whole chunks; each is mapped for itself.
CHUNK_SHIFT = 15
CHUNK_RECORDS = 1 << CHUNK_SHIFT
RECORD_MASK = CHUNK_RECORDS - 1  # a record's place within its chunk
CHUNK_BYTES = CHUNK_RECORDS * RECORD_BYTES
