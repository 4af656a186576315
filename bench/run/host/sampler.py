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
from bench.records.trial_files import LOOK, GroupUsage, Look, LoopTime, to_json
from bench.run.host import cpu_use
from bench.run.host.machine import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.run.server.delay_page import DelayPage

INTERVAL_S = 0.1
# New children are looked for once a second: that reads every process's parent.
CHILDREN_EVERY = 10
PATIENCE_NS = 2_000_000  # a page that changes while it is copied is copied again, for so long
PAUSE_S = 0.0001  # for a writer that lost its core half way through a change


class Gauge:
    """One worker's gauge page, mapped for reading."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), layout.GAUGE_BYTES, access=mmap.ACCESS_READ)
        self._words = memoryview(mapped).cast("Q")

    def read(self) -> list[int]:
        """The page's words (``app.probe.layout``), all of one moment.

        Where there is none for too long, for its writer stands still half way through a change
        or never stands still, its timed counters are given as being changed.
        """
        deadline_ns = time.monotonic_ns() + PATIENCE_NS
        while time.monotonic_ns() < deadline_ns:
            page = self._copy()
            if not layout.settled(page):
                time.sleep(PAUSE_S)
            elif page == self._copy():
                return page
        page = self._copy()
        for counter in layout.TIMED:
            page[counter + 1] = 0
        return page

    def _copy(self) -> list[int]:
        return self._words[: layout.GAUGE_WORDS].tolist()


class Sampler:
    """Samples named process groups and gauge pages into a file."""

    def __init__(
        self,
        path: Path,
        roots: Mapping[str, Sequence[int]],
        gauges: Mapping[int, Gauge],
        *,
        generators: Sequence[int] = (),
        cpus: Mapping[str, Sequence[int]],
        quota_cores: float | None,
        delay: DelayPage | None,
    ) -> None:
        """Begin a file.

        Args:
            path: of the file.
            roots: the first processes of each group, by its name; their children belong to it.
            gauges: pages of the workers.
            generators: processes that have users.
            cpus: sets of CPUs by name.
            quota_cores: where a quota leaves less than those.
            delay: the delay server's page.
        """
        self._generators = generators
        self._delay = delay
        self._cpus, self._quota_cores = cpus, quota_cores
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._roots = {
            name: [found for pid in pids if (found := _process(pid)) is not None]
            for name, pids in roots.items()
        }
        self._gauges = gauges
        self._groups: dict[str, list[psutil.Process]] = {}
        self._looks = 0

    def look(self) -> Look:
        """One sample of everything, now."""
        if self._looks % CHILDREN_EVERY == 0:
            self._find_children()
        self._looks += 1
        # The clock first, the gauges next: their age is judged against this very moment.
        now_ns = time.monotonic_ns()
        pages = {pid: gauge.read() for pid, gauge in self._gauges.items()}
        sample = Look(
            ns=now_ns,
            upstream_ns=None if self._delay is None else self._delay.in_flight_ns(now_ns),
            gauges={str(pid): page for pid, page in pages.items()},
            loops=dict(_loop_times(pages)),
            groups={name: _usage(group) for name, group in self._groups.items()},
            machine=cpu_use.look(self._cpus, quota_cores=self._quota_cores),
            generators_waited_s=dict(self._waited_s()),
        )
        self._file.write(to_json(LOOK, sample) + "\n")
        return sample

    def _waited_s(self) -> Iterator[tuple[str, float]]:
        """Seconds that the one thread of each generator process was runnable without a core.

        A generator kept off its core uses little CPU and is the bottleneck all the same.
        """
        for pid in self._generators:
            known = _schedule(f"/proc/{pid}/schedstat")
            if known is not None:
                yield str(pid), known.waited_s

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()

    def _find_children(self) -> None:
        """Everyone below a root; but of the harness only itself, for all others are below it."""
        for name, roots in self._roots.items():
            group = [*roots]
            for root in roots:
                with contextlib.suppress(psutil.Error):
                    if root.pid != os.getpid():
                        group += root.children(recursive=True)
            self._groups[name] = group


def _process(pid: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid)
    return None


def _loop_times(pages: Mapping[int, Sequence[int]]) -> Iterator[tuple[str, LoopTime]]:
    """Of each worker whose loop has told its thread, where the system tells of threads."""
    for pid, page in pages.items():
        if thread := page[layout.G_LOOP_TID]:
            known = _schedule(f"/proc/{pid}/task/{thread}/schedstat")
            if known is not None:
                yield str(pid), known


def _schedule(path: str) -> LoopTime | None:
    """A thread's time on a core, and runnable without one; None where it can't be told.

    The kernel counts both, in ns (Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat).
    """
    text = read(path)
    if text is None:
        return None
    on_core_ns, waited_ns, _ = text.split()
    return LoopTime(int(on_core_ns) / 1e9, int(waited_ns) / 1e9)


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
