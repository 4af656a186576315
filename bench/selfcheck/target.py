"""A target whose latencies are known: it draws each from a declared distribution.

Runs in the application under test, as one more io kind, so it uses the standard
library only; the benchmark uses the same class to know what was declared. Draws
are spread evenly (multiples of the golden ratio, modulo 1), so that even a few
hundred have the declared shares. Each worker keeps its own count: two unsigned
64-bit words a request, when it began and when it ended, CLOCK_MONOTONIC ns.
"""

from __future__ import annotations

import asyncio
import os
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

GOLDEN = (5**0.5 - 1) / 2
TIMER_S = 0.0015  # by which an event loop's timer may be late
RECORD = struct.Struct("=QQ")


@dataclass(frozen=True)
class Distribution:
    """A mixture of uniform parts: ``(share, from_ms, to_ms)``, slower parts later."""

    parts: tuple[tuple[float, float, float], ...]

    def quantile(self, share: float) -> float:
        """The latency in ms that ``share`` (0 to 1) of all do not exceed."""
        below = 0.0
        for weight, low_ms, high_ms in self.parts:
            if share <= below + weight:
                return low_ms + (high_ms - low_ms) * max(0.0, share - below) / weight
            below += weight
        return self.parts[-1][2]


@dataclass
class Target:
    """An io kind: answers after a drawn time, or at the next beat of a period."""

    distribution: Distribution | None = None
    period_s: float | None = None
    _drawn: int = 0
    _fd: int = field(default=-1)

    def expected(self) -> object:
        """The same each time."""
        return {"ok": True}

    def blocking(self) -> object:
        """Every io kind has one; only the awaiting twin of this one is measured."""
        raise NotImplementedError

    async def awaiting(self) -> object:
        """One answer, counted."""
        start_ns = time.monotonic_ns()
        due_ns = start_ns + int(self._wait_s(start_ns) * 1e9)
        # Timers tick in ms, and may fire early or late; what is declared is kept.
        await asyncio.sleep(max(0.0, (due_ns - start_ns) / 1e9 - TIMER_S))
        while time.monotonic_ns() < due_ns:  # noqa: ASYNC110 - others must go on meanwhile
            await asyncio.sleep(0)
        os.write(self._log(), RECORD.pack(start_ns, time.monotonic_ns()))
        return self.expected()

    def _wait_s(self, now_ns: int) -> float:
        if self.distribution is None:
            period_ns = int((self.period_s or 1.0) * 1e9)
            return (period_ns - now_ns % period_ns) / 1e9
        self._drawn += 1
        return self.distribution.quantile(self._drawn * GOLDEN % 1.0) / 1e3

    def _log(self) -> int:
        if self._fd < 0:
            folder = Path(os.environ["MATRIX_TRIAL_DIR"])
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._fd = os.open(folder / f"target-{os.getpid()}.bin", flags)
        return self._fd
