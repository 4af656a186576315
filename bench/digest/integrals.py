"""Time integrals at the looks, and averages from them: exact, however seldom one looks.

A counter of the gauge page that carries the sum of its instants (``app.probe.layout.TIMED``) has
the integral count × t - sum at any t. All is modulo 2^64, which numpy's words do by themselves;
a difference of two counters' integrals is far below that, and so is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.probe import layout
from bench.stats import tapered_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.digest.handlers import Handlers
    from bench.digest.signals import Samples


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """A time integral as it was read: ``grown_ns`` since the first of ``t_ns``, shape (n,) each."""

    t_ns: NDArray[np.int64]
    grown_ns: NDArray[np.int64]


def workers(samples: Samples) -> tuple[str, ...]:
    """All that have a page, by process id."""
    return tuple(samples.looks[0].gauges) if samples.looks else ()


def inside(samples: Samples, pids: Sequence[str]) -> float | None:
    """Requests inside the application of these workers, on average; None if unknown."""
    return _between(samples, pids, layout.G_STARTED, layout.G_FINISHED)


def queued(samples: Samples, pids: Sequence[str]) -> float | None:
    """Tasks that wait for a thread."""
    return _between(samples, pids, layout.G_QUEUED, layout.G_DEQUEUED)


def queued_readings(samples: Samples, pids: Sequence[str]) -> Readings | None:
    """The time integral of those tasks, since the first reading; None if unknown."""
    return _readings_between(samples, pids, layout.G_QUEUED, layout.G_DEQUEUED)


def before(samples: Samples, logs: Sequence[Handlers]) -> float | None:
    """Requests inside the application whose handler had not begun.

    The page has when they entered, the thread logs when each handler began: neither needs
    more of a worker than it writes anyway. A request that never comes to a handler is among
    them for ever; ours all do, as the first has shown when the server was verified.
    """
    entered = _counted(samples, [str(log.pid) for log in logs], layout.G_STARTED)
    if entered is None:
        return None
    begun = np.sum([log.begun_ns for log in logs], axis=0, dtype=np.uint64)
    return _average(samples, entered - begun)


def upstream(samples: Samples) -> float | None:
    """Requests inside the delay server; None if its page was never read."""
    known = np.array([look.upstream_ns is not None for look in samples.looks], dtype=np.bool_)
    values = [look.upstream_ns for look in samples.looks if look.upstream_ns is not None]
    relative = np.array([value - values[0] for value in values], dtype=np.float64)
    return tapered_mean(samples.t_ns[known], relative, samples.t0_ns, samples.t1_ns)


def _between(samples: Samples, pids: Sequence[str], entered: int, left: int) -> float | None:
    found = _readings_between(samples, pids, entered, left)
    return None if found is None else _mean(samples, found)


def _readings_between(
    samples: Samples, pids: Sequence[str], entered: int, left: int
) -> Readings | None:
    came, went = _counted(samples, pids, entered), _counted(samples, pids, left)
    return None if came is None or went is None else _readings(samples, came - went)


def _counted(samples: Samples, pids: Sequence[str], counter: int) -> NDArray[np.uint64] | None:
    """The counter's integral at each look, over these workers; None without their pages."""
    if not pids or not samples.looks:
        return None
    if not all(pid in look.gauges for look in samples.looks for pid in pids):
        return None
    pages = [[look.gauges[pid] for pid in pids] for look in samples.looks]
    counts, sums = (
        np.array([[page[word] for page in look] for look in pages], dtype=np.uint64)
        for word in (counter, counter + 1)
    )
    t_ns = samples.t_ns.astype(np.uint64)[:, np.newaxis]
    found: NDArray[np.uint64] = (counts * t_ns - sums).sum(axis=1, dtype=np.uint64)
    return found


def _average(samples: Samples, integral: NDArray[np.uint64]) -> float | None:
    return _mean(samples, _readings(samples, integral))


def _mean(samples: Samples, found: Readings) -> float | None:
    return tapered_mean(found.t_ns, found.grown_ns, samples.t0_ns, samples.t1_ns)


def _readings(samples: Samples, integral: NDArray[np.uint64]) -> Readings:
    """From the looks at which no page was half way through a change."""
    sound = np.array(
        [all(map(layout.settled, look.gauges.values())) for look in samples.looks], dtype=np.bool_
    )
    # The first reading off, and back from the circle of 2^64 to the line.
    return Readings(samples.t_ns[sound], (integral[sound] - integral[sound][:1]).view(np.int64))
