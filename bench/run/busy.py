"""Whether a server has worked without a break: then the gaps between completions tell its rate.

A used-up core is no such sign: a loop that computes swings too, with requests that come back from
their wait in a wave, and a short window shows a phase of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.probe import layout
from bench.analysis.resources import BLOCKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.trial_files import Look

FEWEST = 5  # looks
HELD = 0.9  # of the time


def never_rests(looks: Sequence[Look]) -> bool:
    """Each worker's loop is blocked, or its thread pool full, in these looks.

    False where it can't be told, as without gauges.
    """
    if len(looks) < FEWEST:
        return False
    workers = set(looks[0].gauges)
    return bool(workers) and all(_held_up(looks, worker) for worker in workers)


def _held_up(looks: Sequence[Look], worker: str) -> bool:
    pages = [(look.ns, look.gauges[worker]) for look in looks if worker in look.gauges]
    if len(pages) < len(looks):
        return False
    (began_ns, first), (ended_ns, last) = pages[0], pages[-1]
    held_ns = layout.held_until_ns(last, ended_ns) - layout.held_until_ns(first, began_ns)
    held, worked = held_ns / (ended_ns - began_ns), _worked(looks, worker)
    blocked = held >= HELD and worked is not None and held - worked >= BLOCKED
    return blocked or all(page[layout.G_POOL_WAITING] > 0 for _, page in pages)


def _worked(looks: Sequence[Look], worker: str) -> float | None:
    """Share of the time in which the loop's thread, else the worker, computed or was to."""
    known = [(look.ns, look.loops[worker]) for look in looks if worker in look.loops]
    if len(known) == len(looks):
        busy = [(ns, loop.cpu_s + loop.waited_s) for ns, loop in known]
    else:
        groups = [(look.ns, group) for look in looks for group in look.groups.values()]
        busy = [(ns, group.cpu_s[worker]) for ns, group in groups if worker in group.cpu_s]
    if len(busy) < len(looks):
        return None
    (began_ns, first_s), (ended_ns, last_s) = busy[0], busy[-1]
    return (last_s - first_s) / ((ended_ns - began_ns) / 1e9)
