"""The harness: it plans, starts, loads, measures, judges and explains."""

from __future__ import annotations

import os

# Before numpy is imported anywhere: its libraries would keep threads that the
# harness has no use for, and it forks (bench.run.process.children), which Python warns
# of in a process with threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
