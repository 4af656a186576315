"""Looks at a trial from outside, ten times a second: gauge pages, CPU, memory.

It writes what it sees, one line of JSON a look, and computes nothing.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import time
from typing import IO, TYPE_CHECKING

import psutil

from app.probe import layout
from bench.records.trial_files import LOOK, GroupUsage, Look, to_json
from bench.run.host import cpu_use
from bench.run.host.machine import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

INTERVAL_S = 0.1
# New children are looked for once a second: that reads every process's parent.
CHILDREN_EVERY = 10


class Gauge:
    """One worker's gauge page, mapped for reading."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), layout.GAUGE_BYTES, access=mmap.ACCESS_READ)
        self._words = memoryview(mapped).cast("Q")

    def read(self) -> list[int]:
        """The page's words (``app.probe.layout``)."""
        return self._words[: layout.GAUGE_WORDS].tolist()


class Sampler:
    """Samples named process groups and gauge pages into a file."""

    def __init__(
        self,
        path: Path,
        roots: Mapping[str, int],
        gauges: Mapping[int, Gauge],
        *,
        cpus: Mapping[str, Sequence[int]],
        quota_cores: float | None,
    ) -> None:
        self._cpus, self._quota_cores = cpus, quota_cores
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._roots = {name: _process(pid) for name, pid in roots.items()}
        self._gauges = gauges
        self._groups: dict[str, list[psutil.Process]] = {}
        self._looks = 0

    def look(self) -> Look:
        """One sample of everything, now."""
        if self._looks % CHILDREN_EVERY == 0:
            self._find_children()
        self._looks += 1
        # The clock first, the gauges next: their age is judged against this very moment.
        sample = Look(
            ns=time.monotonic_ns(),
            gauges={str(pid): gauge.read() for pid, gauge in self._gauges.items()},
            groups={name: _usage(group) for name, group in self._groups.items()},
            machine=cpu_use.look(self._cpus, quota_cores=self._quota_cores),
            generator_waited_s=self._generator_waited_s(),
        )
        self._file.write(to_json(LOOK, sample) + "\n")
        return sample

    def _generator_waited_s(self) -> float | None:
        """Seconds that the generator's one thread has been runnable without a core (Linux).

        The kernel counts it (Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat):
        a generator kept off its core uses little CPU and is the bottleneck all the same.
        """
        root = self._roots.get("generator")
        text = None if root is None else read(f"/proc/{root.pid}/schedstat")
        return None if text is None else int(text.split()[1]) / 1e9

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()

    def _find_children(self) -> None:
        """Everyone below a root; but of the harness only itself, for all others are below it."""
        for name, root in self._roots.items():
            group = [root] if root is not None else []
            with contextlib.suppress(psutil.Error):
                if root is not None and root.pid != os.getpid():
                    group += root.children(recursive=True)
            self._groups[name] = group


def _process(pid: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid)
    return None


def _usage(group: Iterable[psutil.Process]) -> GroupUsage:
    """CPU seconds by process, and resident bytes of all together."""
    cpu: dict[str, float] = {}
    rss = 0
    for process in group:
        with contextlib.suppress(psutil.Error), process.oneshot():
            cpu[str(process.pid)] = _cpu_s(process)
            rss += process.memory_info().rss
    return GroupUsage(cpu, rss)


def _cpu_s(process: psutil.Process) -> float:
    """CPU seconds since its start: the scheduler's nanoseconds (Linux), else the system's ticks."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return time.clock_gettime(cpu_clock(process.pid))
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_clock(pid: int) -> int:
    """The clock of a process's CPU time, all threads: as clock_getcpuclockid(3) on Linux.

    ``MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)``, include/linux/posix-timers_types.h.
    """
    return (~pid << 3) | 2
