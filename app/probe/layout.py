"""The binary form of what the probe writes; the harness reads it with the same constants.

Everything is unsigned 64-bit words in native order, written one word at a time:
a word is copied whole, so a reader in another process never sees half of one,
and a worker killed with SIGKILL loses nothing it had written, since the pages
belong to the file and not to the process. Times are CLOCK_MONOTONIC nanoseconds.
"""

from __future__ import annotations

WORD = 8

# The gauge page: one word each, in a file of its own for each worker.
GAUGE_MAGIC = 0x3145_4755_4147_584D  # "MXGAUGE1"
GAUGE_BYTES = 4096
(
    G_MAGIC,
    G_PID,
    G_HEARTBEAT_NS,  # when the loop last ran the probe's timer
    G_INTERVAL_NS,  # how often it should
    G_POOL_SIZE,  # anyio's default limiter: tokens in all,
    G_POOL_BUSY,  # in use,
    G_POOL_WAITING,  # and tasks waiting for one
    G_STARTED,  # requests that entered the application
    G_FINISHED,  # requests that left it, however they ended
    G_THREADS_ALIVE,
    G_THREADS_SEEN,  # distinct threads ever seen alive
    G_LOG_LOST,  # handler calls that could not be recorded (disk full)
) = range(12)
GAUGE_WORDS = 12

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
