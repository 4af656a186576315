"""The signals of each worker: what limits one need not limit the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.probe import layout
from bench.digest import integrals
from bench.digest.raw import NS_PER_S
from bench.records.model import WorkerSignals
from bench.stats import interpolate_cumulative, tapered_average

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.digest.raw import Raw
    from bench.digest.signals import Samples
    from bench.records.trial_files import Look


def workers(raw: Raw) -> tuple[WorkerSignals, ...]:
    """Of all that were up at the start, by process id."""
    calls = {log.pid: log.in_window for log in raw.handlers} or entered(raw)
    total = sum(calls.values())
    return tuple(
        _worker(raw.samples, pid, calls[pid] / total if total and pid in calls else None)
        for pid in sorted(raw.facts.workers)
    )


def entered(raw: Raw) -> dict[int, int]:
    """Requests that came to each worker in the window, where its handlers aren't seen."""
    within = raw.samples.within()
    if not raw.facts.own or not within:
        return {}
    first, last = within[0].gauges, within[-1].gauges
    return {
        int(pid): page[layout.G_STARTED] - first[pid][layout.G_STARTED]
        for pid, page in last.items()
        if pid in first
    }


def _worker(samples: Samples, number: int, share: float | None) -> WorkerSignals:
    pid = str(number)
    return WorkerSignals(
        pid=number,
        share=share,
        cores=_rate(samples, lambda look: _process_s(look, pid)),
        loop_cores=_rate(
            samples, lambda look: look.loops[pid].cpu_s if pid in look.loops else None
        ),
        loop_waited=_rate(
            samples, lambda look: look.loops[pid].waited_s if pid in look.loops else None
        ),
        loop_held_share=_held_share(samples, pid),
        pool_size=_last(samples, pid, layout.G_POOL_SIZE),
        pool_busy_avg=_average(samples, pid, layout.G_POOL_BUSY),
        queued_avg=integrals.queued(samples, [pid]),
        inside_avg=integrals.inside(samples, [pid]),
        executor_threads=_last(samples, pid, layout.G_EXECUTOR_THREADS),
        executor_waiting_avg=_average(samples, pid, layout.G_EXECUTOR_WAITING),
    )


def _process_s(look: Look, pid: str) -> float | None:
    group = look.groups.get("server")
    return None if group is None else group.cpu_s.get(pid)


def _rate(samples: Samples, cumulative_s: Callable[[Look], float | None]) -> float | None:
    """Mean rate of a counter of seconds over the window, from the looks that have it."""
    found = [(look.ns, cumulative_s(look)) for look in samples.looks]
    t_ns = np.array([ns for ns, spent in found if spent is not None], dtype=np.int64)
    values = np.array([spent for _, spent in found if spent is not None], dtype=np.float64)
    first = interpolate_cumulative(t_ns, values, samples.t0_ns)
    last = interpolate_cumulative(t_ns, values, samples.t1_ns)
    if first is None or last is None:
        return None
    return (last - first) / ((samples.t1_ns - samples.t0_ns) / NS_PER_S)


def _held_share(samples: Samples, pid: str) -> float | None:
    """Of the window, the time in which the loop was held up; None if the heart never beat."""
    pages = [
        (look.ns, look.gauges[pid])
        for look in samples.within()
        if pid in look.gauges and look.gauges[pid][layout.G_MAGIC] == layout.GAUGE_MAGIC
    ]
    if not pages or pages[-1][0] == pages[0][0]:
        return None
    (began_ns, first), (ended_ns, last) = pages[0], pages[-1]
    held_ns = layout.held_until_ns(last, ended_ns) - layout.held_until_ns(first, began_ns)
    return min(1.0, max(0.0, held_ns / (ended_ns - began_ns)))


def _last(samples: Samples, pid: str, word: int) -> int | None:
    """At the window's end; None of 0, for then there is no such pool."""
    pages = [look.gauges[pid] for look in samples.within() if pid in look.gauges]
    return pages[-1][word] or None if pages else None


def _average(samples: Samples, pid: str, word: int) -> float | None:
    found = [(look.ns, look.gauges[pid]) for look in samples.looks if pid in look.gauges]
    t_ns = np.array([ns for ns, _ in found], dtype=np.int64)
    values = [page[word] for _, page in found]
    return tapered_average(t_ns, values, samples.t0_ns, samples.t1_ns)
