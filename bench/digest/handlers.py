"""One worker's thread log, boiled down to what a trial's record needs of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.stats import tapered_occupancy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from bench.digest.read import HandlerLog


@dataclass(frozen=True, slots=True)
class Handlers:
    """Of one worker."""

    pid: int
    threads: int  # distinct ones that ran a handler
    begun: int  # calls since the gate opened
    ended: int
    in_window: int  # calls that began in the window
    alive_avg: float | None  # threads alive at their start, mean over those calls
    fastest_ns: int | None  # shortest of the calls that began and ended in the window
    running_avg: float  # calls under way, on average over the window, with throughput's weight
    begun_ns: NDArray[np.uint64]  # time integral of the calls begun, at each look


@dataclass(slots=True)
class _Sums:
    """Over the parts of one log."""

    pid: int = 0
    threads: set[int] = field(default_factory=set)
    begun: int = 0
    ended: int = 0
    in_window: int = 0
    alive: float = 0.0
    fastest_ns: int | None = None
    running: float = 0.0


def boil_down(
    logs: Iterable[HandlerLog], gate_ns: int, t0_ns: int, t1_ns: int, look_ns: NDArray[np.int64]
) -> Handlers:
    """The counts of one log, in parts. ``look_ns`` is when the harness looked."""
    sums, begun_ns = _Sums(), np.zeros(len(look_ns), dtype=np.uint64)
    for log in logs:
        _add(sums, log, gate_ns, t0_ns, t1_ns)
        begun_ns += _counted_ns(log.start_ns, look_ns)
    return Handlers(
        pid=sums.pid,
        threads=len(sums.threads),
        begun=sums.begun,
        ended=sums.ended,
        in_window=sums.in_window,
        alive_avg=sums.alive / sums.in_window if sums.in_window else None,
        fastest_ns=sums.fastest_ns,
        running_avg=sums.running,
        begun_ns=begun_ns,
    )


def _add(sums: _Sums, log: HandlerLog, gate_ns: int, t0_ns: int, t1_ns: int) -> None:
    since = log.start_ns >= gate_ns
    window = (log.start_ns >= t0_ns) & (log.start_ns < t1_ns)
    whole = window & (log.end_ns != 0) & (log.end_ns < t1_ns)
    took_ns = log.end_ns[whole] - log.start_ns[whole]
    # One that has not returned runs to the window's end at least.
    until_ns = np.where(log.end_ns == 0, np.maximum(log.start_ns, t1_ns), log.end_ns)
    sums.pid = log.pid
    sums.threads |= set(np.unique(log.thread).tolist())
    sums.begun += int(np.count_nonzero(since))
    sums.ended += int(np.count_nonzero(since & (log.end_ns != 0)))
    sums.in_window += int(np.count_nonzero(window))
    sums.alive += float(log.alive[window].sum(dtype=np.float64))
    if len(took_ns):
        fastest = int(took_ns.min())
        sums.fastest_ns = fastest if sums.fastest_ns is None else min(sums.fastest_ns, fastest)
    sums.running += tapered_occupancy(log.start_ns, until_ns, t0_ns, t1_ns)


def _counted_ns(instants_ns: NDArray[np.int64], at_ns: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A counter's time integral at each of ``at_ns``, count × t - sum of its instants by then.

    Modulo 2^64, as the gauge page has it of its own counters.
    """
    ascending = np.sort(instants_ns).view(np.uint64)
    count = np.searchsorted(ascending, at_ns.view(np.uint64), side="right")
    sums = np.zeros(len(ascending) + 1, dtype=np.uint64)
    np.cumsum(ascending, out=sums[1:])
    return count.astype(np.uint64) * at_ns.view(np.uint64) - sums[count]
