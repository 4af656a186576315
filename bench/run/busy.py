"""Whether a server has worked without a break: then the gaps between completions tell its rate.

A used-up core is no such sign: a loop that computes swings too, with requests that come back from
their wait in a wave, and a short window shows a phase of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.probe import layout

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
    blocked = held_ns >= HELD * (ended_ns - began_ns)
    return blocked or all(page[layout.G_POOL_WAITING] > 0 for _, page in pages)
