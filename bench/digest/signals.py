"""The harness's samples, boiled down to the signals of one window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.probe import layout
from bench.stats import interpolate_cumulative, percentile, tapered_average, tapered_growth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from bench.records.trial_files import Look

NS_PER_S = 1e9
NS_PER_MS = 1e6
BYTES_PER_MB = 1e6


@dataclass(frozen=True, slots=True)
class Samples:
    """The looks at one trial, and its window."""

    looks: Sequence[Look]
    t_ns: NDArray[np.int64]
    t0_ns: int
    t1_ns: int

    def cores(self, cumulative_s: Callable[[Look], float]) -> float | None:
        """Mean rate of a counter of CPU seconds over the window."""
        values = np.array([cumulative_s(look) for look in self.looks], dtype=np.float64)
        first = interpolate_cumulative(self.t_ns, values, self.t0_ns)
        last = interpolate_cumulative(self.t_ns, values, self.t1_ns)
        if first is None or last is None:
            return None
        return (last - first) / ((self.t1_ns - self.t0_ns) / NS_PER_S)

    def tapered_cores(self, cumulative_s: Callable[[Look], float]) -> float | None:
        """The same, with the weight that throughput has."""
        values = np.array([cumulative_s(look) for look in self.looks], dtype=np.float64)
        return tapered_growth(self.t_ns, values, self.t0_ns, self.t1_ns)

    def tapered_average(self, value: Callable[[Look], float]) -> float | None:
        """Time average of a gauge that was looked at, with the weight that throughput has."""
        values = np.array([value(look) for look in self.looks], dtype=np.float64)
        return tapered_average(self.t_ns, values, self.t0_ns, self.t1_ns)

    def within(self) -> Sequence[Look]:
        """The looks taken in the window."""
        return [look for look in self.looks if self.t0_ns <= look.ns <= self.t1_ns]


def samples_of(looks: Sequence[Look], t0_ns: int, t1_ns: int) -> Samples:
    """Looks with their times as an array."""
    return Samples(looks, np.array([look.ns for look in looks], dtype=np.int64), t0_ns, t1_ns)


def group_cores(samples: Samples, group: str) -> float | None:
    """Cores that a process group used; None if a process of it went, and took its share along."""
    return samples.cores(lambda look: _cpu_s(look, group))


def tapered_group_cores(samples: Samples, group: str) -> float | None:
    """The same, with the weight that throughput has: for what a request costs."""
    return samples.tapered_cores(lambda look: _cpu_s(look, group))


def _cpu_s(look: Look, group: str) -> float:
    usage = look.groups.get(group)
    return 0.0 if usage is None else sum(usage.cpu_s.values())


def busy_cores(samples: Samples, cpus: str) -> float | None:
    """Cores in use, by whomever, of a set of CPUs; None if there is no such set."""
    if not _has_set(samples, cpus):
        return None
    return samples.cores(lambda look: look.machine[cpus].busy_s)


def stolen_cores(samples: Samples, cpus: str) -> float | None:
    """Cores that the hypervisor took of a set of CPUs; None if there is no such set."""
    if not _has_set(samples, cpus):
        return None
    return samples.cores(lambda look: look.machine[cpus].steal_s)


@dataclass(frozen=True, slots=True)
class GeneratorUse:
    """Of one generator process, shares of the window; None: not known."""

    cores: float | None
    waited: float | None  # it could run but had no core


def busiest_generator(
    samples: Samples, pids: Sequence[int], away: Sequence[GeneratorUse] = ()
) -> GeneratorUse:
    """That of its processes with users, here and elsewhere, which had least time to spare."""
    uses = [
        *(GeneratorUse(_process_cores(samples, str(pid)), _waited(samples, str(pid)))
          for pid in pids),
        *away,
    ]  # fmt: skip
    return max(
        uses,
        key=lambda use: (use.cores or 0.0) + (use.waited or 0.0),
        default=GeneratorUse(None, None),
    )


def away_use(samples: Samples, usage: Sequence[tuple[int, float, float]]) -> GeneratorUse:
    """Of a process on another machine, from what it noted of itself: when, CPU s, waited s."""
    t_ns = np.array([ns for ns, _, _ in usage], dtype=np.int64)
    window_s = (samples.t1_ns - samples.t0_ns) / NS_PER_S

    def share(values: Sequence[float]) -> float | None:
        if not values or min(values) < 0:
            return None
        found = np.array(values, dtype=np.float64)
        first = interpolate_cumulative(t_ns, found, samples.t0_ns)
        last = interpolate_cumulative(t_ns, found, samples.t1_ns)
        return None if first is None or last is None else (last - first) / window_s

    return GeneratorUse(
        share([cpu_s for _, cpu_s, _ in usage]), share([waited_s for *_, waited_s in usage])
    )


def _process_cores(samples: Samples, pid: str) -> float | None:
    if not all(pid in _generators(look) for look in samples.looks):
        return None
    return samples.cores(lambda look: _generators(look)[pid])


def _generators(look: Look) -> Mapping[str, float]:
    """CPU seconds of each generator process."""
    group = look.groups.get("generator")
    return {} if group is None else group.cpu_s


def _waited(samples: Samples, pid: str) -> float | None:
    if not samples.looks or any(pid not in look.generators_waited_s for look in samples.looks):
        return None
    return samples.cores(lambda look: look.generators_waited_s[pid])


def threads_alive(samples: Samples) -> tuple[int, ...]:
    """Threads of all workers at the window's start, middle and end; empty without gauges."""
    within = samples.within()
    if not within or not all(look.gauges for look in within):
        return ()
    chosen = (within[0], within[len(within) // 2], within[-1])
    return tuple(
        sum(int(page[layout.G_THREADS_ALIVE]) for page in look.gauges.values()) for look in chosen
    )


def rss_mb(samples: Samples, group: str) -> float | None:
    """The most memory that a group had resident in the window; shared pages count for each."""
    values = [look.groups[group].rss for look in samples.within() if group in look.groups]
    most = max(values, default=0)
    return most / BYTES_PER_MB if most else None


def pool_busy(samples: Samples) -> float | None:
    """Threads of the pools in use, summed over workers; None without gauges, or pools."""
    if not _has_gauges(samples) or not pool_size(samples):
        return None
    return samples.tapered_average(
        lambda look: float(sum(page[layout.G_POOL_BUSY] for page in look.gauges.values()))
    )


def pool_size(samples: Samples) -> int | None:
    """Threads that the pools may have, summed over workers; None if anyio's isn't used."""
    within = samples.within()
    if not within or not within[-1].gauges:
        return None
    return sum(int(page[layout.G_POOL_SIZE]) for page in within[-1].gauges.values()) or None


@dataclass(frozen=True, slots=True)
class LoopDelay:
    """How late the loops' heartbeats are, over looks and workers; None where there is none."""

    p50_ms: float | None
    max_ms: float | None
    open: bool  # the latest heart had not beaten again at the window's end


def loop_delay(samples: Samples) -> LoopDelay:
    """A heartbeat is due every interval.

    What its age exceeds that by is time in which the loop ran something else, or is still running
    it: at the window's last look such an age is no whole one.
    """
    late_ms = [
        [_late_ms(look.ns, page) for page in look.gauges.values() if _begun(page)]
        for look in samples.within()
    ]
    every: list[float] = [late for look in late_ms for late in look]
    if not every:
        return LoopDelay(None, None, open=False)
    worst = max(every)
    last = max(late_ms[-1], default=0.0)
    return LoopDelay(percentile(every, 50), worst, open=worst > 0 and last == worst)


def _begun(page: Sequence[int]) -> bool:
    return page[layout.G_MAGIC] == layout.GAUGE_MAGIC


def _late_ms(ns: int, page: Sequence[int]) -> float:
    return max(0, ns - page[layout.G_HEARTBEAT_NS] - page[layout.G_INTERVAL_NS]) / NS_PER_MS


def _has_set(samples: Samples, cpus: str) -> bool:
    return bool(samples.looks) and all(cpus in look.machine for look in samples.looks)


def _has_gauges(samples: Samples) -> bool:
    return bool(samples.looks) and all(look.gauges for look in samples.looks)
