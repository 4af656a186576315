"""How much slower than usual the machine itself was while a trial ran.

A hypervisor that gives a core to someone else doesn't always say so, and neighbours share caches
and memory: then all work takes more CPU, and no counter of ours shows why. But the harness does the
same work in each window, ten looks a second at the same files: what it costs is a clock of the
machine's speed that runs beside the cell. (Measured: within cells that compute it and the server's
CPU per request go together by 0.84 to 0.97, in trials that lie 5 to 20 % apart.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from bench.records.model import TrialRecord

FEWEST = 4  # trials alike, for what is usual to be known
SLOWER = 1.2  # times; in a quiet hour three quarters of the trials lie within 0.99 and 1.07
AS_BUSY = 1.25  # times the cores
_USUAL = 0.25  # the quartile of trials alike: a machine is slow at times, and never fast at times


def slowness(trials: Sequence[TrialRecord]) -> dict[int, float]:
    """How many times its usual CPU the harness needed, by place in ``trials``.

    How much it looks at differs with the server and its workers, and how fast a look is with what
    the cell does beside it. So a trial is held against those of the same server and worker count
    first, and then against those of its experiment and worker count that left the machine as much
    time as it did: in another of two regimes a cell computes more, and no machine is slower for it.

    Returns:
        Trials without the figure, or with fewer than four alike, are absent.
    """
    cores = {
        at: trial.measured.signals.harness_cores
        for at, trial in enumerate(trials)
        if trial.measured is not None and trial.measured.signals.harness_cores
    }
    logs = {at: float(np.log(used)) for at, used in cores.items() if used}
    every = [*logs]
    of_server = _by_kind(every, lambda at: (trials[at].server, trials[at].workers))
    by_server = _less_usual(logs, of_server, 0.5)
    of_work = _by_kind([*by_server], lambda at: (trials[at].experiment, trials[at].workers))
    as_busy = {
        at: [one for one in members if _as_busy(trials[at], trials[one])]
        for at, members in of_work.items()
    }
    by_work = _less_usual(by_server, as_busy, _USUAL)
    return {at: float(np.exp(log)) for at, log in by_work.items()}


def _by_kind(places: Sequence[int], kind: Callable[[int], Hashable]) -> dict[int, list[int]]:
    """Those of its kind, by each place."""
    kinds: dict[Hashable, list[int]] = {}
    for at in places:
        kinds.setdefault(kind(at), []).append(at)
    return {at: kinds[kind(at)] for at in places}


def _as_busy(one: TrialRecord, other: TrialRecord) -> bool:
    """Their servers used about as many cores; or it isn't known of one."""
    used = [
        found
        for trial in (one, other)
        if trial.measured is not None and (found := trial.measured.signals.server_cores)
    ]
    return len(used) < 2 or max(used) <= AS_BUSY * min(used)


def _less_usual(
    logs: Mapping[int, float], alike: Mapping[int, Sequence[int]], quantile: float
) -> dict[int, float]:
    """Each less what is usual of those alike, where they are enough."""
    return {
        at: logs[at] - float(np.quantile([logs[each] for each in members], quantile))
        for at, members in alike.items()
        if len(members) >= FEWEST
    }
