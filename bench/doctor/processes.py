"""Who else uses the processor, by name, and whether another run is measuring."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from bench.doctor.check import Check, Fitness, unknown
from bench.errors import RequirementError
from bench.run.process import lock
from bench.text import shown

LOOK_S = 1.0
HEAVY_CORES = 0.05  # of one process, to be named
NAMED = 5  # of them at most
QUIET = 0.05  # of all cores: what disturbs no trial

Spent = Mapping[tuple[int, str], float]  # CPU seconds so far by process id and name


@dataclass(frozen=True, slots=True)
class Heavy:
    """One process that computes."""

    pid: int
    name: str
    cores: float  # 0.5: half of one, over the time of the look


def looks() -> list[Check]:
    """A second of looking on."""
    before, began = _spent(), time.monotonic()
    times = psutil.cpu_times_percent(interval=LOOK_S)
    after, took_s = _spent(), time.monotonic() - began
    steal = float(getattr(times, "steal", 0.0)) / 100
    busy = 1.0 - (times.idle + getattr(times, "iowait", 0.0)) / 100 - steal
    known = hasattr(times, "steal")
    return [
        others(busy, heavy(before, after, took_s)),
        stolen(steal) if known else unknown("stolen CPU"),
        other_runs(),
    ]


def heavy(before: Spent, after: Spent, took_s: float) -> list[Heavy]:
    """The processes that used a twentieth of a core and more, the heaviest first."""
    found = [
        Heavy(pid, name, (spent - before.get((pid, name), 0.0)) / took_s)
        for (pid, name), spent in after.items()
        if spent - before.get((pid, name), 0.0) >= HEAVY_CORES * took_s
    ]
    return sorted(found, key=lambda one: (-one.cores, one.pid))


def others(busy: float, found: list[Heavy]) -> Check:
    """What is used of all cores, and by whom."""
    names = [f"{shown(one.name, 30)} (process {one.pid}) {one.cores:.0%} of a core"
             for one in found[:NAMED]]  # fmt: skip
    if len(found) > NAMED:
        names.append(f"{len(found) - NAMED} more")
    told = "; ".join([f"{max(0.0, busy):.0%} of the CPU in use", *names])
    if busy <= QUIET:
        return Check("other programs", told, Fitness.GOOD)
    matters = "trials that they disturb are set aside and made again"
    return Check("other programs", told, Fitness.POOR, matters, "close them")


def stolen(share: float) -> Check:
    """What the hypervisor gave to other machines."""
    found = f"{share:.0%} of the CPU"
    if share <= QUIET:
        return Check("stolen CPU", found, Fitness.GOOD)
    matters = "the hypervisor gives it to other machines, and trials are set aside"
    return Check("stolen CPU", found, Fitness.POOR, matters, "try another time or machine")


def other_runs() -> Check:
    """One at a time measures on a machine."""
    try:
        run = lock.seen()
    except RequirementError as problem:
        return Check("other runs", "not to be told", Fitness.MISSING, "no run can start",
                     str(problem))  # fmt: skip
    if run is None:
        return Check("other runs", "none is measuring", Fitness.GOOD)
    return Check("other runs", run, Fitness.POOR, "a second one at a time is refused",
                 "wait for it")  # fmt: skip


def _spent() -> dict[tuple[int, str], float]:
    """Of everybody but us; who can't be asked is left out."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error), process.oneshot():
            times = process.cpu_times()
            if process.pid != os.getpid():
                found[process.pid, process.name()] = float(times.user + times.system)
    return found
