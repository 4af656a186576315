"""One worker's thread log, boiled down to what a trial's record needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
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


def boil_down(log: HandlerLog, gate_ns: int, t0_ns: int, t1_ns: int) -> Handlers:
    """The counts of one log."""
    since = log.start_ns >= gate_ns
    window = (log.start_ns >= t0_ns) & (log.start_ns < t1_ns)
    count = int(np.count_nonzero(window))
    whole = window & (log.end_ns != 0) & (log.end_ns < t1_ns)
    took_ns = log.end_ns[whole] - log.start_ns[whole]
    return Handlers(
        pid=log.pid,
        threads=len(np.unique(log.thread)),
        begun=int(np.count_nonzero(since)),
        ended=int(np.count_nonzero(since & (log.end_ns != 0))),
        in_window=count,
        alive_avg=float(log.alive[window].mean()) if count else None,
        fastest_ns=int(took_ns.min()) if len(took_ns) else None,
    )
